"""A model behind an OpenAI-compatible server (vLLM, `drive-agent serve`): a prompt in, words or a reason out.

A server that is slow, gone or confused is no reason to crash a car: such a reply holds the reason instead of an answer,
the plan before is driven on, and the guard stops the car when that is too old. Knows nothing of what answers over there.
"""

from __future__ import annotations

import base64
import importlib.util
import os
import time
from typing import Any

import cv2
import numpy as np

from drive_agent.models.picture_size import resized
from drive_agent.models.settings import ServedConfig, WordsConfig
from drive_agent.rig import CameraMount
from drive_agent.types import CameraImage, Prompt, Reply

NO_THOUGHT = "<think>\n\n</think>\n\n"  # an answer that begins so holds no thought
CHARACTERS_PER_TOKEN = 4  # of a thought, for its budget in the form
JPEG_QUALITY = 92
READY = ({"role": "user", "content": "Are you ready?"},)
REFUSED = (400, 404, 405, 422)  # of a question: it is not understood, or its model not known


class ServerMissingError(ConnectionError):
    """No usable server at the start: its address, what was expected and the remedy, in one line."""


class ServedModel:
    """Asks one server, one question at a time."""

    name = "served"

    def __init__(
        self,
        client: Any,
        served_name: str,
        cameras: tuple[CameraMount, ...],
        words: WordsConfig,
        dialect: str = "vllm",
    ) -> None:
        self._client = client
        self._served_name = served_name
        self._cameras = cameras
        self._words = words
        self._dialect = dialect

    @classmethod
    def connect(
        cls, cameras: tuple[CameraMount, ...], words: WordsConfig, served: ServedConfig
    ) -> ServedModel:
        """Ask the server what it has, and for one word. Raises ServerMissingError when it does not answer, lacks the model
        or does not understand the dialect.
        """
        if importlib.util.find_spec("openai") is None:
            raise ServerMissingError(
                "model=served needs the openai client; pip install 'drive-agent[served]'"
            )
        import openai

        client = openai.OpenAI(
            base_url=served.url,
            api_key=os.environ.get("OPENAI_API_KEY", "none"),
            timeout=served.timeout_s,
            max_retries=served.retries,
        )
        try:
            names = _names(client, served.served_name)
        except (openai.OpenAIError, ValueError, AttributeError, TypeError) as error:
            raise ServerMissingError(
                f"model.served.url={served.url} is no OpenAI-compatible server ({_reason(error)}); start one: drive-agent "
                "serve model=mimo_embodied_7b, or vllm serve XiaomiMiMo/MiMo-Embodied-7B"
            ) from error
        wanted = served.served_name or (names[0] if len(names) == 1 else "")
        if not wanted:
            raise ServerMissingError(
                f"model.served.served_name={served.served_name!r}: the server at {served.url} has {names}; name one"
            )
        model = cls(client, wanted, cameras, words, served.dialect)
        refusal = model._refusal()
        if refusal:
            raise ServerMissingError(
                f"model.served.dialect={served.dialect}: the server at {served.url}, which has {names}, refuses a question "
                f"to {wanted!r} ({refusal}); give served_name as it is named there, and dialect=openai where it does not "
                "know vLLM's fields"
            )
        return model

    @property
    def cameras(self) -> tuple[CameraMount, ...]:
        return self._cameras

    def answer(self, prompt: Prompt) -> Reply:
        """The server's words; or a reply with the reason why none came."""
        import openai

        words, start = self._words, time.perf_counter()
        extra, begun = self._extra(prompt.pattern)
        try:
            done = self._client.chat.completions.create(
                model=self._served_name,
                messages=[*self._messages(prompt), *begun],
                max_tokens=words.think_tokens + words.answer_tokens,
                temperature=0.0,
                extra_body=extra,
            )
            text, used = done.choices[0].message.content, done.usage
        except (openai.OpenAIError, ValueError, AttributeError, IndexError, TypeError) as error:
            spent = {"served": (time.perf_counter() - start) * 1e3}
            return Reply(timings_ms=spent, error=f"{self._client.base_url}: {_reason(error)}")
        spent = {"served": (time.perf_counter() - start) * 1e3}
        if not isinstance(text, str):
            return Reply(timings_ms=spent, error=f"{self._client.base_url}: the answer holds no text")
        return Reply(
            text=text,
            timings_ms=spent,
            tokens=used.completion_tokens if used else 0,
            prompt_tokens=used.prompt_tokens if used else 0,
        )

    def _refusal(self) -> str:
        """Why the server will not take questions as they are asked here, "" when it does, is busy or only slow."""
        import openai

        extra, begun = self._extra("ready")
        try:
            self._client.chat.completions.create(
                model=self._served_name, messages=[*READY, *begun], max_tokens=1, extra_body=extra
            )
        except openai.APIStatusError as error:
            return _reason(error) if error.status_code in REFUSED else ""
        except (openai.OpenAIError, ValueError, AttributeError, TypeError):
            return ""
        return ""

    def _extra(self, pattern: str) -> tuple[dict, list[dict]]:
        """Fields that vLLM takes beyond OpenAI's, and the beginning of the answer."""
        if self._dialect == "openai":
            return {}, []
        extra: dict[str, object] = {}
        begun: list[dict] = []
        if self._words.think_tokens:
            most = CHARACTERS_PER_TOKEN * self._words.think_tokens
            pattern = pattern and rf"<think>[^<]{{0,{most}}}</think>\n\n(?:{pattern})"
        else:
            extra = {"continue_final_message": True, "add_generation_prompt": False}
            begun = [{"role": "assistant", "content": NO_THOUGHT}]
        if pattern and self._words.constrained:
            extra["structured_outputs"] = {"regex": pattern}
        return extra, begun

    def _messages(self, prompt: Prompt) -> list[dict]:
        """The messages with the pictures in their places."""
        pictures = iter(prompt.images)
        return [
            {**message, "content": self._content(message["content"], pictures)} for message in prompt.messages
        ]

    def _content(self, content: Any, pictures: Any) -> Any:
        if isinstance(content, str):
            return content
        return [self._picture(next(pictures)) if part["type"] == "image" else part for part in content]

    def _picture(self, image: CameraImage) -> dict:
        """A picture in the size that the model is to see, so that its coordinates mean what they do here."""
        height, width = image.rgb.shape[:2]
        size = resized(width, height, self._words.picture_tokens)
        data = (
            image.jpeg
            if size == (width, height)
            else _jpeg(cv2.resize(image.rgb, size, interpolation=cv2.INTER_AREA))
        )
        url = f"data:image/jpeg;base64,{base64.b64encode(data).decode('ascii')}"
        return {"type": "image_url", "image_url": {"url": url}}


def _names(client: Any, given: str) -> list[str]:
    """The models that the server tells; none when it cannot tell and the wanted one was `given`."""
    import openai

    try:
        return [model.id for model in client.models.list().data]
    except openai.APIStatusError:  # a server is there: some list a store of models that need not exist
        if not given:
            raise
        return []


def _jpeg(rgb: np.ndarray) -> bytes:
    done, data = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"a picture {rgb.shape} {rgb.dtype} could not be encoded as JPEG")
    return data.tobytes()


def _reason(error: Exception) -> str:
    """An error as one short line."""
    cause, body = error.__cause__, getattr(error, "body", None)
    more = f" ({cause})" if cause is not None and str(cause) else ""
    if isinstance(body, dict) and "detail" in body:  # how servers on FastAPI say it; the client leaves it out
        more += f" - {body['detail']}"
    text = " ".join(f"{error}{more}".split())
    return f"{type(error).__name__}: {text[:200]}"
