"""Overlap of boxes, pushing apart, and the grid of static boxes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.sim.collision import (
    BODY,
    CONTACT,
    blocked_by,
    build_static_grid,
    collide_bodies,
    collide_static,
    overlap,
)

EMPTY = build_static_grid(np.zeros((0, 7)))
boxes = st.tuples(
    st.floats(-5, 5), st.floats(-5, 5), st.floats(0.1, 4), st.floats(0.1, 2), st.floats(-math.pi, math.pi)
)  # fmt: skip


def body(
    x: float = 0.0,
    y: float = 0.0,
    z: float = 0.75,
    yaw: float = 0.0,
    speed_x: float = 0.0,
    mass: float = 1500.0,
) -> np.ndarray:
    row = np.zeros(1, BODY)
    row["x"], row["y"], row["z"], row["yaw"], row["velocity_x"] = x, y, z, yaw, speed_x
    row["half_length"], row["half_width"], row["half_height"] = 2.3, 0.95, 0.75
    row["inverse_mass"], row["collisions"] = (1.0 / mass if mass else 0.0), 1
    return row


def corners(box: tuple[float, ...]) -> np.ndarray:
    x, y, length, width, yaw = box
    local = np.array([(length, width), (length, -width), (-length, -width), (-length, width)])
    turn = np.array([[math.cos(yaw), math.sin(yaw)], [-math.sin(yaw), math.cos(yaw)]])
    return local @ turn + (x, y)


@given(boxes, boxes)
def test_moving_apart_by_the_depth_ends_the_overlap(first: tuple, second: tuple) -> None:
    depth, nx, ny = overlap(*first, *second)
    if depth > 0.0:
        assert math.hypot(nx, ny) == pytest.approx(1.0)
        moved = (second[0] + nx * (depth + 1e-9), second[1] + ny * (depth + 1e-9), *second[2:])
        assert overlap(*first, *moved)[0] == 0.0


@given(boxes, boxes)
def test_overlap_agrees_with_projections_on_all_edge_normals(first: tuple, second: tuple) -> None:
    a, b = corners(first), corners(second)
    gaps = []
    for polygon in (a, b):
        for edge in np.diff(polygon, axis=0)[:2]:
            axis = np.array([-edge[1], edge[0]]) / np.hypot(*edge)
            gaps.append(max((b @ axis).min() - (a @ axis).max(), (a @ axis).min() - (b @ axis).max()))
    assert overlap(*first, *second)[0] == pytest.approx(max(0.0, -max(gaps)), abs=1e-9)


def test_a_rear_end_crash_shares_the_momentum() -> None:
    bodies = np.concatenate([body(speed_x=10.0), body(x=4.5)])
    contacts = np.zeros(8, CONTACT)
    assert collide_bodies(bodies, contacts, 0) == 1
    assert bodies["velocity_x"] == pytest.approx([5.0, 5.0])
    assert bodies["x"][1] - bodies["x"][0] == pytest.approx(4.6)
    assert contacts["impulse"][0] == pytest.approx(7500.0)


def test_a_body_without_mass_stands_like_a_wall() -> None:
    bodies = np.concatenate([body(speed_x=10.0), body(x=4.5, mass=0.0)])
    collide_bodies(bodies, np.zeros(8, CONTACT), 0)
    assert bodies["velocity_x"].tolist() == [0.0, 0.0]
    assert bodies["x"][1] == 4.5


@pytest.mark.parametrize("change", [{"z": 50.0}, {"collisions": 0}])
def test_height_and_the_collision_flag_are_respected(change: dict[str, float]) -> None:
    other = body(x=1.0)
    for name, value in change.items():
        other[name] = value
    assert collide_bodies(np.concatenate([body(), other]), np.zeros(8, CONTACT), 0) == 0


def test_spawning_into_something_is_noticed() -> None:
    assert blocked_by(body(x=4.0), body(), EMPTY)
    assert not blocked_by(body(x=5.0), body(), EMPTY)
    house = build_static_grid(np.array([[10.0, 0.0, 5.0, 4.0, 4.0, 5.0, 0.0]]))
    assert blocked_by(body(x=5.0), np.zeros(0, BODY), house)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.floats(-60, 60), st.floats(-60, 60), st.floats(0.2, 25), st.floats(0.2, 25), st.floats(-3, 3)
        ),
        max_size=12,
    )
)
def test_the_grid_finds_what_a_search_of_all_boxes_finds(placed: list[tuple]) -> None:
    rows = np.array([(x, y, 1.0, length, width, 1.0, yaw) for x, y, length, width, yaw in placed]).reshape(
        -1, 7
    )
    grid = build_static_grid(rows)
    car = body()
    car["collisions"] = 1
    expected = {
        index
        for index, row in enumerate(rows)
        if overlap(0.0, 0.0, 2.3, 0.95, 0.0, row[0], row[1], row[3], row[4], row[6])[0] > 0.0
    }
    contacts = np.zeros(64, CONTACT)
    count = collide_static(car, grid, contacts, 0)
    found = set(contacts["second"][:count].tolist())
    # the first contact moves the car: all it found were touched, and it found something where there was something
    assert bool(found) == bool(expected)
    if len(expected) == 1:
        assert found == expected


def spinning(row: np.ndarray, inertia: float = 2500.0) -> np.ndarray:
    row["inverse_inertia"] = 1.0 / inertia
    return row


def momentum(bodies: np.ndarray) -> tuple[float, float, float]:
    """Linear momentum, and angular momentum about the origin."""
    mass = 1.0 / bodies["inverse_mass"]
    px, py = mass * bodies["velocity_x"], mass * bodies["velocity_y"]
    turn = bodies["x"] * py - bodies["y"] * px + bodies["yaw_rate"] / bodies["inverse_inertia"]
    return float(px.sum()), float(py.sum()), float(turn.sum())


def test_a_hit_off_the_middle_turns_both() -> None:
    bodies = np.concatenate([spinning(body(speed_x=10.0)), spinning(body(x=4.59, y=1.0))])
    contacts = np.zeros(8, CONTACT)
    before = momentum(bodies)
    assert collide_bodies(bodies, contacts, 0) == 1
    # they share 0.9 m of their fronts, whose middle lies 0.5 m right of the first and left of the second
    impulse = 10.0 / (2 / 1500.0 + 2 * 0.5**2 / 2500.0)
    assert contacts["impulse"][0] == pytest.approx(impulse)
    assert bodies["yaw_rate"] == pytest.approx([0.5 * impulse / 2500.0, 0.5 * impulse / 2500.0])
    assert momentum(bodies) == pytest.approx(before, rel=0.01)


def test_a_hit_in_the_middle_turns_nobody() -> None:
    bodies = np.concatenate([spinning(body(speed_x=10.0)), spinning(body(x=4.5))])
    collide_bodies(bodies, np.zeros(8, CONTACT), 0)
    assert bodies["yaw_rate"] == pytest.approx([0.0, 0.0])


@given(st.floats(-3, 3), st.floats(-math.pi, math.pi), st.floats(-3, 3), st.floats(-10, 10))
def test_momentum_is_kept_and_the_approach_ends(
    offset: float, yaw: float, yaw_rate: float, speed: float
) -> None:
    other = spinning(body(x=3.0, y=offset, yaw=yaw, mass=900.0))
    other["yaw_rate"], other["velocity_y"] = yaw_rate, speed
    bodies, contacts = np.concatenate([spinning(body(speed_x=8.0)), other]), np.zeros(8, CONTACT)
    before, energy = momentum(bodies), kinetic_energy(bodies)
    places = bodies["x"].copy(), bodies["y"].copy()
    if collide_bodies(bodies, contacts, 0) == 0:
        return
    bodies["x"], bodies["y"] = places  # being pushed apart moves momentum's arm
    assert momentum(bodies)[:2] == pytest.approx(before[:2], abs=1e-6)
    assert momentum(bodies)[2] == pytest.approx(
        before[2], abs=2 * contacts["depth"][0] * contacts["impulse"][0] + 1e-6
    )
    assert kinetic_energy(bodies) <= energy + 1e-6


def kinetic_energy(bodies: np.ndarray) -> float:
    speed = bodies["velocity_x"] ** 2 + bodies["velocity_y"] ** 2
    moving = speed / bodies["inverse_mass"] + bodies["yaw_rate"] ** 2 / bodies["inverse_inertia"]
    return float(moving.sum()) / 2


def test_a_corner_that_meets_a_wall_turns_the_car_along_it() -> None:
    """A car turned to its right touches with its left front corner, which is held back: it turns left."""
    wall = build_static_grid(np.array([[12.2, 0.0, 5.0, 10.0, 0.5, 5.0, math.pi / 2]]))
    car = spinning(body(x=9.35, speed_x=10.0, yaw=0.3))
    contacts = np.zeros(8, CONTACT)
    assert collide_static(car, wall, contacts, 0) == 1
    arm = 0.95 * math.cos(0.3) - 2.3 * math.sin(0.3)  # the corner lies that far left of the middle
    impulse = 10.0 / (1 / 1500.0 + arm**2 / 2500.0)
    assert contacts["impulse"][0] == pytest.approx(impulse)
    assert car["yaw_rate"][0] == pytest.approx(-arm * impulse / 2500.0)
