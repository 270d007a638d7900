"""One loaded model behind an OpenAI-compatible endpoint: several agents can share it.

    GET  /health                  "ok"
    GET  /v1/models               its name
    POST /v1/chat/completions     messages with pictures as data URLs; temperature 0 whatever is asked for

Beyond OpenAI's fields it takes vLLM's `structured_outputs.regex` (a form for the answer) and `continue_final_message` (the
last message is the beginning of the answer). Questions are answered one after another; when too many wait, further ones
get 503 and a Retry-After, which clients obey. Knows nothing of driving.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import cv2
import numpy as np

from drive_agent.types import CameraImage, Maneuver, Prompt, PromptState, Reply

MAX_BODY = 64_000_000
MAX_TOKENS = 4096
NOWHERE = PromptState(0.0, 0.0, Maneuver.LANE_FOLLOW, 0.0, np.zeros((2, 2)))


class Completes(Protocol):
    """A model that goes on with an answer."""

    def complete(self, prompt: Prompt, begun: str, think_tokens: int, answer_tokens: int) -> Reply: ...


class BadRequestError(ValueError):
    """What the client sent is not understood."""


class Endpoint(ThreadingHTTPServer):
    """Serves one model; `waiting` questions may queue."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], model: Completes, served_name: str, waiting: int) -> None:
        super().__init__(address, _Handler)
        self.model, self.served_name = model, served_name
        self.places = threading.BoundedSemaphore(waiting + 1)
        self.turn = threading.Lock()

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Endpoint  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        if self.path == "/health":
            self._send(200, {"status": "ok"})
        elif self.path == "/v1/models":
            entry = {
                "id": self.server.served_name,
                "object": "model",
                "created": 0,
                "owned_by": "drive_agent",
            }
            self._send(200, {"object": "list", "data": [entry]})
        else:
            self._refuse(404, f"no {self.path} here, expected /v1/models, /v1/chat/completions or /health")

    def do_POST(self) -> None:
        try:
            body = self._body()
            if self.path != "/v1/chat/completions":
                return self._refuse(404, f"no {self.path} here, expected /v1/chat/completions")
            asked_of = body.get("model") or self.server.served_name
            if asked_of != self.server.served_name:
                return self._refuse(
                    404, f"no model {asked_of!r:.100} here, expected {self.server.served_name!r}"
                )
            prompt, begun = read_request(body)
            tokens = min(int(body.get("max_tokens") or body.get("max_completion_tokens") or 1024), MAX_TOKENS)
        except (BadRequestError, TypeError, ValueError) as error:
            return self._refuse(400, str(error))
        if not self.server.places.acquire(blocking=False):
            return self._refuse(503, "too many questions wait", {"Retry-After": "1"})
        try:
            with self.server.turn:
                reply = self.server.model.complete(prompt, begun, 0, tokens)
        except ValueError as error:
            return self._refuse(400, str(error))
        finally:
            self.server.places.release()
        return self._send(200, completion(reply, self.server.served_name))

    def _body(self) -> dict:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= MAX_BODY:
            self.close_connection = True
            raise BadRequestError(f"a body of {length} bytes, expected 1 to {MAX_BODY}")
        body = json.loads(self.rfile.read(length))
        if not isinstance(body, dict):
            raise BadRequestError(f"a body that is a {type(body).__name__}, expected an object")
        return body

    def _refuse(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self._send(status, {"error": {"message": message, "type": "invalid_request_error"}}, headers)

    def _send(self, status: int, values: dict, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(values).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        try:
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:  # the client has given up waiting
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not printed: the client logs its questions in full."""


def read_request(body: dict) -> tuple[Prompt, str]:
    """The prompt of a request and the beginning of its answer. Raises BadRequestError."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise BadRequestError(f"messages are {messages!r:.60}, expected a list of objects")
    begun = ""
    if body.get("continue_final_message") and messages and messages[-1].get("role") == "assistant":
        begun, messages = str(messages[-1].get("content") or ""), messages[:-1]
    pictures: list[CameraImage] = []
    plain = [
        {"role": message.get("role"), "content": _content(message.get("content"), pictures)}
        for message in messages
    ]
    form = body.get("structured_outputs") or {}
    prompt = Prompt(
        tuple(plain), tuple(pictures), (None,) * len(pictures), NOWHERE, str(form.get("regex") or "")
    )
    return prompt, begun


def completion(reply: Reply, served_name: str) -> dict:
    """A reply in OpenAI's form."""
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": served_name,
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": reply.text}, "finish_reason": "stop"}
        ],
        "usage": {
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.tokens,
            "total_tokens": reply.prompt_tokens + reply.tokens,
        },
        "timings_ms": reply.timings_ms,
    }


def _content(content: Any, pictures: list[CameraImage]) -> str | list[dict]:
    """Content with placeholders; the pictures in it are added to `pictures`."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise BadRequestError(f"content is {content!r:.60}, expected text or a list of parts")
    parts = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text":
            parts.append({"type": "text", "text": str(part.get("text"))})
        elif kind == "image_url":
            pictures.append(_picture(part["image_url"]["url"], f"picture {len(pictures)}"))
            parts.append({"type": "image"})
        else:
            raise BadRequestError(f"a part of type {kind!r}, expected text or image_url")
    return parts


def _picture(url: Any, name: str) -> CameraImage:
    head, _, data = str(url).partition(";base64,")
    if not head.startswith("data:image/"):
        raise BadRequestError(f"{name} is {str(url)[:40]!r}, expected a data URL with base64")
    try:
        raw = base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise BadRequestError(f"{name} is not base64 ({error})") from error
    bgr = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR) if raw else None
    if bgr is None:
        raise BadRequestError(f"{name} is no JPEG or PNG")
    return CameraImage(name, 0, np.ascontiguousarray(bgr[:, :, ::-1]), raw)
