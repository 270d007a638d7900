"""The camera renderer: one visibility pass gives colour, depth, tag and instance.

`render` runs in five steps: pose the actors; draw the shadows of actors and stamp their light and shade on the ground
around each group of cameras; project the triangles of each camera; fill and shade bands of rows; where it is wet, mirror
things in the ground. Steps are spread over threads, and no result depends on how.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from drive_agent.sim.render.camera import Buffers, Camera, DrawnActor, camera_view
from drive_agent.sim.render.ground import TrafficGround, relit_lamp_map, traffic_ground
from drive_agent.sim.render.kernel import Draws, Instances, Projected, View
from drive_agent.sim.render.lighting import Light, ShadowMap
from drive_agent.sim.render.materials import LAMPS_ON, Conditions
from drive_agent.sim.render.mirror import MirrorScratch, mirror, mirror_scratch
from drive_agent.sim.render.normals import surface_normals
from drive_agent.sim.render.raster import fill, project, projected_buffers
from drive_agent.sim.render.scenery import Scenery
from drive_agent.sim.render.shade import SAMPLES_PER_SIDE, Picture, distinct_buffers, shade
from drive_agent.sim.render.shadows import shadow_map, sun_view
from drive_agent.sim.render.stage import BODY_REACH_M, Stage, joined
from drive_agent.sim.render.vehicle_lights import HIGH_BEAM, LOW_BEAM
from drive_agent.sim.render.weather import Weather, atmosphere

PLACE_M = 32.0  # cameras in the same square of this size share the maps of actors around them
AROUND_M = 64.0  # half the size of those maps, metres
TRAFFIC_TEXELS, GROUND_CELLS_PER_M = 1024, 2.0
TOWN_TEXEL_M, TOWN_TEXELS_MAX = 0.30, 4096
LIGHT_STATES = {0: "red", 1: "yellow", 2: "green", 3: "off"}
OFF = 3
LONGEST_BODY_M = 20.0  # from an actor's origin to its farthest part, generously


@dataclass
class _Job:
    """One camera of one call: its buffers and what lights it."""

    view: View
    light: Light
    picture: Picture
    projected: Projected
    nearest: np.ndarray  # float32 (2 h, 2 w)
    winner: np.ndarray  # int32 (2 h, 2 w)
    count: int = 0


class Renderer:
    """Draws a town and its actors on the CPU. Not safe to call from two threads at once; `threads` work inside."""

    def __init__(self, scenery: Scenery, threads: int = 1):
        if threads < 1:
            raise ValueError(f"threads={threads}; expected at least 1")
        self._stage = Stage(scenery.mesh, scenery.backdrop)
        self._all_lamps = self._lamps = scenery.lamps
        self._street_lamps = scenery.street_lamps
        self._lamp_levels: tuple[float, ...] = (1.0,) * len(scenery.street_lamps)
        self._hidden: frozenset[int] = frozenset()
        self._row_of_light = {light.signal_id: row for row, light in enumerate(scenery.lights)}
        self._light_states = np.full(max(1, len(scenery.lights)), OFF, np.uint8)
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._scratch: dict[tuple, tuple] = {}
        self._mirrors: dict[tuple, MirrorScratch] = {}
        self._weather: Weather | None = None
        self._sun: tuple = ()
        self._drawn: tuple[list[_Job], Instances] = ([], self._stage.pose([])[1])
        self.set_weather([-1.0] * 14)

    def set_weather(self, values: Sequence[float]) -> None:
        """14 floats in the order of `carla.WeatherParameters`; negative ones mean a clear noon."""
        weather = Weather.from_carla(values)
        if weather == self._weather:
            return
        self._weather, self._air = weather, atmosphere(weather)
        if self._air.sun_direction != self._sun:
            self._town_shadow = self._shadow_of_town()
            self._sun = self._air.sun_direction

    def set_lights(self, states: Mapping[str, int]) -> None:
        """States by OpenDRIVE signal id: 0 red, 1 yellow, 2 green, 3 off. Others keep theirs; at first all are off."""
        for signal_id, state in states.items():
            if signal_id not in self._row_of_light:
                raise KeyError(
                    f"signal {signal_id!r} is no traffic light of this map; known: {list(self._row_of_light)}"
                )
            if state not in LIGHT_STATES:
                raise ValueError(
                    f"light state {state!r} of signal {signal_id!r}; expected one of {LIGHT_STATES}"
                )
            self._light_states[self._row_of_light[signal_id]] = state

    def set_lamps(self, levels: tuple[float, ...]) -> None:
        """Brightness of every street lamp in the order of the scenery: 1 is normal, 0 is switched off."""
        if levels == self._lamp_levels:
            return
        if len(levels) != len(self._street_lamps):
            raise ValueError(
                f"{len(levels)} lamp levels; expected one for each of {len(self._street_lamps)} lamps"
            )
        self._lamp_levels = levels
        feet = [(*lamp.pool, level) for lamp, level in zip(self._street_lamps, levels, strict=True)]
        low = np.array([self._all_lamps.x0, self._all_lamps.y0], float)
        relit = relit_lamp_map(self._all_lamps, np.array(feet, float).reshape(-1, 4), low)
        self._lamps = self._all_lamps if set(levels) <= {1.0} else relit
        dark = {
            lamp.object_id for lamp, level in zip(self._street_lamps, levels, strict=True) if level == 0.0
        }
        self._stage.switch_off(dark)

    def set_hidden(self, objects: frozenset[int]) -> None:
        """Numbers of the static objects that are not there."""
        if objects != self._hidden:
            self._hidden = objects
            self._stage.hide(objects)
            self._town_shadow = self._shadow_of_town()

    def render(self, cameras: Sequence[Camera], actors: Sequence[DrawnActor]) -> list[Buffers]:
        """Pictures of all cameras at this moment, in order."""
        actors = _within_reach(actors, cameras)
        draws, instances = self._stage.pose(actors)
        lights = {}
        for place in map(_place, cameras):
            if place not in lights:
                lights[place] = self._light_around(place, actors, draws, instances)
        everything = joined(self._stage.static_draws, draws)
        jobs = [self._job(k, camera, lights[_place(camera)], everything) for k, camera in enumerate(cameras)]

        def project_one(job: _Job) -> None:
            job.nearest.fill(0)
            job.winner.fill(-1)
            job.count = project(job.view, self._stage.triangles, everything, instances, job.projected)

        def draw_band(band: tuple[_Job, int, int]) -> None:
            job, top, bottom = band
            scale = SAMPLES_PER_SIDE
            fill(job.projected, job.count, job.nearest, job.winner, top * scale, bottom * scale)
            shade(
                job.view, job.projected, job.nearest, job.winner, self._stage.triangles, instances,
                job.light, job.picture, top, bottom, distinct_buffers(),
            )  # fmt: skip

        def mirror_one(numbered: tuple[int, _Job]) -> None:
            index, job = numbered
            key = (index, *job.picture.tag.shape)
            if key not in self._mirrors:
                self._mirrors[key] = mirror_scratch(*job.picture.tag.shape)
            mirror(job.view, job.picture, self._air, self._mirrors[key])

        self._run(project_one, jobs)
        self._run(draw_band, self._bands(jobs))
        if self._air.wetness > 0.0:
            self._run(mirror_one, enumerate(jobs))
        self._drawn = jobs, instances
        return [Buffers(*job.picture) for job in jobs]

    def normals(self, index: int) -> np.ndarray:
        """Surface normals of a picture of the last `render`: float32 (h, w, 3), world axes, zero for the sky."""
        jobs, instances = self._drawn
        return surface_normals(jobs[index].winner, jobs[index].projected, self._stage.triangles, instances)

    def _run(self, work: Callable, items: Iterable) -> None:
        """Do `work` on all items, over the threads if there are several."""
        for _ in (self._pool.map if self._pool else map)(work, items):
            pass

    def _bands(self, jobs: list[_Job]) -> list[tuple[_Job, int, int]]:
        """Whole pictures for one thread, else bands of rows small enough to keep all threads busy."""
        bands = []
        for job in jobs:
            height = job.picture.tag.shape[0]
            pieces = 1 if self._threads == 1 else max(1, math.ceil(2 * self._threads / len(jobs)))
            rows = [height * k // pieces for k in range(pieces + 1)]
            bands += [
                (job, top, bottom) for top, bottom in zip(rows[:-1], rows[1:], strict=True) if bottom > top
            ]
        return bands

    def _job(self, index: int, camera: Camera, light: Light, draws: Draws) -> _Job:
        """Fresh pictures and reused scratch for one camera."""
        height, width = camera.height, camera.width
        key = (index, height, width)
        need = 2 * int((draws.last - draws.first).sum())
        if key not in self._scratch or len(self._scratch[key][0].triangle) < need:
            shape = (height * SAMPLES_PER_SIDE, width * SAMPLES_PER_SIDE)
            self._scratch[key] = (
                projected_buffers(need),
                np.empty(shape, np.float32),
                np.empty(shape, np.int32),
            )
        picture = Picture(
            np.empty((height, width, 4), np.uint8),
            np.empty((height, width), np.float32),
            np.empty((height, width), np.uint8),
            np.empty((height, width), np.int32),
        )
        return _Job(camera_view(camera, SAMPLES_PER_SIDE), light, picture, *self._scratch[key])

    def _shadow_of_town(self) -> ShadowMap:
        """Shadows of everything that stands still; drawn again when the sun moves."""
        casters, triangles = self._stage.static_casters, self._stage.triangles
        if len(casters.first):
            low = (casters.centers - casters.radii[:, None]).min(0)
            high = (casters.centers + casters.radii[:, None]).max(0)
        else:
            low, high = np.zeros(3), np.ones(3)
        extent = float(np.linalg.norm(high - low))
        texels = min(TOWN_TEXELS_MAX, 256 * math.ceil(extent / TOWN_TEXEL_M / 256))
        view = sun_view((low + high) / 2, np.array(self._air.sun_direction), extent, texels)
        _, instances = self._stage.pose([])
        scratch = projected_buffers(2 * int((casters.last - casters.first).sum()))
        return shadow_map(view, triangles, casters, instances, scratch, 0.25)

    def _light_around(
        self,
        place: tuple[float, float, float],
        actors: Sequence[DrawnActor],
        draws: Draws,
        instances: Instances,
    ) -> Light:
        """Everything that lights the surroundings of a group of cameras."""
        view = sun_view(np.array(place), np.array(self._air.sun_direction), 2 * AROUND_M, TRAFFIC_TEXELS)
        scratch = projected_buffers(2 * int((draws.last - draws.first).sum()))
        traffic = shadow_map(view, self._stage.triangles, draws, instances, scratch, 0.06)
        now = Conditions(self._air.wetness, self._air.night, self._air.lit_windows, self._light_states)
        ground = self._ground_around(place, actors)
        return Light(self._air, now, self._town_shadow, traffic, self._lamps, ground)

    def _ground_around(
        self, place: tuple[float, float, float], actors: Sequence[DrawnActor]
    ) -> TrafficGround:
        poses = [
            (
                a.x, a.y, a.z, math.radians(a.yaw_deg), a.half_extents[0], a.half_extents[1],
                2.0 if a.light_flags & HIGH_BEAM else 1.0 if a.light_flags & LOW_BEAM else 0.0,
            )
            for a in actors
        ]  # fmt: skip
        return traffic_ground(
            np.array(poses, float).reshape(-1, 7), place[0], place[1], AROUND_M, GROUND_CELLS_PER_M,
            with_beams=bool(self._air.night > LAMPS_ON),
        )  # fmt: skip


def _within_reach(actors: Sequence[DrawnActor], cameras: Sequence[Camera]) -> list[DrawnActor]:
    """The actors near enough to some camera; those left out would not be drawn anyway."""
    eyes = np.array([(c.x, c.y, c.z) for c in cameras], float).reshape(-1, 1, 3)
    places = np.array([(a.x, a.y, a.z) for a in actors], float).reshape(1, -1, 3)
    near = (np.linalg.norm(places - eyes, axis=2) < BODY_REACH_M + LONGEST_BODY_M).any(0)
    return [actor for actor, is_near in zip(actors, near, strict=True) if is_near]


def _place(camera: Camera) -> tuple[float, float, float]:
    """The middle of the square of ground a camera is in: cameras that share it share their surroundings."""
    x, y, z = (PLACE_M * round(value / PLACE_M) for value in (camera.x, camera.y, camera.z))
    return x, y, z
