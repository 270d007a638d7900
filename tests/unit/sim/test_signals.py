"""Cycles of the lights: one turn at a time, what users set, and who stands before which light."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.sim.catalogue import VEHICLES
from drive_agent.sim.opendrive import Controller
from drive_agent.sim.signal_sites import SignalSite, TriggerBox, local_trigger
from drive_agent.sim.signals import Signals, assign_lights
from drive_agent.sim.vehicle_dynamics import VEHICLE, new_vehicle
from drive_agent.sim.wire import LightState, Pose, RequestError

RED, YELLOW, GREEN = LightState.RED, LightState.YELLOW, LightState.GREEN


def light(name: str, junction: int = 1, yaw: float = 0.0) -> SignalSite:
    box = TriggerBox(x=-3.0, y=0.0, z=1.0, half_across=1.6, half_along=3.0, yaw_deg=yaw)
    return SignalSite(
        name, "traffic.traffic_light", Pose(0.0, 4.0, 0.0, 0.0, yaw - 90.0, 0.0), (box,), junction
    )


def crossing() -> Signals:
    """Two turns at junction 1, and a lonely light at junction 2."""
    sites = (light("n"), light("s"), light("e"), light("alone", 2))
    return Signals(sites, (Controller("c1", ("n", "s"), 1), Controller("c2", ("e",), 1)))


def run(signals: Signals, seconds: float) -> list[int]:
    for _ in range(round(seconds / 0.05)):
        signals.step(0.05)
    return signals.states.tolist()


def test_the_first_turn_is_green_then_yellow_then_all_red_then_the_next() -> None:
    signals = crossing()
    assert signals.states.tolist() == [GREEN, GREEN, RED, GREEN]
    assert run(signals, 9.9)[:3] == [GREEN, GREEN, RED]
    assert run(signals, 0.2)[:3] == [YELLOW, YELLOW, RED]
    assert run(signals, 3.0)[:3] == [RED, RED, RED]
    assert run(signals, 2.0)[:3] == [RED, RED, GREEN]
    assert run(signals, 15.0)[:3] == [GREEN, GREEN, RED]


@given(st.lists(st.floats(0.01, 7.0), max_size=60))
def test_two_turns_never_go_together(deltas: list[float]) -> None:
    signals = crossing()
    for delta in deltas:
        signals.step(delta)
        first, _, second, _ = signals.states.tolist()
        assert first == RED or second == RED


def test_groups_are_the_junctions() -> None:
    signals = crossing()
    assert signals.members(0) == [0, 1, 2]
    assert signals.members(3) == [3]


def test_a_frozen_group_keeps_state_and_time() -> None:
    signals = crossing()
    run(signals, 4.0)
    signals.freeze_all(frozen=True)
    signals.set_state(0, RED)
    assert run(signals, 60.0)[0] == RED
    assert signals.group_of(0)["elapsed_s"] == pytest.approx(4.0)
    signals.freeze_all(frozen=False)
    assert run(signals, 6.1)[0] == YELLOW


def test_durations_belong_to_the_turn() -> None:
    signals = crossing()
    signals.set_duration(0, GREEN, 1.0)
    assert run(signals, 1.05)[:2] == [YELLOW, YELLOW]


def test_durations_of_zero_do_not_hang() -> None:
    signals = crossing()
    for index in range(4):
        for state in (GREEN, YELLOW, RED):
            signals.set_duration(index, state, 0.0)
    signals.step(0.05)


@pytest.mark.parametrize("state", [-1, 5, "red", None])
def test_an_unknown_state_is_refused(state: object) -> None:
    with pytest.raises(RequestError, match="expected 0 red"):
        crossing().set_state(0, state)


def affected(x: float, y: float = 0.0, yaw: float = 0.0) -> int:
    signals = crossing()
    vehicles = np.zeros(1, VEHICLE)
    vehicles[0] = new_vehicle(VEHICLES[0])
    vehicles["x"], vehicles["y"], vehicles["yaw"] = x, y, yaw
    signals.table["actor"] = [11, 12, 13, 14]
    assign_lights(vehicles, signals.triggers, signals.table)
    return int(vehicles["light_id"][0])


def test_a_vehicle_before_the_line_has_its_light() -> None:
    assert affected(-4.0) == 11


@pytest.mark.parametrize(
    ("x", "y", "yaw"), [(1.0, 0.0, 0.0), (-9.0, 0.0, 0.0), (-4.0, 3.5, 0.0), (-4.0, 0.0, np.pi)]
)
def test_beyond_the_line_far_away_beside_or_against_it_has_none(x: float, y: float, yaw: float) -> None:
    assert affected(x, y, yaw) == 0


def test_the_trigger_lies_across_the_lanes_in_the_frame_of_the_light() -> None:
    center, extent = local_trigger(light("n"))
    assert center == pytest.approx((4.0, -3.0, 1.0))
    assert extent == (1.6, 3.0, 1.0)
