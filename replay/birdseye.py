"""One moment from above: map, lights, every road user, what the model says it sees, what it plans.

Knows how one moment looks; knows nothing of files or of time passing. Truth is filled, what the model says is outlined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.geometry import box_corners
from drive_agent.roadmap import RoadMap
from drive_agent.types import ActorInfo, LightState, ObjectKind, Truth
from replay import palette
from replay.draw import disc, fill, polyline, simplified
from replay.episode import Moment, Pose
from replay.map_picture import MapPicture
from replay.plans import colored_path, stops
from replay.sizes import nominal_size

OVERSAMPLING = 1.2  # map pixels per view pixel, so that turning the map does not blur it
BACKGROUND_REACH = 1.05


@dataclass(frozen=True)
class View:
    """How the ground lies on the picture: its size, its scale, where the ego is and which way it looks."""

    width: int
    height: int
    px_per_m: float
    ego_column: float
    ego_row: float
    forward_up: bool = True  # else forward is to the right

    def to_pixels(self, pose: Pose) -> np.ndarray:
        """Affine (2, 3) from world metres to (column, row) when the ego is at `pose`."""
        cos, sin = np.cos(pose.yaw_rad), np.sin(pose.yaw_rad)
        forward, left = np.array([cos, sin]), np.array([-sin, cos])
        rows = np.stack([-left, -forward] if self.forward_up else [forward, -left]) * self.px_per_m
        shift = (self.ego_column, self.ego_row) - rows @ (pose.x_m, pose.y_m)
        return np.column_stack([rows, shift])

    @property
    def reach_m(self) -> float:
        """Distance from the ego to the farthest corner."""
        across = max(self.ego_column, self.width - self.ego_column)
        along = max(self.ego_row, self.height - self.ego_row)
        return float(np.hypot(across, along)) / self.px_per_m


def upward_view(width: int, height: int, px_per_m: float = 6.5) -> View:
    """The ego drives up the picture and sees three times as far ahead as behind."""
    return View(width, height, px_per_m, width / 2, height * 0.75)


def sideways_view(width: int, height: int, px_per_m: float = 7.5) -> View:
    """The ego drives to the right: for wide pictures."""
    return View(width, height, px_per_m, width * 0.3, height / 2, forward_up=False)


class BirdsEye:
    """Draws moments of one drive."""

    def __init__(self, road_map: RoadMap, route: np.ndarray, view: View) -> None:
        self.view = view
        self._map = road_map
        self._picture = MapPicture(
            road_map, route, view.px_per_m * OVERSAMPLING, view.reach_m * BACKGROUND_REACH
        )

    def draw(self, moment: Moment, trail: np.ndarray) -> np.ndarray:
        """The moment as uint8 (height, width, 3); `trail` is where the ego has been, (n, 2) world."""
        view, pose = self.view, moment.pose
        affine = view.to_pixels(pose)
        image = self._picture.view(np.array([pose.x_m, pose.y_m]), affine, view.width, view.height)
        canvas = _Canvas(image, affine, view.px_per_m)
        self._draw_lights(canvas, moment.truth)
        polyline(image, simplified(canvas.pixels(trail)), palette.TRAIL, 2)
        _draw_plan(canvas, moment)
        _draw_actors(canvas, moment.truth)
        _draw_seen(canvas, moment)
        return image

    def _draw_lights(self, canvas: _Canvas, truth: Truth) -> None:
        for stop in self._map.stop_lines:
            state = truth.lights.get(stop.signal_id, LightState.NONE)
            if state is LightState.NONE:
                continue
            ends = canvas.pixels(stop.segment)
            if canvas.shows(ends):
                polyline(
                    canvas.image, ends, palette.LIGHT_COLORS[state], max(round(0.55 * canvas.px_per_m), 2)
                )


@dataclass(frozen=True)
class _Canvas:
    image: np.ndarray
    affine: np.ndarray
    px_per_m: float

    def pixels(self, points_world: np.ndarray) -> np.ndarray:
        return np.asarray(points_world)[..., :2] @ self.affine[:, :2].T + self.affine[:, 2]

    def shows(self, pixels: np.ndarray) -> bool:
        height, width = self.image.shape[:2]
        return bool((pixels.max(0) > 0).all() and (pixels.min(0) < (width, height)).all())


def _draw_plan(canvas: _Canvas, moment: Moment) -> None:
    if moment.plan is None or moment.plan_pose is None:
        return
    path, colors, reach = colored_path(moment.plan, step_m=1.0)
    pixels = canvas.pixels(moment.plan_pose.to_world(path))
    width = max(round(0.55 * canvas.px_per_m), 2)
    rest = palette.STOP if stops(moment.plan) else palette.FAINT
    polyline(canvas.image, simplified(pixels[reach:]), rest, 2)
    for k in range(min(reach, len(pixels) - 1)):
        polyline(canvas.image, pixels[k : k + 2], colors[k], width)


def _draw_actors(canvas: _Canvas, truth: Truth) -> None:
    for k in range(len(truth.ids) - 1, -1, -1):  # the ego, first in the rows, on top
        row, info = truth.actors[k], truth.infos[truth.ids[k]]
        if not canvas.shows(canvas.pixels(row[None, :2]) + np.array([[-40.0, -40.0], [40.0, 40.0]])):
            continue
        if info.kind is ObjectKind.WALKER:
            x, y = canvas.pixels(row[:2])
            disc(canvas.image, x, y, max(0.45 * canvas.px_per_m, 2.5), palette.KIND_COLORS[info.kind])
        else:
            _draw_box(canvas, row, info, palette.EGO if k == 0 else palette.KIND_COLORS[info.kind])


def _draw_box(canvas: _Canvas, row: np.ndarray, info: ActorInfo, color: palette.Color) -> None:
    """The box, and a darker band where the windscreen is, so that one sees which way it looks."""
    pose = Pose(row[0], row[1], row[3])
    middle_m, half_length, half_width = info.center_forward_m, info.half_length_m, info.half_width_m
    body = box_corners(middle_m, 0.0, 0.0, half_length, half_width)
    fill(canvas.image, canvas.pixels(pose.to_world(body)), color)
    if info.kind is ObjectKind.VEHICLE:
        band = box_corners(middle_m + 0.32 * half_length, 0.0, 0.0, 0.14 * half_length, 0.8 * half_width)
        fill(canvas.image, canvas.pixels(pose.to_world(band)), palette.shade(color, 0.5))


def _draw_seen(canvas: _Canvas, moment: Moment) -> None:
    if moment.scene is None or moment.scene_pose is None:
        return
    pose = moment.scene_pose
    for k, seen in enumerate(moment.scene.objects):
        half_length, half_width, _ = nominal_size(seen.kind)
        box = box_corners(seen.x_m, seen.y_m, seen.heading_rad, half_length, half_width)
        polyline(canvas.image, canvas.pixels(pose.to_world(box)), palette.SEEN, 1, closed=True)
        if moment.forecast is not None:
            future = canvas.pixels(pose.to_world(moment.forecast.positions_ego[k]))
            if np.linalg.norm(future[-1] - canvas.pixels(pose.to_world(np.array([seen.x_m, seen.y_m])))) < 4:
                continue
            for radius, (x, y) in zip((2.6, 2.2, 1.8), future, strict=True):
                disc(canvas.image, x, y, radius, palette.SEEN)
