"""A model asked again on the inputs of a log."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drive_agent.agent.agent import Agent, AgentConfig
from drive_agent.ask import Edit, ask_all, ask_at, edited
from drive_agent.log.schema import Outcome
from drive_agent.log.store import Episode, EpisodeWriter
from drive_agent.models.base import load_model
from drive_agent.rig import CameraMount
from drive_agent.types import Briefing, LightState, Maneuver, Prompt, Reply, SensorPacket
from tests.unit.agent.replies import reply
from tests.worlds import TICK_US, header, straight_route, street, truth

ROUTE = Briefing(np.array([[49.0, 8.0], [49.0, 8.005]]), (Maneuver.LANE_FOLLOW, Maneuver.LANE_FOLLOW))


class Cautious:
    """Sees red and stands, whatever it is asked."""

    name = "cautious"

    def __init__(self, cameras: tuple[CameraMount, ...]) -> None:
        self.cameras = cameras
        self.asked: list[Prompt] = []

    def answer(self, prompt: Prompt) -> Reply:
        self.asked.append(prompt)
        return reply(speed_probs=[1.0, 0.0, 0.0], light_probs=[0.0, 1.0, 0.0, 0.0])


@pytest.fixture(scope="module")
def model():
    return load_model("embedded")


@pytest.fixture(scope="module")
def log(model, tmp_path_factory) -> Path:
    """Two seconds of the embedded model looking at noise."""
    path = tmp_path_factory.mktemp("ask") / "log.mcap"
    agent, rng = Agent(model, AgentConfig()), np.random.default_rng(3)
    agent.brief(ROUTE)
    with EpisodeWriter(path, header(straight_route(60)), street(100)) as writer:
        for tick in range(40):
            images = {
                mount.name: rng.integers(0, 256, (mount.height, mount.width, 3), dtype=np.uint8)
                for mount in model.cameras
                if tick % 5 == 0
            }
            packet = SensorPacket(tick * TICK_US, 49.0, 8.0, 0.0, 0.0, 0.0, 4.0, images)
            writer.write(truth(tick, 0.2 * tick, speed_mps=4.0), agent.step(packet))
        writer.finish(Outcome("Completed", "", 1.0, 2.0))
    return path


@pytest.fixture
def agent(model) -> Agent:
    return Agent(model, AgentConfig())


def test_asked_the_same_it_says_the_same_to_the_last_bit(log, agent):
    with Episode.open(log) as episode:
        answers = list(ask_all(episode, agent, Edit(), same_model=True))
    assert len(answers) == 8 and [round(one.time_s, 2) for one in answers] == [0.25 * k for k in range(8)]
    assert all(one.identical and not one.decided_otherwise and one.path_m == 0.0 for one in answers)


def test_another_model_is_asked_about_the_same_frame(log, model):
    cautious = Cautious(model.cameras)
    with Episode.open(log) as episode:
        one = ask_at(episode, Agent(cautious, AgentConfig()), 1.1, Edit(), same_model=False)
        then = ask_at(episode, Agent(model, AgentConfig()), 1.1, Edit(), same_model=True)
    assert one.time_s == 1.0 and not one.identical and one.lights[1] is LightState.RED
    assert [image.jpeg for image in cautious.asked[0].images] == [image.jpeg for image in then.prompt.images]
    assert cautious.asked[0].messages == then.prompt.messages
    assert one.speed_mps == pytest.approx(0.0 - one.then.plan.speeds_mps[-1], abs=0.2)


def test_cameras_can_be_taken_away(log, agent):
    with Episode.open(log) as episode:
        one = ask_at(episode, agent, 1.0, Edit(without=("wide",)), same_model=True)
        with pytest.raises(ValueError, match="without=rear: the prompt has pictures of"):
            ask_at(episode, agent, 1.0, Edit(without=("rear",)), same_model=True)
    shown = {image.name: image.rgb.max() for image in one.prompt.images}
    assert shown["wide"] == 0 and shown["narrow"] > 0 and not one.identical


def test_numbers_and_words_can_be_changed(log, agent):
    with Episode.open(log) as episode:
        one = ask_at(
            episode, agent, 1.0, Edit(speed_mps=0.0, maneuver=Maneuver.LEFT, maneuver_m=5.0), same_model=True
        )
        worded = edited(one.prompt, Edit(text="What now?"))
    words = one.prompt.messages[0]["content"][-1]["text"]
    assert "Own speed 0.0 m/s" in words and "turn left in 5 m" in words and not one.identical
    assert worded.messages[0]["content"][-1]["text"] == "What now?" and worded.state == one.prompt.state
    assert worded.messages[0]["content"][:-1] == one.prompt.messages[0]["content"][:-1]


@pytest.mark.parametrize("at_s", [-1.0, 2.5])
def test_times_outside_of_the_drive_are_refused(log, agent, at_s):
    with Episode.open(log) as episode, pytest.raises(ValueError, match="lasts 1.95 s"):
        ask_at(episode, agent, at_s, Edit(), same_model=True)


def test_a_drive_without_questions_says_so(agent, tmp_path):
    with EpisodeWriter(tmp_path / "log.mcap", header(straight_route(60)), street(100)) as writer:
        writer.write(truth(0, 0.0), None)
    with Episode.open(tmp_path / "log.mcap") as episode, pytest.raises(ValueError, match="no question"):
        list(ask_all(episode, agent, Edit(), same_model=True))
