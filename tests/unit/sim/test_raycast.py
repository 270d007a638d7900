"""Rays meet the nearest box or the ground, at the right distance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.sim.collision import BODY, build_static_grid
from drive_agent.sim.ground import SAMPLE, GroundGrid
from drive_agent.sim.raycast import GROUND, HIT, NOTHING, cast_rays

NO_GROUND = GroundGrid(np.zeros(0, SAMPLE), np.zeros(2, np.int64), 0.0, 0.0, 1, 1)


def cast(
    direction: tuple[float, float, float], boxes: np.ndarray, bodies: np.ndarray | None = None, origin=(0.0, 0.0, 1.0),
    skip: int = -1, reach: float = 100.0,
) -> np.void:  # fmt: skip
    hits = np.zeros(1, HIT)
    unit = np.array([direction]) / np.linalg.norm(direction)
    rows = np.zeros(0, BODY) if bodies is None else bodies
    cast_rays(
        np.array(origin), unit, reach, rows, skip, build_static_grid(boxes), NO_GROUND, True, True, 0.0, hits
    )
    return hits[0]


def box(x: float, y: float, yaw: float = 0.0, half: float = 1.0) -> list[float]:
    return [x, y, 1.0, half, half, 1.0, yaw]


def test_a_ray_stops_at_the_face_of_the_nearest_box() -> None:
    hit = cast((1, 0, 0), np.array([box(60.0, 0.0), box(30.0, 0.0)]))
    assert (hit["distance"], hit["target"], hit["cos_incidence"]) == (29.0, 1, 1.0)


def test_a_turned_box_is_met_at_its_corner() -> None:
    hit = cast((1, 0, 0), np.array([box(20.0, 0.0, yaw=math.pi / 4)]))
    assert hit["distance"] == pytest.approx(20.0 - math.sqrt(2.0), abs=1e-6)


def test_beyond_the_reach_there_is_nothing() -> None:
    assert cast((1, 0, 0), np.array([box(60.0, 0.0)]), reach=40.0)["target"] == NOTHING


def test_a_falling_ray_meets_the_ground() -> None:
    hit = cast((1, 0, -1), np.zeros((0, 7)))
    assert hit["target"] == GROUND
    assert hit["distance"] == pytest.approx(math.sqrt(2.0))


def test_the_carrier_of_the_sensor_is_not_seen() -> None:
    bodies = np.zeros(2, BODY)
    bodies["x"], bodies["z"] = (0.0, 10.0), 1.0
    bodies["half_length"], bodies["half_width"], bodies["half_height"] = 2.0, 1.0, 1.0
    hit = cast((1, 0, 0), np.zeros((0, 7)), bodies, origin=(-5.0, 0.0, 1.0), skip=0)
    assert (hit["target"], hit["distance"]) == (1, 13.0)


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(st.floats(-90, 90), st.floats(-90, 90), st.floats(-3, 3), st.floats(0.2, 12)),
        min_size=1,
        max_size=15,
    ),
    st.floats(-math.pi, math.pi),
)
def test_the_walk_through_the_grid_misses_nothing(placed: list[tuple], heading: float) -> None:
    boxes = np.array([box(*p) for p in placed])
    direction = (math.cos(heading), math.sin(heading), 0.0)
    alone = [float(cast(direction, boxes[i : i + 1])["distance"]) for i in range(len(boxes))]
    assert cast(direction, boxes)["distance"] == pytest.approx(min(alone))
