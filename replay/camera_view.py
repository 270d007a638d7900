"""The front camera's picture, enlarged, with what the model sees and plans drawn where it lies on the road.

Plan and objects are shown relative to the picture: moved from the pose they were made at to the pose it was taken at.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from drive_agent.geometry import box_corners
from drive_agent.rig import CameraMount
from drive_agent.types import LightState, ObjectKind, SceneObject
from replay import palette
from replay.draw import disc, fade, polyline, polylines, translucent
from replay.episode import Moment, Picture, Pose
from replay.labels import Label, Rectangle, draw_labels
from replay.plans import colored_path, stops
from replay.sizes import nominal_size
from replay.text import put, width_of

RIBBON_HALF_WIDTH_M = 0.85
NEAR_M = 0.4  # nothing nearer to the camera is drawn
SHOWN_SCORE = 0.3
LABELLED = 6  # nearest objects that get a label
LABEL_FREE_PX = 20.0  # above a box that reaches over the picture's upper edge, room for its label
KIND_WORDS = {ObjectKind.VEHICLE: "vehicle", ObjectKind.CYCLIST: "cyclist", ObjectKind.WALKER: "walker"}
_EDGES = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)]


class CameraView:
    """Draws on pictures of one camera enlarged to `width` x `height`."""

    def __init__(
        self, mount: CameraMount, width: int, height: int, taken: tuple[Rectangle, ...] = ()
    ) -> None:
        """`taken`: places of the picture that something else will cover."""
        self.width, self.height = width, height
        self._taken = taken
        self._scale = np.array([width / mount.width, height / mount.height])
        self._mount = mount

    def draw(self, picture: Picture, moment: Moment) -> np.ndarray:
        """The picture with everything of the moment over it, uint8 (height, width, 3)."""
        image = cv2.resize(picture.rgb, (self.width, self.height), interpolation=cv2.INTER_CUBIC)
        if moment.plan is not None and moment.plan_pose is not None:
            self._draw_plan(image, moment, picture.pose)
        if moment.scene is not None and moment.scene_pose is not None:
            labels = self._draw_objects(image, moment, picture.pose)
            lamp = _draw_light(image, moment.scene.light, moment.scene.light_prob)
            draw_labels(image, labels, palette.SEEN, [*self._taken, *lamp])
        return image

    def _pixels(self, points_ego: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places (n, 2) on the enlarged picture and depths (n,) of ego points (n, 3)."""
        pixels, depth = self._mount.project(points_ego)
        return pixels * self._scale, depth

    def _draw_plan(self, image: np.ndarray, moment: Moment, now: Pose) -> None:
        assert moment.plan is not None and moment.plan_pose is not None
        path, colors, reach = colored_path(moment.plan, step_m=0.5)
        path = now.from_world(moment.plan_pose.to_world(path))
        step = np.gradient(path, axis=0)
        normal = (
            np.stack([-step[:, 1], step[:, 0]], -1) / np.maximum(np.linalg.norm(step, axis=1), 1e-9)[:, None]
        )
        sides = [path + side * RIBBON_HALF_WIDTH_M * normal for side in (1.0, -1.0)]
        (left, depth_left), (right, depth_right) = (self._pixels(_on_ground(side)) for side in sides)
        seen = np.flatnonzero((depth_left > NEAR_M) & (depth_right > NEAR_M))
        seen = seen[:-1][np.diff(seen) == 1]  # quads need both their ends
        quads = [np.array([left[k], left[k + 1], right[k + 1], right[k]]) for k in seen]
        rest = palette.STOP if stops(moment.plan) else palette.MUTED
        shades = [colors[k] if k < reach else rest for k in seen]
        alphas = [(0.52 if k < reach else 0.24) * _fading(depth_left[k]) for k in seen]
        translucent(image, quads[::-1], shades[::-1], alphas[::-1])
        for edge in (left, right):
            for k in seen[seen < reach]:
                polyline(image, edge[k : k + 2], palette.shade(colors[k], 1.15), 2)

    def _draw_objects(self, image: np.ndarray, moment: Moment, now: Pose) -> list[Label]:
        """Boxes and futures; returns what is to be written over the nearest ones, the nearest first."""
        assert moment.scene is not None and moment.scene_pose is not None
        shift, objects, labels = _between(moment.scene_pose, now), moment.scene.objects, []
        for k in sorted(range(len(objects)), key=lambda k: -objects[k].x_m):
            seen = objects[k]
            if seen.score < SHOWN_SCORE:
                continue
            seen = _moved(seen, shift)
            if moment.forecast is not None:
                future = now.from_world(moment.scene_pose.to_world(moment.forecast.positions_ego[k]))
                self._draw_future(image, seen, future)
            labels += self._draw_box(image, seen)
        return labels[: -LABELLED - 1 : -1]

    def _draw_box(self, image: np.ndarray, seen: SceneObject) -> list[Label]:
        """The box and its label; nothing for what is not in the picture."""
        half_length, half_width, half_height = nominal_size(seen.kind)
        ring = box_corners(seen.x_m, seen.y_m, seen.heading_rad, half_length, half_width)
        corners = np.concatenate([_on_ground(ring), _on_ground(ring) + (0.0, 0.0, 2 * half_height)])
        pixels, depth = self._pixels(corners)
        if (depth < NEAR_M).any():
            return []
        low, high = pixels.min(0), pixels.max(0)
        if (high < 0).any() or (low > (self.width, self.height)).any():
            return []
        translucent(image, [pixels[:4]], [palette.SEEN], [0.25])
        polylines(image, [pixels[list(edge)] for edge in _EDGES], palette.SEEN, 1)
        text = f"{KIND_WORDS[seen.kind]} {np.hypot(seen.x_m, seen.y_m):.0f} m · {seen.speed_mps:.0f} m/s"
        return [Label(text, float(low[0] + high[0]) / 2, float(max(low[1], LABEL_FREE_PX)))]

    def _draw_future(self, image: np.ndarray, seen: SceneObject, future: np.ndarray) -> None:
        """A thin track on the ground to where the object will be, a dot each second."""
        pixels, depth = self._pixels(_on_ground(np.vstack([(seen.x_m, seen.y_m), future])))
        if (depth < NEAR_M).any() or np.linalg.norm(future[-1] - (seen.x_m, seen.y_m)) < 1.0:
            return
        polyline(image, pixels, palette.SEEN, 1)
        for x, y in pixels[1:]:
            disc(image, x, y, 2.5, palette.SEEN)


def _on_ground(points: np.ndarray) -> np.ndarray:
    return np.column_stack([points, np.zeros(len(points))])


def _fading(depth_m: float) -> float:
    """Far parts of a ribbon are fainter."""
    return float(np.interp(depth_m, (5.0, 45.0), (1.0, 0.45)))


def _between(then: Pose, now: Pose) -> Pose:
    """The pose of one ego frame in another."""
    x, y = now.from_world(np.array([then.x_m, then.y_m]))
    return Pose(float(x), float(y), then.yaw_rad - now.yaw_rad)


def _moved(seen: SceneObject, shift: Pose) -> SceneObject:
    x, y = shift.to_world(np.array([seen.x_m, seen.y_m]))
    return replace(seen, x_m=float(x), y_m=float(y), heading_rad=seen.heading_rad + shift.yaw_rad)


def _draw_light(image: np.ndarray, light: LightState, probability: float) -> list[Rectangle]:
    """A small lamp in the corner: which light the model believes to govern. Returns the place it takes, if any."""
    if light is LightState.NONE:
        return []
    text = f"{light.name.lower()} {probability:.2f}"
    width = width_of(text, 15, bold=True) + 40
    fade(image, 14, 14, width, 28, palette.PANEL, 0.72)
    disc(image, 30, 28, 7, palette.LIGHT_COLORS[light])
    put(image, text, 44, 33, 15, palette.TEXT, bold=True)
    return [(14, 14, width, 28)]
