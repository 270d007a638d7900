"""Child process of a test: traffic drives in a fresh server; prints what happened as JSON.

A process of its own, because a traffic manager that is shut down roughly can end the process it lives in.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import queue
import socket
import struct
import threading

import carla

from drive_agent.drive.traffic import free_port
from drive_agent.sim.process import ServerProcess
from tests.client.conftest import TOWN, Session, connect

_PLATFORM_TIME = slice(56, 64)  # the one field of a snapshot that is wall clock
_SENSORS = {
    "sensor.camera.rgb": {"image_size_x": 160, "image_size_y": 90},
    "sensor.camera.depth": {"image_size_x": 160, "image_size_y": 90},
    "sensor.camera.semantic_segmentation": {"image_size_x": 160, "image_size_y": 90},
    "sensor.camera.instance_segmentation": {"image_size_x": 160, "image_size_y": 90},
    "sensor.lidar.ray_cast": {"points_per_second": 40_000, "rotation_frequency": 20},
    "sensor.lidar.ray_cast_semantic": {"points_per_second": 40_000, "rotation_frequency": 20},
    "sensor.other.radar": {},
    "sensor.other.gnss": {"noise_lat_stddev": 1e-5},
    "sensor.other.imu": {"noise_accel_stddev_x": 0.1},
}


class SnapshotHasher(threading.Thread):
    """A second subscriber to the world's stream: hashes every snapshot, byte for byte but for the platform's time."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(daemon=True)
        self._socket = socket.create_connection((host, port))
        self._socket.sendall(struct.pack("<I", 1))
        self._hash = hashlib.sha256()
        self.count = 0
        self.subscribed = threading.Event()

    def _read(self, size: int) -> bytearray:
        data = bytearray()
        while len(data) < size:
            chunk = self._socket.recv(size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def run(self) -> None:
        try:
            while True:
                (size,) = struct.unpack("<I", self._read(4))
                message = self._read(size)
                message[_PLATFORM_TIME] = bytes(8)
                self._hash.update(message)
                self.count += 1
                self.subscribed.set()
        except EOFError:
            return

    def result(self) -> str:
        self.join(10.0)
        return self._hash.hexdigest()


class SensorHasher:
    """One of each sensor on a car; hashes everything that they measure in every tick."""

    def __init__(self, session: Session, car: carla.Actor) -> None:
        self._hash = hashlib.sha256()
        self._sensors, self._boxes = [], []
        place = carla.Transform(carla.Location(x=0.5, z=2.0), carla.Rotation(roll=5.0))
        for type_id, attributes in _SENSORS.items():
            sensor, box = session.spawn(type_id, place, parent=car, **attributes), queue.Queue()
            sensor.listen(box.put)
            self._sensors.append(sensor)
            self._boxes.append(box)

    def tick(self) -> None:
        for box in self._boxes:
            self._hash.update(_bytes_of(box.get(timeout=30.0)))

    def result(self) -> str:
        for sensor in self._sensors:
            sensor.stop()
        return self._hash.hexdigest()


def _bytes_of(measurement: carla.SensorData) -> bytes:
    frame = struct.pack("<Q", measurement.frame)
    if isinstance(measurement, carla.GnssMeasurement):
        return frame + struct.pack("<3d", measurement.latitude, measurement.longitude, measurement.altitude)
    if isinstance(measurement, carla.IMUMeasurement):
        vectors = (measurement.accelerometer, measurement.gyroscope)
        return frame + struct.pack("<7d", *(c for v in vectors for c in (v.x, v.y, v.z)), measurement.compass)
    return frame + bytes(measurement.raw_data)


def main(vehicles: int, ticks: int, seed: int, *, sensors: bool) -> None:
    """Drive and report."""
    manager_port = free_port()
    with ServerProcess(TOWN, seed=seed, rendering=sensors) as server:
        session = connect(server)
        town = session.world.get_map()
        manager = session.client.get_trafficmanager(manager_port)
        manager.set_synchronous_mode(True)
        manager.set_random_device_seed(seed)
        hasher = SnapshotHasher(server.host, server.port + 1)
        hasher.start()
        assert hasher.subscribed.wait(60.0)
        cars = [b for b in session.library.filter("vehicle.*") if b.get_attribute("base_type") == "car"]
        points = town.get_spawn_points()
        drivers, crashes, watchers = [], [], []
        for index in range(vehicles):
            driver = session.spawn(cars[index % len(cars)].id, points[index * len(points) // vehicles])
            watcher = session.spawn("sensor.other.collision", parent=driver)
            watcher.listen(lambda event: crashes.append((event.frame, event.other_actor.type_id)))
            drivers.append(driver)
            watchers.append(watcher)
        session.tick()
        for driver in drivers:
            driver.set_autopilot(True, manager_port)
        start = [driver.get_location() for driver in drivers]
        measured = SensorHasher(session, drivers[0]) if sensors else None
        for _ in range(ticks):
            session.tick()
            if measured is not None:
                measured.tick()
        moved = [driver.get_location().distance(place) for driver, place in zip(drivers, start, strict=True)]
        limits = [driver.get_speed_limit() for driver in drivers]
        off_road = [
            town.get_waypoint(
                driver.get_location(), lane_type=carla.LaneType.Driving
            ).transform.location.distance(driver.get_location())
            for driver in drivers
        ]
        pictures = measured.result() if measured is not None else ""
        for driver in drivers:
            driver.set_autopilot(False, manager_port)
        session.tick()
        manager.set_synchronous_mode(False)
        manager.shut_down()
        for watcher in watchers:
            watcher.stop()
        log = server.log_tail(10_000)
        server.stop()
    report = {"moved": moved, "off_road": off_road, "limits": limits, "crashes": crashes, "log": log}
    report |= {"snapshots": hasher.count, "hash": hasher.result(), "pictures": pictures}
    print(json.dumps(report), flush=True)  # noqa: T201


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("vehicles", "ticks", "seed"):
        parser.add_argument(name, type=int)
    parser.add_argument("--sensors", action="store_true")
    main(**vars(parser.parse_args()))
