"""In an area of other grip tyres have its friction, and their own again outside."""

import carla
import numpy as np
import pytest

from tests.client.conftest import Session
from tests.conformance.marker import conforms


def braking_way_m(session: Session, place: carla.Transform) -> float:
    """From 10 m/s to standing."""
    car = session.spawn("vehicle.lincoln.mkz_2020", place)
    forward = place.get_forward_vector()
    session.tick(10)
    car.set_target_velocity(carla.Vector3D(10.0 * forward.x, 10.0 * forward.y, 0.0))
    start = car.get_location()
    car.apply_control(carla.VehicleControl(brake=1.0))
    session.tick(400)
    assert car.get_velocity().length() < 0.1
    way_m = start.distance(car.get_location())
    car.destroy()
    session.tick()
    return way_m


@conforms("blueprint", "static.trigger.friction")
def test_a_slippery_area_lengthens_the_braking_way_until_it_is_destroyed(
    session: Session, spawn_point: carla.Transform
) -> None:
    dry_m = braking_way_m(session, spawn_point)
    area = session.spawn(
        "static.trigger.friction",
        spawn_point,
        friction=0.5,
        extent_x=20000.0,
        extent_y=20000.0,
        extent_z=20000.0,
    )
    wet_m = braking_way_m(session, spawn_point)
    area.destroy()
    assert wet_m > 2.0 * dry_m
    assert braking_way_m(session, spawn_point) == pytest.approx(dry_m, rel=0.02)


def test_an_area_ends_at_its_extents(session: Session, spawn_point: carla.Transform) -> None:
    dry_m = braking_way_m(session, spawn_point)
    aside = carla.Transform(spawn_point.location + carla.Location(z=50.0), spawn_point.rotation)
    session.spawn(
        "static.trigger.friction", aside, friction=0.5, extent_x=2000.0, extent_y=2000.0, extent_z=2000.0
    )
    assert np.isclose(braking_way_m(session, spawn_point), dry_m, rtol=0.02)
