"""Clients that mean harm or die amid a call: the server lives, others go on, its memory stays bounded."""

from __future__ import annotations

import inspect
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drive_agent.sim.process import ServerProcess
from drive_agent.sim.server import all_methods
from drive_agent.sim.wire import COMMAND_METHODS
from tests.client.conftest import Session, connect
from tests.conformance.raw import RawClient

MEGABYTE = 2**20
GREW_MB = 64.0  # what a server may keep of a storm: buffers of the allocator, compiled code

# ---- shapes of what a client may send ------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.floats(-500.0, 500.0), st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from([0.0, 1e-30, 3e38, -3e38, float("nan"), float("inf")]),
)  # fmt: skip
SMALL = st.floats(-1.0, 1.0)
VECTORS = st.lists(NUMBERS, min_size=3, max_size=3)
PLACES = st.one_of(
    VECTORS, st.tuples(st.floats(-200.0, 200.0), st.floats(-200.0, 200.0), st.floats(0.0, 20.0)).map(list)
)
TRANSFORMS = st.tuples(PLACES, VECTORS).map(list)
NEWEST = "the actor that was spawned last"
IDS = st.one_of(st.just(NEWEST), st.just(NEWEST), st.integers(0, 200), st.integers(0, 2**32 - 1))
TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(["", "x.log", "../x.log", "Mesh", "/etc/passwd"]))
BOOLEANS = st.booleans()
TYPES = st.sampled_from(
    ["vehicle.tesla.model3", "vehicle.bh.crossbike", "walker.pedestrian.0001", "static.prop.trafficcone01",
     "static.prop.mesh", "sensor.other.imu", "sensor.lidar.ray_cast", "sensor.other.collision", "sensor.other.obstacle",
     "sensor.camera.depth", "controller.ai.walker", "static.trigger.friction", "spectator", "nothing"]
)  # fmt: skip
ATTRIBUTES = st.lists(
    st.tuples(
        st.sampled_from(["role_name", "color", "scale", "channels", "range", "extent_x", "image_size_x", "sensor_tick"]),
        st.integers(0, 6),
        st.one_of(st.sampled_from(["hero", "1,2,3", "0", "-1", "1e9", "nan", "64", "true"]), TEXTS),
    ).map(list),
    max_size=4,
)  # fmt: skip
CONTROLS = st.one_of(
    st.tuples(SMALL, SMALL, SMALL, BOOLEANS, BOOLEANS, BOOLEANS, st.integers(-5, 9)).map(list),
    st.tuples(NUMBERS, NUMBERS, NUMBERS, BOOLEANS, BOOLEANS, BOOLEANS, st.integers(-(2**31), 2**31 - 1)).map(
        list
    ),
    st.tuples(VECTORS, NUMBERS, BOOLEANS).map(list),
    st.lists(NUMBERS, min_size=5, max_size=5),
)
CURVES = st.lists(st.lists(NUMBERS, min_size=2, max_size=2), max_size=3)
WHEELS = st.lists(st.tuples(*[NUMBERS] * 9, VECTORS).map(list), min_size=4, max_size=4)
PHYSICS = st.tuples(
    CURVES, *[NUMBERS] * 5, BOOLEANS, *[NUMBERS] * 3, st.lists(st.lists(NUMBERS, min_size=3, max_size=3), max_size=3),
    NUMBERS, NUMBERS, VECTORS, CURVES, WHEELS, BOOLEANS,
).map(list)  # fmt: skip
OF_NAME: dict[str, st.SearchStrategy] = {
    "actor_id": IDS, "parent_id": IDS, "follow_id": IDS, "ids": st.lists(IDS, max_size=5), "transform": TRANSFORMS,
    "offset": TRANSFORMS, "location": PLACES, "start": st.one_of(NUMBERS, PLACES), "end": PLACES, "velocity": VECTORS,
    "direction": VECTORS, "impulse": VECTORS, "force": VECTORS, "torque": VECTORS, "control": st.one_of(CONTROLS, PHYSICS),
    "gains": st.lists(NUMBERS, min_size=6, max_size=6), "name": TEXTS, "text": TEXTS, "folder": TEXTS, "socket": TEXTS,
    "endpoint": TEXTS, "description": st.tuples(IDS, TYPES, ATTRIBUTES).map(list), "attachment": st.integers(0, 255),
    "weather": st.lists(NUMBERS, min_size=14, max_size=14), "port": st.integers(0, 65535), "wheel": st.integers(0, 4),
    "address": st.tuples(TEXTS, st.integers(0, 65535)).map(list), "door": st.integers(0, 7), "state": st.integers(0, 5),
    "flags": st.one_of(IDS, st.lists(IDS, max_size=1)), "label": st.integers(0, 255), "layers": st.integers(0, 65535),
    "seconds": NUMBERS, "speed": NUMBERS, "distance": NUMBERS, "factor": NUMBERS, "gravity": NUMBERS, "duration": NUMBERS,
    "angle_deg": NUMBERS, "min_time": NUMBERS, "min_distance": NUMBERS, "first": st.integers(0, 127),
    "second": st.integers(0, 127),
    "states": st.lists(st.tuples(IDS, VECTORS, NUMBERS, st.integers(0, 9), st.lists(st.integers(0, 255), min_size=3, max_size=3), BOOLEANS).map(list), max_size=3),
}  # fmt: skip
JUNK = st.recursive(
    st.one_of(st.none(), BOOLEANS, IDS, NUMBERS, TEXTS, st.binary(max_size=8)),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)
# A promised subscriber is waited for; settings and episodes have tests of their own.
APART = {"get_sensor_token", "set_episode_settings", "load_new_episode", "apply_batch", "tick_cue"}
METHODS = {name: method for name, method in sorted(all_methods().methods.items()) if name not in APART}


def arguments_of(name: str) -> st.SearchStrategy[list]:
    """What the names of a method's parameters promise."""
    parameters = list(inspect.signature(METHODS[name].handler).parameters)[1:]
    return st.tuples(*(OF_NAME.get(parameter, st.one_of(BOOLEANS, JUNK)) for parameter in parameters)).map(
        list
    )


CALLS = st.sampled_from(list(METHODS)).flatmap(lambda name: st.tuples(st.just(name), arguments_of(name)))
COMMANDS = st.sampled_from(range(len(COMMAND_METHODS))).flatmap(
    lambda index: st.tuples(
        st.just(index),
        arguments_of(COMMAND_METHODS[index]) if COMMAND_METHODS[index] in METHODS and index else
        st.tuples(OF_NAME["description"], TRANSFORMS, st.sampled_from([[False], [True, 1]]), st.just(0), st.just(""), st.just([])).map(list),
    ).map(lambda command: [list(command)])
)  # fmt: skip
STEPS = st.one_of(
    CALLS, CALLS, CALLS, st.lists(COMMANDS, max_size=6).map(lambda batch: ("apply_batch", [batch, False]))
)


# ---- helpers -------------------------------------------------------------------------------------------------------------


def memory_mb(server: ServerProcess) -> float:
    """Resident memory of the server."""
    with open(f"/proc/{server.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def goes_on(server: ServerProcess) -> None:
    """A newcomer is served, and the world ticks."""
    assert server.alive, server.log_tail(20)
    client = RawClient(server)
    frame = client.value("tick_cue")
    assert client.value("tick_cue") == frame + 1
    client.close()


def fires(server: ServerProcess, port: int, data: bytes, *, cut: bool = False) -> None:
    """Send bytes to a port of the server and go, with a reset if `cut`."""
    with socket.create_connection((server.host, port), timeout=20.0) as connection:
        if cut:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            connection.sendall(data)
        except OSError:
            return  # it was hung up on


@pytest.fixture
def bystander(server: ServerProcess) -> Iterator[Session]:
    """Somebody with a car who wants to go on, in a world that no storm has been through."""
    RawClient(server).call("load_new_episode", "", True)
    session = connect(server)
    session.spawn("vehicle.tesla.model3", session.world.get_map().get_spawn_points()[0])
    yield session
    session.forget()


def drives_on(session: Session) -> None:
    """The genuine client still gets ticks, and its car is there."""
    frame = session.tick(2)
    assert session.world.get_snapshot().frame == frame
    assert session.spawned[0].is_alive


# ---- bytes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rpc", "stream"])
def test_random_bytes_on_a_port(
    server: ServerProcess, bystander: Session, say: Callable[[str], None], kind: str
) -> None:
    port = server.port if kind == "rpc" else server.port + 1
    tried = 0

    @settings(max_examples=300, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=200), BOOLEANS)
    def fire(data: bytes, cut: bool) -> None:
        nonlocal tried
        tried += 1
        fires(server, port, data, cut=cut)

    fire()
    goes_on(server)
    drives_on(bystander)
    say(f"random byte strings on the {kind} port: {tried}")


def test_messages_with_flipped_and_missing_bytes(
    server: ServerProcess, bystander: Session, say: Callable[[str], None]
) -> None:
    tried = 0

    @settings(max_examples=300, suppress_health_check=list(HealthCheck))
    @given(st.lists(STEPS, min_size=1, max_size=4), st.randoms(use_true_random=False))
    def fire(steps: list, chance: random.Random) -> None:
        nonlocal tried
        tried += 1
        data = bytearray(
            b"".join(
                msgpack.packb([0, k, name, [[False], *with_id(values, 2)]])
                for k, (name, values) in enumerate(steps)
            )
        )
        for _ in range(chance.randrange(4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        fires(server, server.port, bytes(data[: chance.randrange(len(data) + 1)]), cut=chance.random() < 0.5)

    fire()
    goes_on(server)
    drives_on(bystander)
    say(f"broken messages: {tried}")


DEEP = "a value in lists in lists"
_SETTINGS = [True, False, [False, DEEP], True, 0.01, 10, 0.0, False, 3000.0, 2000.0, True]
_PLACE = [[0.0, 0.0, 900.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    "message",
    [
        [0, DEEP, "version", [[False]]],
        [0, 1, DEEP, [[False]]],
        [0, 1, "version", DEEP],
        [0, 1, "get_actors_by_id", [[False], DEEP]],
        [0, 1, "spawn_actor", [[False], [DEEP, "static.prop.barrel", []], _PLACE]],
        [0, 1, "spawn_actor", [[False], [0, "static.prop.barrel", [["color", DEEP, "1,2,3"]]], _PLACE]],
        [0, 1, "set_episode_settings", [[False], _SETTINGS]],
    ],
)
def test_values_nested_as_deep_as_can_be(server: ServerProcess, bystander: Session, message: list) -> None:
    for depth in (500, 900, *range(1000, 1026)):
        nested = msgpack.packb(message).replace(msgpack.packb(DEEP), b"\x91" * depth + b"\x01")
        fires(server, server.port, nested)
        fires(server, server.port, msgpack.packb([0, 2, "get_episode_settings", [[False]]]))
    goes_on(server)
    drives_on(bystander)


# ---- calls ---------------------------------------------------------------------------------------------------------------


def storm(server: ServerProcess, examples: int) -> tuple[int, int]:
    """Random calls of the right shape, with ticks between; how many were sent, and how many of them succeeded."""
    sent = done = 0
    client = RawClient(server)
    before = {actor[0] for actor in actors_of(client)}

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(OF_NAME["description"], TRANSFORMS, st.lists(STEPS, min_size=4, max_size=16))
    def call(description: list, transform: list, steps: list[tuple[str, list]]) -> None:
        nonlocal sent, done
        newest = 1
        for name, values in [("spawn_actor", [description, transform]), *steps]:
            result = client.call(name, *with_id(values, newest))
            sent += 1
            done += succeeded(result)
            if name.startswith("spawn_actor") and succeeded(result):
                newest = result[0][1][0]
        client.value("tick_cue")
        client.value("tick_cue")
        for actor in actors_of(client):
            if actor[0] not in before:
                client.call("destroy_actor", actor[0])
        client.call("stop_recorder")
        client.call("stop_replayer", False)

    call()
    client.close()
    return sent, done


def with_id(value: Any, newest: int) -> Any:
    """The value with the id of the newest actor wherever it is meant."""
    if isinstance(value, list | tuple):
        return [with_id(item, newest) for item in value]
    return newest if value == NEWEST else value


def succeeded(result: list) -> bool:
    """Whether a reply is `Response` with a value or without an error."""
    return not result or len(result[0]) == 1 or (result[0][0] == 1 and result[0][0] is not True)


def actors_of(client: RawClient) -> list[Any]:
    """`Actor` of everybody: ids are few, and not far above the last that was given."""
    spectator: Any = client.value("get_spectator")
    found: Any = client.value("get_actors_by_id", list(range(spectator[0], spectator[0] + 3000)))
    return found


def test_random_calls_of_the_right_shape(
    server: ServerProcess, bystander: Session, say: Callable[[str], None]
) -> None:
    sent, done = storm(server, 150)
    goes_on(server)
    bystander.tick()
    log = server.log_tail(100_000)
    assert "Traceback" not in log, log[log.index("Traceback") - 300 :][:3000]
    assert sent / 3 < done < sent
    say(f"random calls of the right shape: {sent}, {done} of them succeeded")


def test_random_calls_while_cameras_draw(say: Callable[[str], None], tmp_path: Any) -> None:
    with ServerProcess("Brookfield", recordings=str(tmp_path)) as server:
        session = connect(server)
        place = session.world.get_map().get_spawn_points()[0]
        place.location.z += 3.0
        pictures = [
            session.listen(session.spawn(f"sensor.camera.{kind}", place, image_size_x=64, image_size_y=36))
            for kind in ("rgb", "optical_flow", "dvs", "normals")
        ]
        sent, _ = storm(server, 40)
        goes_on(server)
        log = server.log_tail(100_000)
        assert "Traceback" not in log, log[log.index("Traceback") - 300 :][:3000]
        assert pictures[0]().width == 64
        say(f"random calls while cameras draw: {sent}")


# ---- clients that die, wait or crowd -------------------------------------------------------------------------------------


def test_clients_that_vanish_amid_a_call(
    server: ServerProcess, bystander: Session, say: Callable[[str], None]
) -> None:
    chance, tried = random.Random(1), 200
    request = msgpack.packb([0, 1, "get_actor_definitions", [[False]]])
    manager = msgpack.packb([0, 2, "add_traffic_manager_running", [[False], ["10.0.0.1", 8300]]])
    for _ in range(tried):
        data = manager + request * chance.randrange(3) + request[: chance.randrange(len(request))]
        fires(server, server.port, data, cut=chance.random() < 0.7)
    drives_on(bystander)
    deadline = time.monotonic() + 10.0
    client = RawClient(server)
    while client.value("is_traffic_manager_running", 8300) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert client.value("get_traffic_manager_running", 8300) == ["", 0]
    say(f"clients that vanished amid a call: {tried}")


_DRIVER = """
import carla, sys
client = carla.Client("127.0.0.1", int(sys.argv[1]))
client.set_timeout(20.0)
world = client.get_world()
manager = client.get_trafficmanager(int(sys.argv[2]))
manager.set_synchronous_mode(True)
points, cars = world.get_map().get_spawn_points(), world.get_blueprint_library().filter("vehicle.*")
driven = [car for car in (world.try_spawn_actor(cars[0], point) for point in points[5:15]) if car]
for car in driven:
    car.set_autopilot(True, int(sys.argv[2]))
print("driving", flush=True)
while True:
    world.tick()
"""


@pytest.mark.slow
def test_genuine_clients_that_are_killed_amid_a_tick(say: Callable[[str], None]) -> None:
    killed = 6
    with ServerProcess("Brookfield", rendering=False) as server:
        for k in range(killed):
            port = 8400 + k
            child = subprocess.Popen(
                [sys.executable, "-c", _DRIVER, str(server.port), str(port)],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert child.stdout is not None
            assert child.stdout.readline() == "driving\n"
            time.sleep(0.2 + 0.07 * k)
            child.send_signal(signal.SIGKILL)
            child.wait()
            session = connect(server)
            client = RawClient(server)
            assert client.value("is_traffic_manager_running", port) is False
            for car in session.world.get_actors().filter("vehicle.*"):
                car.destroy()
            session.tick(20)
            client.close()
        assert "Traceback" not in server.log_tail(100_000)
    say(f"genuine clients with traffic killed amid a tick: {killed}")


def test_two_clients_at_once_get_their_own_answers(server: ServerProcess, say: Callable[[str], None]) -> None:
    rounds, mistakes = 300, []

    def work(number: int) -> None:
        client = RawClient(server)
        for k in range(rounds):
            name = f"vehicle.audi.tt{number}.{k}"
            if name not in client.error("spawn_actor", [0, name, []], [[0.0] * 3] * 2):
                mistakes.append(name)
            client.value("tick_cue")
        client.close()

    before = RawClient(server).value("tick_cue")
    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120.0)
    assert mistakes == []
    assert RawClient(server).value("tick_cue") == before + 2 * rounds + 1
    say(f"calls of two clients at once: {4 * rounds}")


def test_who_asks_and_never_reads_is_cut_off(
    server: ServerProcess, bystander: Session, say: Callable[[str], None]
) -> None:
    before_mb, asked = memory_mb(server), 5000
    request = msgpack.packb([0, 1, "get_actor_definitions", [[False]]])
    with socket.create_connection((server.host, server.port), timeout=20.0) as greedy:
        greedy.settimeout(1.0)
        try:
            for _ in range(asked):
                greedy.sendall(request)
        except OSError:
            pass  # it takes no more, or has hung up
        drives_on(bystander)
        assert memory_mb(server) < before_mb + 2 * GREW_MB
    say(f"answers asked for and never read: {asked}")


@pytest.mark.slow
def test_a_subscriber_that_never_reads_is_cut_off_and_costs_no_memory(
    server: ServerProcess, bystander: Session, say: Callable[[str], None]
) -> None:
    before_mb = memory_mb(server)
    with socket.create_connection((server.host, server.port + 1), timeout=20.0) as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.sendall(struct.pack("<I", 1))
        snapshots = 0
        while "cut off" not in server.log_tail(5) and snapshots < 40_000:
            bystander.tick(50)
            snapshots += 50
        assert "a subscriber does not read its data: cut off" in server.log_tail(5)
        assert memory_mb(server) < before_mb + GREW_MB
    drives_on(bystander)
    say(f"snapshots sent to one who never read: {snapshots}")


@pytest.mark.slow
def test_two_hundred_worlds_in_a_row(say: Callable[[str], None]) -> None:
    loads, names = 200, ("Brookfield", "Ridgeport")
    with ServerProcess(names[0], rendering=False) as server:
        session = connect(server)
        settled_mb = 0.0
        for k in range(loads):
            # mostly the same town again, as an evaluator does between routes; now and then the other
            name = names[k // 20 % 2]
            session.world = session.client.load_world(name, reset_settings=False)
            session.world.tick()
            session.spawn("vehicle.tesla.model3", session.world.get_map().get_spawn_points()[k % 5])
            session.world.tick()
            assert session.world.get_map().name == f"Carla/Maps/{name}"
            if k == loads // 2:
                settled_mb = memory_mb(server)
        grew_mb = memory_mb(server) - settled_mb
        assert len(session.world.get_actors().filter("vehicle.*")) == 1
        assert grew_mb < 0.1 * settled_mb, f"{settled_mb:.0f} MB, then {grew_mb:.0f} MB more"
    say(
        f"worlds loaded in a row: {loads}; memory after half of them {settled_mb:.0f} MB, {grew_mb:+.1f} MB at the end"
    )
