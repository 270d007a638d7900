"""Cameras: what is due after a tick is captured as a job that a worker thread draws while clients go on talking.

One picture serves all cameras that share pose, size and field of view. A job holds copies: orders that arrive while it
runs change nothing in it, so its result depends on the tick alone, and that of flow and event cameras on the picture before.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass

import numpy as np

from drive_agent.sim.actors import Actor
from drive_agent.sim.appearance import drawn_actors
from drive_agent.sim.descriptions import check_camera
from drive_agent.sim.event_camera import EventCamera, EventSettings
from drive_agent.sim.flow import Moment, optical_flow
from drive_agent.sim.render.camera import Buffers
from drive_agent.sim.render.renderer import Camera, DrawnActor, Renderer
from drive_agent.sim.render.scenery import Scenery
from drive_agent.sim.scenery import StaticScene
from drive_agent.sim.sensors import Sensors
from drive_agent.sim.wire import (
    StreamType,
    encode_depth,
    encode_normals,
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
    "sensor.camera.normals": StreamType.NORMALS,
    "sensor.camera.optical_flow": StreamType.OPTICAL_FLOW,
    "sensor.camera.dvs": StreamType.DVS,
}

# What a camera sends of a picture, given the renderer that drew it and its place among the pictures; None for nothing.
Develop = Callable[[Renderer, int, Buffers], np.ndarray | None]


@dataclass(frozen=True)
class Shot:
    """One camera's share of a picture: its stream, the bytes before its data, and which picture becomes the data how."""

    stream_id: int
    header: bytes
    picture: int
    develop: Develop


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
        developed = []
        for shot in self.shots:
            data = shot.develop(renderer, shot.picture, pictures[shot.picture])
            if data is not None:
                developed.append(
                    (shot.stream_id, shot.header, np.ascontiguousarray(data).view(np.uint8).data.cast("B"))
                )
        return developed


_STILL: dict[StreamType, Develop] = {  # of a picture alone
    StreamType.RGB: lambda renderer, index, buffers: buffers.bgra,
    StreamType.DEPTH: lambda renderer, index, buffers: encode_depth(buffers.depth_m),
    StreamType.SEMANTIC: lambda renderer, index, buffers: encode_tags(buffers.tag),
    StreamType.INSTANCE: lambda renderer, index, buffers: encode_tags(buffers.tag, buffers.instance),
    StreamType.NORMALS: lambda renderer, index, buffers: encode_normals(renderer.normals(index)),
}


class Cameras:
    """Turns due cameras into render jobs."""

    def __init__(self, world: World, sensors: Sensors, threads: int) -> None:
        self._world, self._sensors = world, sensors
        self._painter = Painter(threads)
        self._moments: dict[int, Moment] = {}  # of the last picture of each flow camera, by its id
        self._events: dict[int, EventCamera] = {}  # by the sensor's id; used by the render thread

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
        actors = drawn_actors(self._world)
        shots = [self._shot(sensor, pictures, actors) for sensor in due]
        self._forget_gone()
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
            actors=actors,
            shots=shots,
        )

    def _shot(self, sensor: Actor, pictures: dict[Camera, int], actors: list[DrawnActor]) -> Shot:
        width, height, fov_deg = check_camera(sensor.attributes)
        camera = Camera(width, height, fov_deg, *sensor.pose)
        kind = KINDS[sensor.type_id]
        header = stream_header(kind, self._world.frame, self._world.elapsed_s, sensor.pose)
        picture = pictures.setdefault(camera, len(pictures))
        develop = self._develop(kind, sensor, camera, actors)
        return Shot(sensor.stream_id, header + image_header(width, height, fov_deg), picture, develop)

    def _develop(self, kind: StreamType, sensor: Actor, camera: Camera, actors: list[DrawnActor]) -> Develop:
        if kind is StreamType.OPTICAL_FLOW:
            now = Moment.of(camera, actors)
            before, self._moments[sensor.id] = self._moments.get(sensor.id, now), now
            return lambda renderer, index, buffers: optical_flow(
                buffers.depth_m, buffers.instance, now, before
            )
        if kind is StreamType.DVS:
            eye = self._events.setdefault(sensor.id, EventCamera(EventSettings.of(sensor.attributes)))
            noise, time_ns = self._sensors.noise(sensor), round(self._world.elapsed_s * 1e9)

            def events(renderer: Renderer, index: int, buffers: Buffers) -> np.ndarray | None:
                found = eye.see(buffers.bgra, time_ns, noise)
                return found if len(found) else None  # as in CARLA, nothing is told of nothing

            return events
        return _STILL[kind]

    def _forget_gone(self) -> None:
        """Drop what is kept of sensors that are no more."""
        alive = {sensor.id for sensor in self._world.sensors}
        for memories in (self._moments, self._events):
            for sensor_id in memories.keys() - alive:
                del memories[sensor_id]
