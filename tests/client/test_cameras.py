"""Cameras of a server that draws: the right frame, the right encoding, the same picture every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import carla
import numpy as np
import pytest

from drive_agent.sim.process import ServerProcess
from tests.client.conftest import TOWN, Session, connect

KINDS = ("rgb", "depth", "semantic_segmentation", "instance_segmentation")
WIDTH, HEIGHT = 160, 90


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess(TOWN) as process:
        yield process


def look(session: Session) -> dict[str, tuple[carla.Image, np.ndarray]]:
    """A car 12 m behind another, with one camera of each kind: picture (h, w, 4) of the second tick of both."""
    start = session.world.get_map().get_spawn_points()[5]
    ahead = carla.Transform(start.location + start.get_forward_vector() * 12.0, start.rotation)
    own = session.spawn("vehicle.tesla.model3", start, color="200,30,30")
    session.spawn("vehicle.audi.tt", ahead)
    mount = carla.Transform(carla.Location(x=2.5, z=0.8))
    size = {"image_size_x": WIDTH, "image_size_y": HEIGHT}
    fetches = {
        kind: session.listen(session.spawn(f"sensor.camera.{kind}", mount, own, **size)) for kind in KINDS
    }
    for _ in range(30):
        frame = session.tick()
    shots = {}
    for kind, fetch in fetches.items():
        image = fetch()
        while image.frame < frame:
            image = fetch()
        assert image.frame == frame
        shots[kind] = image, np.frombuffer(image.raw_data, np.uint8).reshape(HEIGHT, WIDTH, 4).copy()
    return shots


def test_a_fresh_server_draws_the_same_bytes(session: Session) -> None:
    def digest(shots: dict[str, tuple[carla.Image, np.ndarray]]) -> dict[str, str]:
        return {kind: hashlib.sha256(picture.tobytes()).hexdigest() for kind, (_, picture) in shots.items()}

    with ServerProcess(TOWN) as first, ServerProcess(TOWN) as second:
        assert digest(look(connect(first))) == digest(look(connect(second)))


def test_no_rendering_mode_sends_no_pictures(session: Session) -> None:
    settings = session.world.get_settings()
    settings.no_rendering_mode = True
    session.world.apply_settings(settings)
    received: list[carla.Image] = []
    camera = session.spawn("sensor.camera.rgb", image_size_x=32, image_size_y=16)
    camera.listen(received.append)
    session.tick(5)
    settings.no_rendering_mode = False
    session.world.apply_settings(settings)
    assert received == []
