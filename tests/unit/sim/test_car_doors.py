"""An open door stands in the way of others, on its own side, and a shut one does not."""

from __future__ import annotations

import carla
import numpy as np
import pytest

from drive_agent.doors import DOORS, FRONT_LEFT, FRONT_RIGHT, HALF_LENGTH_M, REAR_LEFT, open_door
from drive_agent.sim import bodies, collision
from drive_agent.sim.car_doors import bits, door_bodies
from drive_agent.sim.catalogue import VEHICLES
from drive_agent.sim.vehicle_dynamics import VEHICLE, new_vehicle

MODEL = next(model for model in VEHICLES if model.type_id == "vehicle.lincoln.mkz_2020")


def cars(*places: tuple[float, float, float], opened: int = 0) -> np.ndarray:
    """Cars at (x, y, yaw); the first has doors open."""
    rows = np.zeros(len(places), VEHICLE)
    rows[:] = new_vehicle(MODEL)
    rows["x"], rows["y"], rows["yaw"] = np.transpose(places)
    rows["open_doors"][0] = opened
    return rows


def touching(rows: np.ndarray) -> tuple[int, np.ndarray]:
    """Number of contacts, and the bodies after them."""
    doors, _ = door_bodies(rows)
    all_bodies = np.zeros(len(rows) + len(doors), collision.BODY)
    bodies.vehicle_bodies(rows, all_bodies[: len(rows)])
    all_bodies[len(rows) :] = doors
    return collision.collide_bodies(all_bodies, np.zeros(8, collision.CONTACT), 0), all_bodies


@pytest.mark.parametrize("yaw", [0.0, 1.0, -2.5])
@pytest.mark.parametrize("door", DOORS)
def test_a_door_touches_not_its_own_car(door: int, yaw: float) -> None:
    assert touching(cars((3.0, 4.0, yaw), opened=bits(door)))[0] == 0


def test_a_door_is_in_the_way_on_its_own_side_only() -> None:
    beside = (0.0, -2.5, 0.0)  # to the left in CARLA's axes: y points right
    assert touching(cars((0.0, 0.0, 0.0), beside))[0] == 0
    assert touching(cars((0.0, 0.0, 0.0), beside, opened=bits(FRONT_LEFT)))[0] == 1
    assert touching(cars((0.0, 0.0, 0.0), beside, opened=bits(FRONT_RIGHT)))[0] == 0


def test_who_hits_a_door_loses_speed_as_from_a_light_thing() -> None:
    rows = cars((0.0, 0.0, 0.0), (0.6 - 2.446, -2.2, 0.0), opened=bits(FRONT_LEFT))
    rows["forward_mps"][1] = 8.0
    count, after = touching(rows)
    assert count == 1
    assert 7.0 < after["velocity_x"][1] < 8.0


def test_doors_hinge_in_front_and_reach_a_metre_out() -> None:
    for door in (FRONT_LEFT, REAR_LEFT):
        ahead_m, left_m, turned_rad = open_door(door, 2.446, 0.918)
        tip = np.array([ahead_m, left_m]) + HALF_LENGTH_M * np.array([np.cos(turned_rad), np.sin(turned_rad)])
        hinge = 2 * np.array([ahead_m, left_m]) - tip
        assert hinge[0] > tip[0]
        assert 0.9 < tip[1] - 0.918 < 1.15
    right = open_door(FRONT_RIGHT, 2.446, 0.918)
    left = open_door(FRONT_LEFT, 2.446, 0.918)
    assert right == pytest.approx((left[0], -left[1], -left[2]))
    assert open_door(REAR_LEFT, 2.446, 0.918)[0] < left[0] - 2 * HALF_LENGTH_M


def test_clients_number_doors_the_same_way() -> None:
    names = (carla.VehicleDoor.FL, carla.VehicleDoor.FR, carla.VehicleDoor.RL, carla.VehicleDoor.RR)
    assert tuple(int(name) for name in names) == tuple(DOORS)
