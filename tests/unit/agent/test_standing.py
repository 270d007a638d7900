"""How long the car has stood is counted from the first look at which it stands."""

from dataclasses import replace

from drive_agent.agent.standing import Standing
from drive_agent.types import EgoState

START = EgoState(0, 10.0, 5.0, 0.0, 3.0, 0.0, 0.0, 50.0)


def test_how_long_the_car_has_stood():
    standing = Standing()
    states = [
        replace(START, time_us=k * 250_000, speed_mps=mps)
        for k, mps in enumerate((3.0, 0.1, 0.2, 0.0, 1.0, 0.1))
    ]
    assert [standing.for_s(state) for state in states] == [0.0, 0.0, 0.25, 0.5, 0.0, 0.0]
    assert standing.for_s(replace(states[1], time_us=0)) == 0.0  # another route
