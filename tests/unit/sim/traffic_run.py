"""Child process of a test: traffic drives in a fresh server; prints what happened as JSON.

A process of its own, because a traffic manager that is shut down roughly can end the process it lives in.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import sys
import threading

import carla

from drive_agent.sim.process import ServerProcess
from tests.unit.sim.conftest import TOWN, connect

_PLATFORM_TIME = slice(56, 64)  # the one field of a snapshot that is wall clock


class SnapshotHasher(threading.Thread):
    """A second subscriber to the world's stream: hashes every snapshot, byte for byte but for the platform's time."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(daemon=True)
        self._socket = socket.create_connection((host, port))
        self._socket.sendall(struct.pack("<I", 1))
        self._hash = hashlib.sha256()
        self.count = 0

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
        except EOFError:
            return

    def result(self) -> str:
        self.join(10.0)
        return self._hash.hexdigest()


def main(vehicles: int, ticks: int, seed: int, manager_port: int) -> None:
    with ServerProcess(TOWN, seed=seed, rendering=False) as server:
        session = connect(server)
        town = session.world.get_map()
        manager = session.client.get_trafficmanager(manager_port)
        manager.set_synchronous_mode(True)
        manager.set_random_device_seed(seed)
        hasher = SnapshotHasher(server.host, server.port + 1)
        hasher.start()
        cars = [b for b in session.library.filter("vehicle.*") if b.get_attribute("base_type") == "car"]
        points = town.get_spawn_points()
        drivers, crashes = [], []
        for index in range(vehicles):
            driver = session.spawn(cars[index % len(cars)].id, points[index * len(points) // vehicles])
            sensor = session.spawn("sensor.other.collision", parent=driver)
            sensor.listen(lambda event: crashes.append((event.frame, event.other_actor.type_id)))
            drivers.append(driver)
        session.tick()
        for driver in drivers:
            driver.set_autopilot(True, manager_port)
        start = [driver.get_location() for driver in drivers]
        session.tick(ticks)
        moved = [driver.get_location().distance(place) for driver, place in zip(drivers, start, strict=True)]
        limits = [driver.get_speed_limit() for driver in drivers]
        off_road = [
            town.get_waypoint(
                driver.get_location(), lane_type=carla.LaneType.Driving
            ).transform.location.distance(driver.get_location())
            for driver in drivers
        ]
        for driver in drivers:
            driver.set_autopilot(False, manager_port)
        session.tick()
        manager.set_synchronous_mode(False)
        manager.shut_down()
        for sensor in session.spawned[1::2]:
            sensor.stop()
        server.stop()
    report = {"moved": moved, "off_road": off_road, "limits": limits, "crashes": crashes}
    print(json.dumps(report | {"snapshots": hasher.count, "hash": hasher.result()}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
