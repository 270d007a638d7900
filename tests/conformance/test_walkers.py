"""Walkers: they go where they are told, and have no skeleton."""

from __future__ import annotations

import carla
import pytest

from tests.client.conftest import DELTA_S, Session
from tests.conformance.marker import conforms
from tests.conformance.raw import RawClient


@pytest.fixture
def walker(session: Session, spawn_point: carla.Transform) -> carla.Walker:
    """A walker who stands on a straight street."""
    place = carla.Transform(spawn_point.location + carla.Location(z=1.0), spawn_point.rotation)
    actor = session.spawn("walker.pedestrian.0001", place)
    session.tick(20)
    return actor


@conforms("RPC", "apply_control_to_walker")
def test_a_walker_walks_at_the_speed_asked_for(
    session: Session, walker: carla.Walker, spawn_point: carla.Transform
) -> None:
    direction, place = spawn_point.get_forward_vector(), walker.get_location()
    walker.apply_control(carla.WalkerControl(direction, 1.5))
    session.tick(20)
    moved = walker.get_location() - place
    assert carla.Vector3D(moved.x, moved.y, 0.0).dot(direction) == pytest.approx(1.5, rel=0.05)
    walker.apply_control(carla.WalkerControl(carla.Vector3D(1.0, 0.0, 0.0), 0.0))
    session.tick(5)
    assert walker.get_velocity().length() < 0.05


@conforms("RPC", "apply_control_to_walker")
def test_a_walker_jumps_and_lands(session: Session, walker: carla.Walker) -> None:
    ground = walker.get_location().z
    walker.apply_control(carla.WalkerControl(carla.Vector3D(1.0, 0.0, 0.0), 0.0, True))
    heights = []
    for index in range(40):
        session.tick()
        if index == 0:
            walker.apply_control(carla.WalkerControl(carla.Vector3D(1.0, 0.0, 0.0), 0.0, False))
        heights.append(walker.get_location().z - ground)
    assert 0.2 < max(heights) < 1.0
    assert heights[-1] == pytest.approx(0.0, abs=0.02)


@conforms("snapshot", "walker")
def test_the_snapshot_has_the_walkers_control(session: Session, walker: carla.Walker) -> None:
    walker.apply_control(carla.WalkerControl(carla.Vector3D(0.6, 0.8, 0.0), 1.25))
    session.tick(2)
    control = walker.get_control()
    assert (control.direction.x, control.direction.y) == pytest.approx((0.6, 0.8))
    assert (control.speed, control.jump) == (1.25, False)
    assert walker.get_velocity().length() == pytest.approx(1.25, rel=0.02)
    assert walker.get_velocity().x * DELTA_S == pytest.approx(0.6 * 1.25 * DELTA_S, rel=0.05)


@conforms(
    "RPC", "get_bones_transform", "set_bones_transform", "blend_pose", "get_pose_from_animation",
    refused="walkers have no skeleton: their legs follow the ground they cover",
)  # fmt: skip
def test_walkers_have_no_skeleton(session: Session, walker: carla.Walker, raw: RawClient) -> None:
    with pytest.raises(RuntimeError, match="no skeleton"):
        walker.get_bones()
    walker.blend_pose(0.5)
    session.tick()
    assert "no skeleton" in raw.error("blend_pose", walker.id, 0.5)
    assert "no skeleton" in raw.error("set_bones_transform", walker.id, [[]])
    assert "no skeleton" in raw.error("get_pose_from_animation", walker.id)
