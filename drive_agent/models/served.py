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


class ServerMissingError(ConnectionError):
    """No usable server at the start: its address, what was expected and the remedy, in one line."""


class ServedModel:
    """Asks one server, one question at a time."""

    name = "served"

    def __init__(
        self, client: Any, served_name: str, cameras: tuple[CameraMount, ...], words: WordsConfig
    ) -> None:
        self._client = client
        self._served_name = served_name
        self._cameras = cameras
        self._words = words

    @classmethod
    def connect(
        cls, cameras: tuple[CameraMount, ...], words: WordsConfig, served: ServedConfig
    ) -> ServedModel:
        """Ask the server what it has. Raises ServerMissingError when it does not answer or lacks the model."""
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
            names = [model.id for model in client.models.list().data]
        except (openai.OpenAIError, ValueError, AttributeError, TypeError) as error:
            raise ServerMissingError(
                f"model.served.url={served.url} is no OpenAI-compatible server ({_reason(error)}); start one: drive-agent "
                "serve model=mimo_embodied_7b, or vllm serve XiaomiMiMo/MiMo-Embodied-7B"
            ) from error
        wanted = served.served_name or (names[0] if len(names) == 1 else "")
        if wanted not in names:
            raise ServerMissingError(
                f"model.served.served_name={served.served_name!r}: the server at {served.url} has {names}; name one"
            )
        return cls(client, wanted, cameras, words)

    @property
    def cameras(self) -> tuple[CameraMount, ...]:
        return self._cameras

    def answer(self, prompt: Prompt) -> Reply:
        """The server's words; or a reply with the reason why none came."""
        import openai

        words, start = self._words, time.perf_counter()
        extra, begun = self._extra(prompt)
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

    def _extra(self, prompt: Prompt) -> tuple[dict, list[dict]]:
        """Fields that servers take beyond OpenAI's, and the beginning of the answer."""
        pattern = prompt.pattern
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


def _jpeg(rgb: np.ndarray) -> bytes:
    done, data = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"a picture {rgb.shape} {rgb.dtype} could not be encoded as JPEG")
    return data.tobytes()


def _reason(error: Exception) -> str:
    """An error as one short line."""
    cause = error.__cause__
    text = " ".join(f"{error}{f' ({cause})' if cause is not None and str(cause) else ''}".split())
    return f"{type(error).__name__}: {text[:200]}"
