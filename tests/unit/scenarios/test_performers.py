"""A performer that has a path drives along it, and stands for good when it has come to its end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from drive_agent.types import Truth
from scenarios.performers import Performer
from tests.unit.scenarios.test_director import Recorder

PATH = np.column_stack([np.arange(0.0, 31.0), np.zeros(31)])
SPEED_MPS = 3.0


def at(x_m: float, speed_mps: float = SPEED_MPS) -> Truth:
    """The performer is the only one there is, actor 5."""
    row = np.array([[x_m, 0.0, 0.0, 0.0, 0.0, speed_mps, 0.0, 0.0, 0.0, 0.0]])
    return Truth(0, 0, (5,), row, {}, {}, ())


def test_it_stands_at_the_end_of_its_path_and_does_not_turn_back():
    world = Recorder()
    rider = Performer(world, 5, (0.0, 0.0, 0.0, 0.0))
    rider.follow(PATH, SPEED_MPS)
    rider.step(at(10.0, speed_mps=1.0), {5: 0})
    assert not rider.arrived and world.notes[-1][2].throttle > 0.0
    rider.step(at(29.5), {5: 0})
    assert rider.arrived and world.notes[-1][2].brake == 1.0
    said = len(world.notes)
    rider.step(at(31.5, speed_mps=0.0), {5: 0})  # it has rolled on past the end
    assert rider.arrived and len(world.notes) == said
    rider.follow(PATH + (30.0, 0.0), SPEED_MPS)
    rider.step(at(31.5, speed_mps=0.0), {5: 0})
    assert not rider.arrived and world.notes[-1][2].throttle > 0.0


def test_who_is_slower_than_told_gets_more_throttle_until_the_speed_is_reached():
    world = Recorder()
    rider = Performer(world, 5, (0.0, 0.0, 0.0, 0.0))
    rider.follow(PATH, SPEED_MPS)
    throttles = []
    for tick, speed_mps in enumerate([2.5] * 20 + [SPEED_MPS] * 20 + [4.0] * 20):
        rider.step(replace(at(5.0, speed_mps), time_us=tick * 50_000), {5: 0})
        throttles.append(world.notes[-1][2].throttle)
    assert throttles[19] > throttles[0] + 0.1  # what drag takes is made up for
    assert throttles[20] == throttles[39] > at_speed(SPEED_MPS)  # and kept
    assert throttles[59] < throttles[39]


def at_speed(speed_mps: float) -> float:
    """The throttle of a fresh performer that drives as it is told."""
    world = Recorder()
    rider = Performer(world, 5, (0.0, 0.0, 0.0, 0.0))
    rider.follow(PATH, speed_mps)
    rider.step(at(5.0, speed_mps), {5: 0})
    return world.notes[-1][2].throttle
