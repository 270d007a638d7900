"""What sensors send is a matter of the seed, the calls and the tick alone."""

from __future__ import annotations

import pytest

from drive_agent.sim.maps import Town, load_town
from drive_agent.sim.sensors import Sensors
from drive_agent.sim.wire import Pose
from drive_agent.sim.world import World
from tests.client.conftest import TOWN

KINDS = {
    "sensor.lidar.ray_cast": {"noise_stddev": 0.1, "range": 40.0},
    "sensor.lidar.ray_cast_semantic": {"range": 40.0},
    "sensor.other.radar": {},
    "sensor.other.gnss": {"noise_lat_stddev": 1e-5},
    "sensor.other.imu": {"noise_accel_stddev_x": 0.1},
    "sensor.other.obstacle": {"distance": 30.0},
}


@pytest.fixture(scope="module")
def town() -> Town:
    return load_town(TOWN)


def drive(town: Town, seed: int, listened: set[str], ticks: int = 6) -> list[tuple[int, bytes]]:
    """All messages of a car with one sensor of each kind that drives off behind another."""
    world = World(town, seed)
    start = next(point for point in town.spawn_points)
    car = world.spawn("vehicle.tesla.model3", [0, "", []], start)
    world.vehicles.rows["throttle"][car.slot] = 0.7
    mount = Pose(0.3, 0.0, 2.0, 0.0, 0.0, 0.0)
    streams = {}
    for kind, attributes in KINDS.items():
        entries = [[name, 0, str(value)] for name, value in attributes.items()]
        streams[kind] = world.spawn(kind, [0, kind, entries], mount, car).stream_id
    sensors, messages = Sensors(world), []
    for _ in range(ticks):
        world.step(0.05)
        messages += sensors.messages({streams[kind] for kind in listened})
    return messages


@pytest.fixture(scope="module")
def everything(town: Town) -> list[tuple[int, bytes]]:
    return drive(town, 1, set(KINDS))


def test_another_seed_gives_another_noise(town: Town, everything: list[tuple[int, bytes]]) -> None:
    assert len({stream for stream, _ in everything}) >= 5
    assert drive(town, 2, {"sensor.other.gnss"})[0] not in everything


def test_a_listener_hears_the_same_whoever_else_listens(
    town: Town, everything: list[tuple[int, bytes]]
) -> None:
    """And the same as in another world of the same seed."""
    alone = drive(town, 1, {"sensor.other.imu", "sensor.lidar.ray_cast"})
    streams = {stream for stream, _ in alone}
    assert len(streams) == 2
    assert alone == [message for message in everything if message[0] in streams]


def test_what_the_server_did_before_a_load_is_forgotten(town: Town) -> None:
    def readings(worlds_before: int) -> list[bytes]:
        world = World(town, 1)
        for _ in range(worlds_before):
            world.spawn("vehicle.tesla.model3", [0, "", []], town.spawn_points[1])
            for _ in range(7):
                world.step(0.05)
            world.load(town)
        car = world.spawn("vehicle.tesla.model3", [0, "", []], town.spawn_points[0])
        pose = Pose(0.3, 0.0, 2.0, 0.0, 0.0, 0.0)
        entries = [["noise_lat_stddev", 0, "1e-5"]]
        stream = world.spawn("sensor.other.gnss", [0, "sensor.other.gnss", entries], pose, car).stream_id
        sensors, heard = Sensors(world), []
        for _ in range(3):
            world.step(0.05)
            heard += [payload for _, payload in sensors.messages({stream})]
        return heard

    fresh, used = readings(0), readings(2)
    latitude = slice(-24, None)  # the header before it names the frame, which goes on
    assert [data[latitude] for data in fresh] == [data[latitude] for data in used]
