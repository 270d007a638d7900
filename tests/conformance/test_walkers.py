"""Walkers: they go where they are told, or on their own, and have no skeleton."""

from __future__ import annotations

import json
import subprocess
import sys

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


@pytest.fixture(scope="module")
def walked() -> dict[str, list[float]]:
    """What `walking_run` tells of people who walk on their own, with a client of their own."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.conformance.walking_run"],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@conforms("map", "World.get_random_location_from_navigation")
def test_random_places_for_walkers_are_on_pavements(walked: dict) -> None:
    assert walked["off_pavement_m"] < 1.3  # half a pavement


@conforms("blueprint", "controller.ai.walker")
def test_walkers_reach_their_goals_at_their_pace_and_on_their_feet(walked: dict) -> None:
    assert max(walked["nearest_m"]) < 1.0  # two along their pavements, one over a crosswalk
    assert walked["fastest_mps"] == pytest.approx(walked["pace_mps"], rel=0.02)
    assert max(walked["feet_above_ground_m"]) < 0.05


@conforms("blueprint", "controller.ai.walker")
def test_a_stopped_controller_lets_its_walker_stand(walked: dict) -> None:
    assert max(walked["after_stop_m"]) < 0.05
