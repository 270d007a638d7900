"""Worlds for the renderer's tests: a shipped town, and small worlds made of a few solids."""

from __future__ import annotations

from collections.abc import Callable

import carla
import numpy as np
import pytest

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.camera import Camera, DrawnActor
from drive_agent.sim.render.ground import lamp_map
from drive_agent.sim.render.mesh import Mesh, join, mesh_of, quads
from drive_agent.sim.render.renderer import Renderer
from drive_agent.sim.render.scenery import Scenery, TrafficLight, build_scenery
from scenarios import towns


@pytest.fixture(scope="session")
def town_map() -> carla.Map:
    return carla.Map("Brookfield", towns.load("Brookfield"))


@pytest.fixture(scope="session")
def town(town_map: carla.Map) -> Scenery:
    return build_scenery(town_map, towns.load("Brookfield"))


def ground(half_size: float = 100.0) -> Mesh:
    """A flat square of asphalt at height 0."""
    corners = [np.array([[x, y, 0.0]]) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return mesh_of(quads(*(half_size * c for c in corners)), (0.3, 0.3, 0.3), labels.ROADS, materials.ASPHALT)


@pytest.fixture(scope="session")
def world() -> Callable[..., Renderer]:
    """A renderer of flat ground, or of nothing, and some solids."""

    def build(
        *solids: Mesh, floor: bool = True, threads: int = 1, lamps: tuple = (), lights: tuple = ()
    ) -> Renderer:
        pools = lamp_map(np.array(lamps, float).reshape(-1, 3), np.full(2, -60.0), np.full(2, 60.0))
        mesh = join(([ground()] if floor else []) + list(solids))
        named = tuple(TrafficLight(name, -1 - k, 0.0, 0.0, 0.0) for k, name in enumerate(lights))
        return Renderer(Scenery(mesh, named, pools, np.zeros((0, 7)), np.zeros(0, np.uint8)), threads)

    return build


@pytest.fixture(scope="session")
def front() -> Callable[..., Camera]:
    """A camera at the origin 1.5 m above the ground that looks along x."""

    def build(width: int = 160, height: int = 90, fov_deg: float = 90.0, **pose: float) -> Camera:
        place = {"x": 0.0, "y": 0.0, "z": 1.5, "pitch_deg": 0.0, "yaw_deg": 0.0, "roll_deg": 0.0}
        return Camera(width, height, fov_deg, **(place | pose))

    return build


@pytest.fixture(scope="session")
def actor() -> Callable[..., DrawnActor]:
    """A grey saloon 10 m ahead unless said otherwise."""

    def build(**changes: object) -> DrawnActor:
        values = {
            "id": 7, "type_id": "vehicle.tesla.model3", "x": 10.0, "y": 0.0, "z": 0.0,
            "pitch_deg": 0.0, "yaw_deg": 0.0, "roll_deg": 0.0, "half_extents": (2.4, 1.08, 0.74),
            "color_rgb": (120, 120, 125), "light_flags": 0, "wheel_steer_deg": 0.0, "speed_mps": 0.0,
        }  # fmt: skip
        return DrawnActor(**(values | changes))

    return build
