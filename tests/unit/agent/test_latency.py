"""Replies that count later: the car drives on the plan before, and a busy model is not asked."""

from itertools import count

from drive_agent.agent.agent import Agent, AgentConfig
from drive_agent.agent.guard import GuardConfig
from drive_agent.types import Decision
from tests.unit.agent.replies import reply
from tests.unit.agent.test_agent import BROKEN, ROUTE, Scripted, packet


def drive(model: Scripted, ticks: int, latency_s: float | None, hold_s: float = 9.0) -> list[Decision]:
    """Ticks of 50 ms with a picture at every other one."""
    agent = Agent(model, AgentConfig(guard=GuardConfig(plan_hold_s=hold_s), latency_s=latency_s))
    agent.brief(ROUTE)
    return [agent.step(packet(tick, picture=tick % 2 == 0)) for tick in range(ticks)]


def test_a_reply_counts_when_its_time_has_come():
    model = Scripted(*(reply() for _ in range(3)))
    decisions = drive(model, 12, 0.2)
    asked = [tick for tick, decision in enumerate(decisions) if decision.reply is not None]
    assert asked == [0, 4, 8] and len(model.asked) == 3
    made_at = [None if decision.plan is None else decision.plan.time_us for decision in decisions]
    assert made_at == [None] * 4 + [0] * 4 + [200_000] * 4
    assert [decision.guard for decision in decisions] == ["no plan yet"] * 4 + [""] * 8


def test_a_latency_between_ticks_ends_at_the_next_one():
    decisions = drive(Scripted(*(reply() for _ in range(3))), 8, 0.12)
    assert [decision.plan is None for decision in decisions] == [True] * 3 + [False] * 5


def test_the_age_of_a_late_plan_counts_from_its_pictures():
    decisions = drive(Scripted(*(reply() for _ in range(3))), 8, 0.2, hold_s=0.1)
    assert [decision.guard for decision in decisions] == ["no plan yet"] * 4 + ["plan too old"] * 4


def test_a_broken_reply_that_comes_late_changes_nothing():
    decisions = drive(Scripted(reply(), BROKEN, reply()), 12, 0.2)
    assert decisions[4].plan_error is not None
    assert all(decision.plan is decisions[4].plan for decision in decisions[4:12])


def test_without_latency_every_picture_is_asked_about_at_once():
    model = Scripted(*(reply() for _ in range(4)))
    decisions = drive(model, 8, 0.0)
    assert len(model.asked) == 4
    assert [decision.plan is not None for decision in decisions] == [True] * 8


def test_measured_latency_is_what_the_call_took(monkeypatch):
    """By a clock that moves 130 ms whenever it is looked at."""
    clock = count(0.0, 0.13)
    monkeypatch.setattr("drive_agent.agent.agent.time.perf_counter", lambda: next(clock))
    decisions = drive(Scripted(*(reply() for _ in range(3))), 8, None)
    assert [decision.plan is None for decision in decisions] == [True] * 3 + [False] * 5
