from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.types import Plan
from replay.plans import colored_path, planned_speeds, stops

TIMES_S = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
PATH = np.column_stack([np.arange(1.0, 33.0), np.zeros(32)])


@given(speed=st.floats(0.0, 20.0))
def test_a_constant_speed_is_planned_everywhere(speed: float) -> None:
    speeds, reach = planned_speeds(Plan(0, PATH, TIMES_S, np.full(6, speed)), np.linspace(0, 50, 20))
    assert speeds == pytest.approx(np.full(20, speed))
    assert reach == pytest.approx(3 * speed)


def test_a_stop_ends_where_the_profile_ends() -> None:
    plan = Plan(0, PATH, TIMES_S, np.array([6.0, 4.0, 2.0, 0.0, 0.0, 0.0]))
    speeds, reach = planned_speeds(plan, np.array([0.0, reach_of(plan), 30.0]))
    assert reach == pytest.approx(3.0 + 2.5 + 1.5 + 0.5)
    assert speeds == pytest.approx([6.0, 0.0, 0.0])
    assert stops(plan)
    path, colors, reached = colored_path(plan, 1.0)
    assert len(path) == len(colors) == 32
    assert reached == 8  # points 0..7 of the path are within 7.5 m


def reach_of(plan: Plan) -> float:
    return planned_speeds(plan, np.array([0.0]))[1]
