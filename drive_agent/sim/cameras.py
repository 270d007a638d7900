"""Cameras: what is due after a tick is captured as a job that a worker thread draws while clients go on talking.

One picture serves all cameras that share pose, size and field of view. A job holds copies: orders that arrive while it
runs change nothing in it, so its result depends on the tick alone.
"""

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import numpy as np

from drive_agent.sim.actors import Actor
from drive_agent.sim.appearance import drawn_actors
from drive_agent.sim.descriptions import check_camera
from drive_agent.sim.render.renderer import Camera, DrawnActor, Renderer
from drive_agent.sim.render.scenery import Scenery
from drive_agent.sim.scenery import StaticScene
from drive_agent.sim.sensors import Sensors
from drive_agent.sim.wire import (
    StreamType,
    encode_depth,
    encode_tags,
    image_header,
    stream_header,
)
from drive_agent.sim.world import World

KINDS = {
    "sensor.camera.rgb": StreamType.RGB,
    "sensor.camera.depth": StreamType.DEPTH,
    "sensor.camera.semantic_segmentation": StreamType.SEMANTIC,
    "sensor.camera.instance_segmentation": StreamType.INSTANCE,
}


@dataclass(frozen=True)
class Shot:
    """One camera's share of a picture: its stream, its kind, the bytes before the pixels, and which picture."""

    stream_id: int
    kind: StreamType
    header: bytes
    picture: int


class Painter:
    """Owns the renderer; used by the render thread alone. Making a renderer takes a second or two."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._scenery: Scenery | None = None
        self._renderer: Renderer | None = None

    def renderer_for(self, scene: StaticScene) -> Renderer:
        """The renderer of this town, made anew when the town has changed."""
        if self._renderer is None or self._scenery is not scene.scenery:
            self._renderer, self._scenery = Renderer(scene.scenery, threads=self._threads), scene.scenery
        self._renderer.set_hidden(scene.hidden_objects)
        return self._renderer


@dataclass(frozen=True)
class RenderJob:
    """Everything a renderer needs for one tick."""

    painter: Painter
    scene: StaticScene
    weather: list[float]
    lights: dict[str, int]
    lamps: tuple[float, ...]
    cameras: list[Camera]
    actors: list[DrawnActor]
    shots: list[Shot]

    def run(self) -> list[tuple[int, bytes, memoryview]]:
        """Draw: (stream id, header, pixels) for every shot, in order."""
        renderer = self.painter.renderer_for(self.scene)
        renderer.set_weather(self.weather)
        renderer.set_lights(self.lights)
        renderer.set_lamps(self.lamps)
        pictures = renderer.render(self.cameras, self.actors)
        return [
            (shot.stream_id, shot.header, _pixels(shot.kind, pictures[shot.picture])) for shot in self.shots
        ]


def _pixels(kind: StreamType, buffers: Any) -> memoryview:
    """The B G R A bytes of one kind of camera."""
    if kind is StreamType.RGB:
        image = np.ascontiguousarray(buffers.bgra)
    elif kind is StreamType.DEPTH:
        image = encode_depth(buffers.depth_m)
    elif kind is StreamType.SEMANTIC:
        image = encode_tags(buffers.tag)
    else:
        image = encode_tags(buffers.tag, buffers.instance)
    return image.data.cast("B")


class Cameras:
    """Turns due cameras into render jobs."""

    def __init__(self, world: World, sensors: Sensors, threads: int) -> None:
        self._world, self._sensors = world, sensors
        self._painter = Painter(threads)

    def capture(self, subscribed: Container[int]) -> RenderJob | None:
        """The job for this tick, or None where no camera is due."""
        if self._world.settings.no_rendering:
            return None
        due = [
            sensor
            for sensor in self._world.sensors
            if sensor.type_id in KINDS
            # the rhythm runs from the spawn on, as in CARLA, so that sensors spawned together stay together
            and self._sensors.is_due(self._sensors.memory(sensor))
            and sensor.stream_id in subscribed
        ]
        if not due:
            return None
        pictures: dict[Camera, int] = {}
        shots = [self._shot(sensor, pictures) for sensor in due]
        lights = self._world.signals
        return RenderJob(
            painter=self._painter,
            scene=self._world.scene,
            weather=list(self._world.weather),
            lights={
                site.signal_id: int(state) for site, state in zip(lights.lights, lights.states, strict=True)
            },
            lamps=self._world.lamps.levels,
            cameras=list(pictures),
            actors=drawn_actors(self._world),
            shots=shots,
        )

    def _shot(self, sensor: Actor, pictures: dict[Camera, int]) -> Shot:
        width, height, fov_deg = check_camera(sensor.attributes)
        camera = Camera(width, height, fov_deg, *sensor.pose)
        kind = KINDS[sensor.type_id]
        header = stream_header(kind, self._world.frame, self._world.elapsed_s, sensor.pose)
        picture = pictures.setdefault(camera, len(pictures))
        return Shot(sensor.stream_id, kind, header + image_header(width, height, fov_deg), picture)
