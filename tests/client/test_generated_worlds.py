"""`generate_opendrive_world`: what of CARLA's parameters shows, read back by the genuine client."""

from __future__ import annotations

import math
from collections.abc import Iterator

import carla
import pytest

from drive_agent.sim.process import ServerProcess
from tests.client.conftest import Session, connect

BEND = """<?xml version="1.0"?><OpenDRIVE><header revMajor="1" revMinor="4" name="" version="1"/>
<road name="r" length="120" id="1" junction="-1"><planView>
<geometry s="0" x="0" y="0" hdg="0" length="60"><line/></geometry>
<geometry s="60" x="60" y="0" hdg="0" length="60"><arc curvature="0.02"/></geometry></planView>
<lanes><laneSection s="0"><center><lane id="0" type="none" level="false"/></center>
<right><lane id="-1" type="driving" level="false"><width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane></right>
</laneSection></lanes></road></OpenDRIVE>"""
WALL_M = 1.5


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with ServerProcess("Ridgeport", rendering=False) as process:
        yield connect(process)


def generate(
    session: Session, *, step_m: float = 2.0, wall_m: float = 0.0, visible: bool = True
) -> carla.World:
    parameters = carla.OpendriveGenerationParameters(
        vertex_distance=step_m, wall_height=wall_m, enable_mesh_visibility=visible
    )
    world = session.client.generate_opendrive_world(BEND, parameters, reset_settings=False)
    world.tick()
    return world


def labels_on_the_way(
    world: carla.World, start: tuple[float, ...], end: tuple[float, ...]
) -> list[carla.CityObjectLabel]:
    return [point.label for point in world.cast_ray(carla.Location(*start), carla.Location(*end))]


def test_walls_of_the_height_asked_for_stand_at_both_edges(session: Session) -> None:
    world = generate(session, wall_m=WALL_M)
    boxes = world.get_level_bbs(carla.CityObjectLabel.Walls)
    assert boxes and all(2 * box.extent.z == pytest.approx(WALL_M) for box in boxes)
    assert sum(2 * box.extent.x for box in boxes) == pytest.approx(
        60 + 60 + 60 + 60 * (1 + 3.5 * 0.02), abs=0.5
    )
    for box in boxes:
        lane = world.get_map().get_waypoint(box.location)
        assert box.location.distance(lane.transform.location) == pytest.approx(
            math.hypot(1.75, WALL_M / 2), abs=0.1
        )
    middle = (30.0, 1.75, 0.5)
    for y in (-4.0, 8.0):
        assert labels_on_the_way(world, middle, (30.0, y, 0.5)) == [carla.CityObjectLabel.Walls]


def test_without_walls_the_way_to_the_side_is_free(session: Session) -> None:
    world = generate(session)
    assert not world.get_level_bbs(carla.CityObjectLabel.Walls)
    assert labels_on_the_way(world, (30.0, 1.75, 0.5), (30.0, 8.0, 0.5)) == []


def test_a_car_stops_at_a_wall(session: Session) -> None:
    world = generate(session, wall_m=WALL_M)
    blueprint = world.get_blueprint_library().find("vehicle.tesla.model3")
    car = world.spawn_actor(blueprint, carla.Transform(carla.Location(10.0, 1.75, 0.3)))
    assert isinstance(car, carla.Vehicle)
    for _ in range(20):
        world.tick()
    car.apply_control(carla.VehicleControl(throttle=0.6, steer=0.6))
    reached_m = 0.0
    for _ in range(80):
        world.tick()
        reached_m = max(reached_m, car.get_location().y)
    assert reached_m < 3.5 + 0.2
    car.destroy()


def test_streets_can_be_invisible(session: Session) -> None:
    above, below = (30.0, 1.75, 2.0), (30.0, 1.75, -2.0)
    assert labels_on_the_way(generate(session), above, below)[0] == carla.CityObjectLabel.Roads
    hidden = generate(session, wall_m=WALL_M, visible=False)
    assert carla.CityObjectLabel.Roads not in labels_on_the_way(hidden, above, below)
    assert hidden.get_level_bbs(carla.CityObjectLabel.Walls), "what nobody sees is still in the way"


def test_a_step_of_nothing_is_refused(session: Session) -> None:
    with pytest.raises(RuntimeError, match="vertex_distance is 0.0: expected metres, more than 0"):
        generate(session, step_m=0.0)
