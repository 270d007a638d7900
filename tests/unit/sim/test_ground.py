"""Vehicles on the ground and above it: standing, falling, flying, buried."""

from __future__ import annotations

import math

import numpy as np
import pytest

from drive_agent.sim.catalogue import VEHICLES
from drive_agent.sim.ground import settle_vehicles
from drive_agent.sim.vehicle_dynamics import VEHICLE, new_vehicle
from tests.unit.sim.flat_ground import ground

TICK_S = 0.05


def car(**fields: float) -> np.ndarray:
    vehicles = np.zeros(1, VEHICLE)
    vehicles[0] = new_vehicle(VEHICLES[0])
    for name, value in fields.items():
        vehicles[name] = value
    return vehicles


def settle(vehicles: np.ndarray, seconds: float, slope: float = 0.0) -> np.ndarray:
    town = ground(slope)
    for _ in range(round(seconds / TICK_S)):
        settle_vehicles(town, vehicles, TICK_S)
    return vehicles[0]


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0.0, 5.71, 0.0), (math.pi, -5.71, 0.0), (math.pi / 2, 0.0, 5.71)]
)
def test_a_car_lies_on_the_slope(yaw: float, pitch: float, roll: float) -> None:
    now = settle(car(yaw=yaw, x=10.0, z=1.0), 1.0, slope=0.1)
    assert (math.degrees(now["pitch"]), math.degrees(now["roll"])) == pytest.approx((pitch, roll), abs=0.01)
    assert now["z"] == pytest.approx(1.0)
    assert now["speed_limit_kmh"] == 50.0


def test_the_body_moves_on_top_of_the_slope() -> None:
    now = settle(car(squat=0.01, sway=-0.02), 0.1, slope=0.1)
    assert now["pitch"] == pytest.approx(math.atan(0.1) + 0.01)
    assert now["roll"] == pytest.approx(-0.02)


def test_a_fall_takes_as_long_as_falls_do() -> None:
    vehicles, ticks = car(z=4.9), 0
    while vehicles["grounded"][0] == 0:
        settle(vehicles, TICK_S)
        ticks += 1
    assert ticks * TICK_S == pytest.approx(1.0, abs=0.06)
    assert vehicles["z"][0] == 0.0


def test_an_impulse_upwards_lifts_a_car_off() -> None:
    vehicles = car(grounded=1)
    vehicles["vertical_mps"], vehicles["grounded"] = 4.0, 0
    heights = []
    for _ in range(30):
        settle(vehicles, TICK_S)
        heights.append(float(vehicles["z"][0]))
    assert max(heights) == pytest.approx(16 / (2 * 9.81), rel=0.15)
    assert heights[-1] == 0.0


def test_without_gravity_a_car_floats_on_as_it_moves() -> None:
    assert settle(car(z=3.0, gravity=0), 2.0)["z"] == 3.0
    assert settle(car(z=3.0, gravity=0, vertical_mps=1.0), 2.0)["z"] == pytest.approx(5.0)


def test_one_that_is_parked_under_the_ground_stays_there() -> None:
    assert settle(car(z=-50.0), 2.0)["z"] == -50.0
    assert settle(car(z=-50.0, simulate_physics=0), 2.0)["z"] == -50.0
