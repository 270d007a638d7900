"""The agent between pictures: plans are held and tracked, broken replies are told, an old plan is not driven."""

import math
from dataclasses import replace

import numpy as np
import pytest

from drive_agent.agent.agent import IDLE, Agent, AgentConfig
from drive_agent.agent.guard import GuardConfig
from drive_agent.rig import CameraMount
from drive_agent.types import (
    Briefing,
    Command,
    Decision,
    LightState,
    Maneuver,
    Plan,
    PlanError,
    Prompt,
    Reply,
    SensorPacket,
)
from tests.unit.agent.replies import reply

TICK_US = 50_000
CAMERA = CameraMount("wide", 56, 28, math.radians(90), 2.0, 0.0, 1.6)
ROUTE = Briefing(np.array([[49.0, 8.0], [49.0, 8.005]]), (Maneuver.LANE_FOLLOW, Maneuver.LANE_FOLLOW))
BROKEN = Reply(text="I would rather not say")


class Scripted:
    """A model that gives prepared replies in order and keeps what it was asked."""

    name = "prepared"
    cameras = (CAMERA,)

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.asked: list[Prompt] = []

    def answer(self, prompt: Prompt) -> Reply:
        self.asked.append(prompt)
        return self._replies.pop(0)


def packet(tick: int, *, picture: bool) -> SensorPacket:
    images = {"wide": np.full((28, 56, 3), 90, np.uint8)} if picture else {}
    return SensorPacket(tick * TICK_US, 49.0, 8.0, 0.0, 0.0, 0.0, 4.0, images)


def drive(model: Scripted, ticks: int, *, every: int, hold_s: float = 1.0) -> list[Decision]:
    """Ticks with a picture every so many."""
    agent = Agent(model, AgentConfig(guard=GuardConfig(plan_hold_s=hold_s)))
    agent.brief(ROUTE)
    return [agent.step(packet(tick, picture=tick % every == 0)) for tick in range(ticks)]


def test_the_plan_is_held_and_tracked_between_pictures():
    model = Scripted(reply(), reply())
    decisions = drive(model, 8, every=4)
    assert len(model.asked) == 2
    assert [decision.reply is not None for decision in decisions] == [tick % 4 == 0 for tick in range(8)]
    assert all(decision.plan is decisions[0].plan for decision in decisions[:4])
    assert decisions[4].plan is not decisions[0].plan
    assert all(decision.guard == "" and decision.command.throttle > 0 for decision in decisions)
    assert all(decision.longitudinal.target == pytest.approx(5.0) for decision in decisions)


def test_a_decision_with_a_model_call_holds_all_that_was_said():
    first, second = drive(Scripted(reply()), 2, every=4)
    assert isinstance(first.plan, Plan) and first.frame is not None and first.prompt is not None
    assert first.scene is not None and first.scene.light == LightState.GREEN
    assert first.forecast is not None and first.forecast.positions_ego.shape == (1, 3, 2)
    assert {"frame", "model", "vision"} <= set(first.timings_ms)
    assert (second.frame, second.prompt, second.reply, second.scene) == (None, None, None, None)


def test_without_a_plan_the_car_stands():
    decision = drive(Scripted(BROKEN), 1, every=5)[0]
    assert decision.guard == "no plan yet" and decision.plan is None
    assert decision.command.throttle == 0.0 and decision.command.brake > 0
    assert isinstance(decision.plan_error, PlanError)


def test_a_broken_reply_is_told_and_the_last_plan_goes_on():
    decisions = drive(Scripted(reply(), BROKEN, reply(path_ego=np.zeros((1, 2)))), 12, every=4)
    errors = [decision.plan_error for decision in decisions if decision.plan_error is not None]
    assert len(errors) == 2 and "path_ego" in errors[0].reason and "(1, 2)" in errors[1].reason
    assert decisions[4].reply is BROKEN and decisions[4].scene is None
    assert all(decision.plan is decisions[0].plan and decision.guard == "" for decision in decisions)


def test_the_guard_stops_the_car_when_the_plan_is_too_old():
    decisions = drive(Scripted(reply(), BROKEN, BROKEN), 9, every=4, hold_s=0.25)
    rules = [decision.guard for decision in decisions]
    assert rules == [""] * 6 + ["plan too old"] * 3
    assert all(decision.command.throttle == 0.0 and decision.command.brake > 0 for decision in decisions[6:])


def test_a_new_route_forgets_the_old_plan():
    agent = Agent(Scripted(reply()), AgentConfig())
    agent.brief(ROUTE)
    assert agent.step(packet(0, picture=True)).plan is not None
    agent.brief(ROUTE)
    after = agent.step(packet(1, picture=False))
    assert after.plan is None and after.guard == "no plan yet"


def test_what_the_model_raises_is_not_hidden():
    class Failing(Scripted):
        def answer(self, prompt: Prompt) -> Reply:
            raise ValueError("the picture is upside down")

    with pytest.raises(ValueError, match="upside down"):
        drive(Failing(), 1, every=1)


@pytest.mark.parametrize("latency_s", [0.0, 0.1])
@pytest.mark.parametrize("fork", [1, 3, 4, 5, 6, 9])
def test_who_recalls_a_drive_goes_on_as_who_drove_it(fork, latency_s):
    config = AgentConfig(latency_s=latency_s)
    answers = [
        reply(
            path_ego=np.column_stack([np.arange(2.0, 42.0, 4.0), np.full(10, 0.3 * k)]),
            speed_probs=[0.25, 0.7, 0.05],
        )
        for k in range(4)
    ]
    first = Agent(Scripted(*answers), config)
    first.brief(ROUTE)
    packets = [packet(tick, picture=tick % 4 == 0) for tick in range(14)]
    decisions = [first.step(one) for one in packets]
    second = Agent(Scripted(*answers[-(-fork // 4) :]), config)
    second.brief(ROUTE)
    for one, decided in zip(packets[:fork], decisions[:fork], strict=True):
        second.recall(replace(one, images={}), decided)
    again = [second.step(one) for one in packets[fork:]]
    assert [d.command for d in again] == [d.command for d in decisions[fork:]]
    assert [d.lateral for d in again] == [d.lateral for d in decisions[fork:]]
    assert [d.ego for d in again] == [d.ego for d in decisions[fork:]]
    assert len({d.command for d in decisions}) > 4  # they differ from tick to tick


def test_who_recalls_somebody_elses_drive_holds_the_plan_of_then():
    agent = Agent(Scripted(reply()), AgentConfig())
    agent.brief(ROUTE)
    plan = Plan(2 * TICK_US, np.array([[1.0, 0.0], [30.0, 0.0]]), np.array([1.0, 2.0]), np.array([6.0, 6.0]))
    idle = Decision(Command(0.2, 0.0, 0.0), IDLE, IDLE, "", None)
    for tick in range(4):
        decided = idle if tick < 2 else replace(idle, plan=plan)
        agent.recall(packet(tick, picture=False), decided)
    decision = agent.step(packet(4, picture=False))
    assert decision.plan is plan and decision.command.throttle > 0 and not decision.guard
