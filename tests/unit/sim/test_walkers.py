"""Pedestrians walk as told, stop at once, follow the ground, jump, and fall when something hits them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from drive_agent.sim import bodies, collision
from drive_agent.sim.catalogue import VEHICLES, WALKERS
from drive_agent.sim.vehicle_dynamics import VEHICLE, new_vehicle
from drive_agent.sim.walkers import WALKER, new_walker, step_walkers
from tests.unit.sim.flat_ground import ground

LEVEL = ground()
TICK_S = 0.05
ADULT = WALKERS[0]


def walker(*, invincible: bool = True, **fields: object) -> np.ndarray:
    walkers = np.zeros(1, WALKER)
    walkers[0] = new_walker(ADULT, invincible=invincible)
    walkers["z"] = ADULT.half_extents_m[2]
    for name, value in fields.items():
        walkers[name] = value
    return walkers


def live(walkers: np.ndarray, seconds: float, grid=LEVEL) -> np.ndarray:
    for _ in range(round(seconds / TICK_S)):
        step_walkers(grid, walkers, TICK_S)
    return walkers[0]


def test_walks_at_the_speed_and_in_the_direction_of_its_control() -> None:
    now = live(walker(direction=(3.0, 4.0, 0.0), speed_mps=1.5), 2.0)
    assert (now["x"], now["y"]) == pytest.approx((1.8, 2.4))
    assert now["yaw"] == pytest.approx(math.atan2(4, 3))
    assert np.linalg.norm(now["velocity"]) == pytest.approx(1.5)


def test_stops_at_once_when_told() -> None:
    walkers = walker(direction=(1.0, 0.0, 0.0), speed_mps=3.0)
    live(walkers, 1.0)
    walkers["speed_mps"] = 0.0
    place = live(walkers, TICK_S)["x"]
    assert live(walkers, 1.0)["x"] == place
    assert not walkers["velocity"].any()


def test_follows_the_height_of_the_ground() -> None:
    now = live(walker(direction=(1.0, 0.0, 0.0), speed_mps=2.0), 5.0, ground(slope=0.1))
    assert now["z"] == pytest.approx(0.1 * now["x"] + ADULT.half_extents_m[2], abs=0.02)


def test_a_jump_rises_and_lands() -> None:
    walkers = walker(jump=1)
    heights = []
    for tick in range(30):
        walkers["jump"] = tick == 0
        step_walkers(LEVEL, walkers, TICK_S)
        heights.append(float(walkers["z"][0]) - ADULT.half_extents_m[2])
    assert 0.3 < max(heights) < 0.6
    assert heights[-1] == 0.0


def test_falls_to_the_ground_and_not_without_gravity() -> None:
    assert live(walker(z=5.0), 3.0)["z"] == pytest.approx(ADULT.half_extents_m[2])
    assert live(walker(z=5.0, gravity=0), 3.0)["z"] == 5.0


def test_one_that_is_parked_under_the_ground_stays_there() -> None:
    assert live(walker(z=-50.0), 2.0)["z"] == -50.0


def hit(walkers: np.ndarray, speed_mps: float) -> tuple[np.ndarray, np.ndarray]:
    """A car touches the walker from behind at this speed, along x; returns the bodies and the car."""
    cars = np.zeros(1, VEHICLE)
    cars[0] = new_vehicle(VEHICLES[0])
    cars["x"], cars["forward_mps"] = -VEHICLES[0].half_extents_m[0] - 0.15, speed_mps
    touching = np.zeros(2, collision.BODY)
    bodies.vehicle_bodies(cars, touching[:1])
    bodies.walker_bodies(walkers, touching[1:])
    assert collision.collide_bodies(touching, np.zeros(4, collision.CONTACT), 0) == 1
    bodies.apply_to_vehicles(touching[:1], cars)
    bodies.apply_to_walkers(touching[1:], walkers)
    return touching, cars


def test_a_car_throws_a_walker_over_and_it_slides_as_friction_says() -> None:
    walkers = walker()
    touching, cars = hit(walkers, 8.0)
    thrown = float(walkers["velocity"][0, 0])
    mass = VEHICLES[0].mass_kg
    assert thrown == pytest.approx(8.0 * mass / (mass + 75.0))
    assert touching["impulse_x"][1] == pytest.approx(75.0 * thrown)
    assert float(cars["forward_mps"][0]) == pytest.approx(thrown)
    start = float(walkers["x"][0])
    lying = live(walkers, 2.0)
    assert lying["x"] - start == pytest.approx(thrown**2 / (2 * 0.6 * 9.81), rel=0.08)
    assert (lying["fallen"], math.degrees(lying["pitch"])) == (1, pytest.approx(-86.0, abs=1.0))
    assert lying["z"] < 0.3


def test_a_shove_at_walking_pace_moves_it_without_a_fall() -> None:
    walkers = walker()
    hit(walkers, 1.5)
    assert walkers["fallen"][0] == 0
    assert walkers["x"][0] > 0.0


def test_one_that_cannot_be_hurt_gets_up_and_walks_on() -> None:
    walkers = walker(direction=(0.0, 1.0, 0.0), speed_mps=1.0)
    hit(walkers, 8.0)
    assert live(walkers, 3.0)["fallen"] == 1
    now = live(walkers, 3.0)
    assert (now["fallen"], now["pitch"]) == (0, 0.0)
    assert now["z"] == pytest.approx(ADULT.half_extents_m[2])
    assert now["velocity"][1] == pytest.approx(1.0)


def test_one_that_can_be_hurt_stays_where_it_lies() -> None:
    walkers = walker(invincible=False)
    hit(walkers, 8.0)
    assert live(walkers, 30.0)["fallen"] == 1


def test_one_who_lies_is_long_and_low() -> None:
    standing, lying = np.zeros(1, collision.BODY), np.zeros(1, collision.BODY)
    bodies.walker_bodies(walker(), standing)
    bodies.walker_bodies(walker(fallen=1), lying)
    assert (standing["half_height"][0], standing["half_length"][0]) == (0.93, 0.188)
    assert (lying["half_height"][0], lying["half_length"][0]) == (0.188, 0.93)
