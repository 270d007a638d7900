"""The endpoint by itself: what it refuses and how, and a look-alike served by a process of its own."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest

from drive_agent.agent.dialogue import Stock
from drive_agent.models.serve import BadRequestError, read_request
from drive_agent.models.served import ServedModel
from drive_agent.models.settings import ServedConfig, WordsConfig
from tests.lookalike import make
from tests.unit.models.test_served import Straight, serving
from tests.unit.models.vlm.conftest import CAMERAS
from tests.unit.models.vlm.conftest import frame as a_frame


def post(url: str, data: bytes) -> tuple[int, dict]:
    request = urllib.request.Request(f"{url}/chat/completions", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "Expecting"),
        (b"[]", "expected an object"),
        (b"{}", "expected a list"),
        (b'{"messages": [{"role": "user", "content": 7}]}', "expected text or a list"),
        (b'{"messages": [{"role": "user", "content": [{"type": "audio"}]}]}', "expected text or image_url"),
        (b'{"messages": [], "max_tokens": "many"}', "invalid literal"),
    ],
)
def test_what_is_not_understood_is_refused_in_words(data, says):
    with serving(Straight()) as url:
        status, answer = post(url, data)
    assert status == 400 and says in answer["error"]["message"]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://example.org/x.jpg", "expected a data URL"),
        ("data:image/png;base64,$$", "is not base64"),
        ("data:image/png;base64,AAAA", "no JPEG or PNG"),
        ("data:image/png;base64,", "no JPEG or PNG"),
    ],
)
def test_pictures_come_with_the_request(address, says):
    content = [{"type": "image_url", "image_url": {"url": address}}]
    with pytest.raises(BadRequestError, match=says):
        read_request({"messages": [{"role": "user", "content": content}]})


def test_a_request_becomes_a_prompt():
    rgb = np.full((28, 56, 3), (10, 200, 30), np.uint8)
    png = base64.b64encode(cv2.imencode(".png", rgb[:, :, ::-1])[1].tobytes()).decode()
    content = [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png}"}},
    ]
    begun = {"role": "assistant", "content": "I s"}
    body = {"messages": [{"role": "user", "content": content}, begun], "structured_outputs": {"regex": "a|b"}}
    prompt, start = read_request({**body, "continue_final_message": True})
    assert start == "I s" and prompt.pattern == "a|b"
    assert prompt.messages == (
        {"role": "user", "content": [{"type": "text", "text": "see"}, {"type": "image"}]},
    )
    np.testing.assert_array_equal(prompt.images[0].rgb, rgb)
    assert len(read_request(body)[0].messages) == 2


def test_other_addresses_are_told_apart():
    with serving(Straight()) as url:
        assert json.loads(urllib.request.urlopen(url.replace("/v1", "/health")).read()) == {"status": "ok"}
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url)


frame = a_frame


@pytest.mark.slow
def test_a_served_look_alike_answers_as_the_loaded_one(tmp_path, frame):
    """`drive-agent serve` in a process of its own, asked by the genuine client of the protocol."""
    folder = make(tmp_path / "tiny")
    words = ["model.vlm.precision=bfloat16", "model.vlm.device=cpu", "port=0", f"model.weights={folder}"]
    child = subprocess.Popen(
        [sys.executable, "-m", "drive_agent", "serve", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        found = re.fullmatch(r"serving tiny at (http://127\.0\.0\.1:\d+/v1)\n", line)
        assert found, line
        model = ServedModel.connect(
            CAMERAS, WordsConfig(picture_tokens=300), ServedConfig(found[1], timeout_s=60.0, retries=0)
        )
        dialogue = Stock(CAMERAS, 300, scene=False)
        prompt = dialogue.ask(frame, tuple(camera.name for camera in CAMERAS))
        reply = model.answer(prompt)
        assert reply.error == "" and reply.text is not None and re.fullmatch(prompt.pattern, reply.text)
        assert reply.tokens > 100 and reply.prompt_tokens > 48
        child.kill()
        child.wait()
        assert "APIConnectionError" in model.answer(prompt).error
    finally:
        child.kill()
        child.wait()
