"""Props stand, fall, slide and are driven over, as their physics and their size say."""

from __future__ import annotations

import numpy as np
import pytest

from drive_agent.sim import bodies, collision
from drive_agent.sim.catalogue import VEHICLES
from drive_agent.sim.catalogue_props import PROPS, shape_of
from drive_agent.sim.props import PROP, new_prop, step_props
from drive_agent.sim.vehicle_dynamics import VEHICLE, new_vehicle
from tests.unit.sim.flat_ground import ground

LEVEL = ground()
TICK_S = 0.05
MODELS = {model.type_id.removeprefix("static.prop."): model for model in PROPS}


def prop(name: str, **fields: object) -> np.ndarray:
    props = np.zeros(1, PROP)
    props[0] = new_prop(MODELS[name])
    for field, value in fields.items():
        props[field] = value
    return props


def live(props: np.ndarray, seconds: float) -> np.ndarray:
    for _ in range(round(seconds / TICK_S)):
        step_props(LEVEL, props, TICK_S)
    return props[0]


def test_a_loose_prop_falls_to_the_ground_and_a_fixed_one_stays_where_it_was_put() -> None:
    assert live(prop("constructioncone", z=2.0), 2.0)["z"] == 0.0
    assert live(prop("vendingmachine", z=2.0), 2.0)["z"] == 2.0
    assert live(prop("vendingmachine", z=2.0, simulate_physics=1), 2.0)["z"] == 0.0
    assert live(prop("constructioncone", z=2.0, gravity=0), 2.0)["z"] == 2.0


def test_a_sliding_prop_comes_to_rest_as_friction_says() -> None:
    now = live(prop("box01", velocity=(6.0, 0.0, 0.0), yaw_rate=4.0), 3.0)
    assert now["x"] == pytest.approx(36 / (2 * 0.6 * 9.81), rel=0.1)
    assert not now["velocity"].any()
    assert now["yaw"] == pytest.approx(16 / (2 * 8.0), rel=0.2)


def drive_into(props: np.ndarray, speed_mps: float = 10.0) -> tuple[int, np.ndarray]:
    cars = np.zeros(1, VEHICLE)
    cars[0] = new_vehicle(VEHICLES[0])
    cars["x"], cars["forward_mps"] = -VEHICLES[0].half_extents_m[0], speed_mps
    touching = np.zeros(2, collision.BODY)
    bodies.vehicle_bodies(cars, touching[:1])
    bodies.prop_bodies(props, touching[1:])
    count = collision.collide_bodies(touching, np.zeros(4, collision.CONTACT), 0)
    bodies.apply_to_vehicles(touching[:1], cars)
    bodies.apply_to_props(touching[1:], props)
    return count, cars


def test_a_cone_is_knocked_away_and_hardly_slows_the_car() -> None:
    cone = prop("constructioncone")
    count, cars = drive_into(cone)
    assert count == 1
    assert cone["velocity"][0, 0] == pytest.approx(10.0, abs=0.1)
    assert cars["forward_mps"][0] > 9.9


def test_a_vending_machine_without_physics_stops_it_dead() -> None:
    count, cars = drive_into(prop("vendingmachine"))
    assert (count, float(cars["forward_mps"][0])) == (1, 0.0)


@pytest.mark.parametrize("name", ["dirtdebris01", "dirtdebris02", "brokentile01", "ironplank"])
def test_what_lies_flat_on_the_road_is_driven_over(name: str) -> None:
    count, cars = drive_into(prop(name))
    assert (count, float(cars["forward_mps"][0])) == (0, 10.0)


def test_a_mesh_takes_the_shape_of_the_car_that_its_path_names() -> None:
    path = "/Game/Carla/Static/Car/4Wheeled/ParkedVehicles/TeslaM3/SM_TeslaM3_parked.SM_TeslaM3_parked"
    shape = shape_of(MODELS["mesh"], {"mesh_path": path, "scale": "0.9"})
    assert (shape.look, shape.label) == ("vehicle.tesla.model3", 14)
    assert shape.model.half_extents_m == pytest.approx((0.9 * 2.396, 0.9 * 1.082, 0.9 * 0.744))
    plain = shape_of(MODELS["mesh"], {"mesh_path": "/Game/Nothing", "scale": "2.0", "mass": "7"})
    assert (plain.look, plain.model.mass_kg) == ("static.prop.mesh", 7.0)
    assert plain.model.half_extents_m == (1.0, 1.0, 1.0)
