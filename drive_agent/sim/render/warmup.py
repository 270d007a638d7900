"""Compile every kernel of the renderer once; numba keeps the machine code on disk for later processes."""

from __future__ import annotations

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.camera import Camera, DrawnActor
from drive_agent.sim.render.ground import lamp_map
from drive_agent.sim.render.mesh import box
from drive_agent.sim.render.renderer import Renderer
from drive_agent.sim.render.scenery import Scenery, TrafficLight


def warm_up() -> None:
    """Draw one small picture of a box, a light and a car. About 20 s the first time on a machine, then under 1 s."""
    bulb = box(
        (0.4, 0.4, 0.4), (8.0, 1.0, 2.0), (0.1, 0.1, 0.1), labels.TRAFFIC_LIGHT, materials.BULB
    ).numbered(-1)
    low, high = np.array([-50.0, -50.0]), np.array([50.0, 50.0])
    scenery = Scenery(
        bulb,
        (TrafficLight("warm-up", -1, 8.0, 1.0, 2.0),),
        lamp_map(np.zeros((1, 3)), low, high),
        np.zeros((0, 7)),
        np.zeros(0, np.uint8),
    )
    car = DrawnActor(
        1, "vehicle.tesla.model3", 10.0, 0.0, 0.0, 0.0, 0.0, 0.0, (2.4, 1.0, 0.7), (90, 90, 90), 1, 0.0, 0.0
    )
    renderer = Renderer(scenery)
    renderer.set_lights({"warm-up": 0})
    renderer.set_weather([0.0, 0.0, 50.0, *[-1.0] * 11])  # wet
    renderer.render([Camera(32, 16, 90.0, 0.0, 0.0, 1.5, 0.0, 0.0, 0.0)], [car])


if __name__ == "__main__":
    warm_up()
    print("renderer: kernels ready")
