"""A served model against servers that work, dawdle, hang up, fail and babble: the car stops and the log says why."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from drive_agent.agent.agent import Agent, AgentConfig
from drive_agent.agent.dialogue import Stock
from drive_agent.agent.guard import GuardConfig
from drive_agent.models.serve import Endpoint
from drive_agent.models.served import ServedModel, ServerMissingError
from drive_agent.models.settings import ServedConfig, WordsConfig
from drive_agent.rig import CameraMount
from drive_agent.types import Briefing, CameraImage, Maneuver, Plan, Prompt, Reply, SensorPacket

CAMERA = CameraMount("front", 300, 200, math.radians(70), 1.7, 0.0, 1.5)
WORDS = WordsConfig(scene=False, picture_tokens=40)
STRAIGHT = "Here is the planning trajectory [PT" + "".join(
    f", (+{2 * k:.2f}, +0.00, +0.00)" for k in range(1, 9)
) + "]."  # fmt: skip
ROUTE = Briefing(np.array([[49.0, 8.0], [49.0, 8.005]]), (Maneuver.LANE_FOLLOW, Maneuver.LANE_FOLLOW))


class Straight:
    """Goes straight on, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Prompt, str, int]] = []
        self.gate, self.reached = threading.Event(), threading.Event()
        self.gate.set()

    def complete(self, prompt: Prompt, begun: str, think_tokens: int, answer_tokens: int) -> Reply:
        self.reached.set()
        assert self.gate.wait(20)
        if answer_tokens > 1:  # not the question whether it is ready
            self.asked.append((prompt, begun, answer_tokens))
        return Reply(text=STRAIGHT, tokens=160, prompt_tokens=90)


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    host, port = server.server_address[:2]
    try:
        yield f"http://{host!s}:{port}/v1"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def serving(model: Straight, waiting: int = 4) -> Iterator[str]:
    with running(Endpoint(("127.0.0.1", 0), model, "straight", waiting)) as url:
        yield url


Fault = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def faulty(fault: Fault) -> Iterator[str]:
    """A server that knows its model and then does something wrong with every question."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            say(self, 200, b'{"object": "list", "data": [{"id": "straight", "object": "model"}]}')

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if body["max_tokens"] > 1:
                fault(self)
            else:  # asked whether it is ready
                say(self, 200, b'{"choices": [{"message": {"content": "y"}}]}')

        def log_message(self, format: str, *args: object) -> None:
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        yield url


def say(handler: BaseHTTPRequestHandler, status: int, data: bytes, kind: str = "application/json") -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def connect(url: str, words: WordsConfig = WORDS, timeout_s: float = 5.0, retries: int = 0) -> ServedModel:
    return ServedModel.connect((CAMERA,), words, ServedConfig(url, timeout_s=timeout_s, retries=retries))


def packet(tick: int, picture: bool) -> SensorPacket:
    images = {"front": np.full((200, 300, 3), 90, np.uint8)} if picture else {}
    return SensorPacket(tick * 50_000, 49.0, 8.0, 0.0, 0.0, 0.0, 4.0, images)


def agent_with(model: ServedModel) -> Agent:
    config = AgentConfig(guard=GuardConfig(plan_hold_s=0.3))
    agent = Agent(model, config, Stock((CAMERA,), WORDS.picture_tokens, scene=False))
    agent.brief(ROUTE)
    return agent


def test_a_question_arrives_whole_and_the_answer_drives():
    model = Straight()
    with serving(model) as url:
        decision = agent_with(connect(url)).step(packet(0, picture=True))
    assert isinstance(decision.plan, Plan) and decision.guard == ""
    assert decision.longitudinal.target == pytest.approx(4.0) and decision.command.brake == 0.0
    assert decision.reply is not None and (decision.reply.tokens, decision.reply.prompt_tokens) == (160, 90)
    assert "served" in decision.timings_ms
    [(asked, begun, tokens)] = model.asked
    assert decision.prompt is not None and asked.pattern == decision.prompt.pattern
    assert asked.messages == decision.prompt.messages
    assert begun == "<think>\n\n</think>\n\n" and tokens == WORDS.answer_tokens
    assert asked.images[0].rgb.shape == (140, 196, 3)  # 40 tokens at most


def test_a_picture_of_the_right_size_goes_as_it_is_logged():
    model = Straight()
    rgb = np.random.default_rng(0).integers(0, 255, (140, 196, 3), dtype=np.uint8)
    jpeg = cv2.imencode(".jpg", rgb)[1].tobytes()
    image = CameraImage("front", 0, rgb, jpeg)
    with serving(model) as url:
        client = connect(url)
        ask = Prompt(({"role": "user", "content": [{"type": "image"}]},), (image,), (None,), _state())
        client.answer(ask)
    assert model.asked[0][0].images[0].jpeg == jpeg


def test_thought_has_a_budget_in_the_form():
    model = Straight()
    with serving(model) as url:
        connect(url, WordsConfig(think_tokens=50)).answer(_words_only("how?", "yes|no"))
    asked, begun, _ = model.asked[0]
    assert begun == "" and asked.pattern == r"<think>[^<]{0,200}</think>\n\n(?:yes|no)"


SLOW_S = 1.0
FAULTS: dict[str, tuple[Fault, str]] = {
    "slow": (lambda handler: time.sleep(SLOW_S), "APITimeoutError"),
    "dropped": (lambda handler: handler.connection.close(), "APIConnectionError"),
    "broken": (
        lambda handler: say(handler, 500, b'{"error": {"message": "CUDA out of memory"}}'),
        "out of memory",
    ),
    "refused": (
        lambda handler: say(handler, 404, b'{"error": {"message": "no such model"}}'),
        "no such model",
    ),
    "garbage": (lambda handler: say(handler, 200, b"\x00\xff<<<"), "Error"),
    "a page": (lambda handler: say(handler, 200, b"<html>hi</html>", "text/html"), "Error"),
    "no choices": (lambda handler: say(handler, 200, b'{"id": "x", "choices": []}'), "Error"),
    "nothing": (
        lambda handler: say(handler, 200, b'{"choices": [{"message": {"content": null}}]}'),
        "no text",
    ),
    "a refusal": (
        lambda handler: say(handler, 200, b'{"choices": [{"message": {"content": "I cannot drive."}}]}'),
        "0 waypoints in 'I cannot drive.'",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_car_stops_and_the_log_says_why(name):
    """A good plan first; then the server fails: the plan is held, and after its time the car brakes."""
    fault, told = FAULTS[name]
    with serving(Straight()) as good, faulty(fault) as bad:
        agent = agent_with(connect(good))
        decisions = [agent.step(packet(0, picture=True))]
        agent.model = connect(bad)
        if name == "slow":  # patient at the start alone, since a busy machine is slow too
            agent.model._client = agent.model._client.with_options(timeout=0.2)
        decisions += [agent.step(packet(tick, picture=tick % 5 == 0)) for tick in range(1, 11)]
    errors = [decision.plan_error.reason for decision in decisions if decision.plan_error is not None]
    assert len(errors) == 2 and all(told in error and "\n" not in error for error in errors), errors
    assert [decision.guard for decision in decisions] == [""] * 7 + ["plan too old"] * 4
    assert all(decision.command.throttle == 0 and decision.command.brake > 0 for decision in decisions[7:])


def test_a_hiccup_is_asked_again():
    tries: list[float] = []

    def fault(handler: BaseHTTPRequestHandler) -> None:
        tries.append(time.monotonic())
        if len(tries) == 1:
            say(handler, 500, b"{}")
        else:
            say(handler, 200, b'{"choices": [{"message": {"content": "here I am"}}]}')

    with faulty(fault) as url:
        assert connect(url, retries=1).answer(_words_only("there?")).text == "here I am"
    assert len(tries) == 2


def test_who_comes_to_a_full_queue_is_told_to_come_again():
    model = Straight()
    with serving(model, waiting=0) as url:
        first, second = connect(url), connect(url)
        model.gate.clear()
        model.reached.clear()
        replies: list[Reply] = []
        busy = threading.Thread(target=lambda: replies.append(first.answer(_words_only("one"))))
        busy.start()
        assert model.reached.wait(20)
        late = second.answer(_words_only("two"))
        model.gate.set()
        busy.join()
    assert "too many questions wait" in late.error and replies[0].text == STRAIGHT


def test_several_clients_share_one_model():
    model = Straight()
    with serving(model) as url:
        clients = [connect(url) for _ in range(4)]
        replies: list[Reply] = []
        threads = [
            threading.Thread(target=lambda c=c, k=k: replies.append(c.answer(_words_only(f"{k}"))))
            for k, c in enumerate(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [reply.text for reply in replies] == [STRAIGHT] * 4
    assert sorted(asked.messages[0]["content"] for asked, _, _ in model.asked) == ["0", "1", "2", "3"]


def test_without_a_server_the_start_says_how_to_get_one():
    with pytest.raises(ServerMissingError, match="drive-agent serve"):
        connect("http://127.0.0.1:9/v1")
    with (
        serving(Straight()) as url,
        pytest.raises(ServerMissingError, match="'crooked'.*expected 'straight'"),
    ):
        ServedModel.connect((CAMERA,), WORDS, ServedConfig(url, "crooked"))


class _Plain(BaseHTTPRequestHandler):
    """Knows no field but OpenAI's and cannot tell its models, as some servers do; keeps the bodies it was sent."""

    bodies: list[dict] = []

    def do_GET(self) -> None:
        say(self, 500, b"Internal Server Error", "text/plain")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.bodies.append(body)
        unknown = sorted(set(body) - {"model", "messages", "max_tokens", "temperature"})
        if unknown:
            say(self, 422, json.dumps({"detail": f"Unexpected fields in the request: {unknown}"}).encode())
        else:
            say(self, 200, json.dumps({"choices": [{"message": {"content": STRAIGHT}}]}).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_server_that_knows_openais_fields_alone():
    """It is refused at the start with the remedy; asked in its dialect it drives."""
    with running(ThreadingHTTPServer(("127.0.0.1", 0), _Plain)) as url:
        with pytest.raises(ServerMissingError, match="no OpenAI-compatible server"):
            connect(url)
        with pytest.raises(ServerMissingError, match="Unexpected fields.*structured_outputs.*dialect=openai"):
            ServedModel.connect((CAMERA,), WORDS, ServedConfig(url, "plain", retries=0))
        model = ServedModel.connect((CAMERA,), WORDS, ServedConfig(url, "plain", dialect="openai", retries=0))
        decision = agent_with(model).step(packet(0, picture=True))
    assert decision.plan_error is None and decision.longitudinal.target == pytest.approx(4.0)
    assert _Plain.bodies[-1]["messages"][-1]["role"] == "user"  # the answer is not begun


def _state():
    from drive_agent.models.serve import NOWHERE

    return NOWHERE


def _words_only(text: str, pattern: str = "") -> Prompt:
    return Prompt(({"role": "user", "content": text},), (), (), _state(), pattern)
