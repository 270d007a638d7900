"""The cases that open-loop protocols score: what happened, what was planned, who was there, as arrays.

Step 0 is now, steps 1 to 6 are 0.5 to 3 s ahead. *Ego* and *lidar* mean those frames at step 0 (nuScenes: ego is
x forward, y left, at the rear axle on the ground; LIDAR_TOP is x right, y forward, z up). Knows nothing of protocols.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

STEPS = 6
STEP_S = 0.5

_SHAPES = {  # trailing shape after the samples; -1 is the number of agents
    "ego_pose": (STEPS + 1, 3),
    "gt_lidar": (STEPS, 2),
    "pred_lidar": (STEPS, 2),
    "mask": (STEPS,),
    "boxes": (-1, STEPS + 1, 5),
    "box_class": (-1,),
    "box_ok": (-1, STEPS + 1),
    "box_visibility": (-1, STEPS + 1),
    "lidar2ego_t": (3,),
    "lidar2ego_q": (4,),
    "global_pose": (3,),
    "box_z": (-1, STEPS + 1),
    "box_points": (-1, STEPS + 1),
    "loaded_by_vad": (-1,),
    "seen_before": (-1,),
    "has_history": (),
    "pred_ego": (STEPS, 3),
}


@dataclass(frozen=True)
class Paths:
    """What one planner planned for every sample."""

    lidar: np.ndarray  # (N, 6, 2) path of the LIDAR_TOP origin, in lidar
    ego: np.ndarray | None  # (N, 6, 3) x, y, yaw of the ego frame, where the planner says it

    def part(self, start: int, stop: int) -> Paths:
        """The samples from `start` up to `stop`."""
        return Paths(self.lidar[start:stop], None if self.ego is None else self.ego[start:stop])


@dataclass(frozen=True)
class Cases:
    """N samples with at most A agents each, and the plans to judge. Build with `from_mapping`, which checks everything."""

    ego_pose: np.ndarray  # (N, 7, 3) x, y, yaw of the ego frame, in ego
    gt_lidar: np.ndarray  # (N, 6, 2) true path of the LIDAR_TOP origin, in lidar; 0 where the scene has ended
    mask: np.ndarray  # (N, 6) bool: does the scene reach that step
    boxes: np.ndarray  # (N, A, 7, 5) centre x, y, width, length, yaw, in ego
    box_class: np.ndarray  # (N, A) index into class_names
    box_ok: np.ndarray  # (N, A, 7) bool: is the agent annotated at that step
    box_visibility: np.ndarray  # (N, A, 7) nuScenes' visibility token as a number, 1 is 0-40 %; 0 unknown
    class_names: tuple[str, ...]
    lidar2ego_t: np.ndarray  # (N, 3)
    lidar2ego_q: np.ndarray  # (N, 4), w first
    global_pose: np.ndarray  # (N, 3) x, y, yaw of the ego frame in the world
    box_z: np.ndarray  # (N, A, 7) height of the box centre in ego
    box_points: np.ndarray  # (N, A, 7) lidar and radar points in the box
    loaded_by_vad: np.ndarray  # (N, A) bool: kept by the filters of range and class of VAD's loader
    seen_before: np.ndarray  # (N, A) bool: with visibility above 1 in one of the two key frames before now
    has_history: np.ndarray  # (N,) bool: are there two key frames before now in the scene
    plans: tuple[Paths, ...]  # judged together, since what they are judged against is drawn but once
    boundaries: tuple[tuple[np.ndarray, ...], ...] | None = None  # N times polylines (k, 2) of curbs, in ego

    def __len__(self) -> int:
        return len(self.mask)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Cases:
        """Check and complete a mapping of arrays. Optional: `box_z`, `box_points`, `loaded_by_vad`, `seen_before`,
        `has_history`, `pred_ego`, `boundaries`; without them boxes stand at height 0, no filter that needs them is
        applied, and the present is the first frame. `lidar2ego_*` may be given once for all samples.

        Raises ValueError, one line, for a missing or misshapen array or a class without a name.
        """
        missing = [name for name in _REQUIRED if name not in values]
        if missing:
            raise ValueError(f"cases lack {', '.join(missing)}; expected at least {', '.join(_REQUIRED)}")
        unknown = sorted(set(values) - {*_SHAPES, "class_names", "boundaries"})
        if unknown:
            raise ValueError(f"cases have unknown arrays {', '.join(unknown)}; see Cases.from_mapping")
        names = tuple(str(name) for name in values["class_names"])
        arrays = _checked_arrays(values)
        used = arrays["box_class"][arrays["box_ok"].any(axis=-1)]
        if used.size and not 0 <= used.min() <= used.max() < len(names):
            raise ValueError(
                f"cases: box_class holds {used.min()} to {used.max()}, but there are {len(names)} names"
            )
        lines = values.get("boundaries")
        if lines is not None and len(lines) != len(arrays["mask"]):
            raise ValueError(f"cases: boundaries of {len(lines)} samples, expected {len(arrays['mask'])}")
        curbs = (
            None if lines is None else tuple(tuple(np.asarray(k, float) for k in sample) for sample in lines)
        )
        paths = Paths(arrays.pop("pred_lidar"), arrays.pop("pred_ego", None))
        return cls(class_names=names, boundaries=curbs, plans=(paths,), **arrays)

    def part(self, start: int, stop: int) -> Cases:
        """The samples from `start` up to `stop`."""
        given = [
            f.name
            for f in fields(self)
            if f.name not in ("class_names", "plans") and getattr(self, f.name) is not None
        ]
        plans = tuple(plan.part(start, stop) for plan in self.plans)
        return replace(self, plans=plans, **{name: getattr(self, name)[start:stop] for name in given})

    def parts(self, size: int = 256) -> Iterator[Cases]:
        """All samples in pieces, so that memory does not grow with their number; one empty piece where there are none."""
        for start in range(0, max(len(self), 1), size):
            yield self.part(start, start + size)

    @property
    def is_complete(self) -> np.ndarray:
        """Bool (N,): does the scene last for all six steps."""
        return self.mask.all(axis=1)

    @property
    def paths_lidar(self) -> np.ndarray:
        """The true path and those of all plans (1 + P, N, 6, 2), in lidar."""
        return np.stack([self.gt_lidar, *(plan.lidar for plan in self.plans)])

    def is_class(self, chosen: np.ndarray) -> np.ndarray:
        """Bool (N, A): has the agent a class of which `chosen` (classes,) is true."""
        if not self.class_names:
            return np.zeros(self.box_class.shape, bool)
        return chosen[self.box_class.clip(0, len(self.class_names) - 1)]  # unused rows may hold anything

    @cached_property
    def lidar_to_ego(self) -> np.ndarray:
        """Rotation matrices (N, 3, 3)."""
        w, x, y, z = (self.lidar2ego_q / np.linalg.norm(self.lidar2ego_q, axis=1, keepdims=True)).T
        rows = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
        return np.moveaxis(np.array(rows), 2, 0)

    @cached_property
    def lidar_yaw(self) -> np.ndarray:
        """Heading (N,) of the lidar's x axis in ego; about -pi/2 on nuScenes' car."""
        return np.arctan2(self.lidar_to_ego[:, 1, 0], self.lidar_to_ego[:, 0, 0])

    @cached_property
    def boxes_lidar(self) -> np.ndarray:
        """The boxes (N, A, 7, 5) in lidar: centres by the whole rotation, headings by its part about z."""
        centers = np.concatenate([self.boxes[..., :2], self.box_z[..., None]], axis=-1)
        centers = (centers - self.lidar2ego_t[:, None, None]) @ self.lidar_to_ego[:, None]
        yaw = self.boxes[..., 4:5] - self.lidar_yaw[:, None, None, None]
        return np.concatenate([centers[..., :2], self.boxes[..., 2:4], yaw], axis=-1)

    def turned_to_ego(self, path_lidar: np.ndarray) -> np.ndarray:
        """A path (N, 6, 2) in lidar as displacements along ego's axes; lengths are kept."""
        cos, sin = np.cos(self.lidar_yaw)[:, None], np.sin(self.lidar_yaw)[:, None]
        x, y = path_lidar[..., 0], path_lidar[..., 1]
        return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def box_rings(boxes: np.ndarray) -> np.ndarray:
    """Corners (..., 4, 2) of boxes (..., 5) given as centre x, y, width, length, yaw."""
    signs = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) / 2
    along, across = boxes[..., None, 3] * signs[:, 0], boxes[..., None, 2] * signs[:, 1]
    cos, sin = np.cos(boxes[..., None, 4]), np.sin(boxes[..., None, 4])
    return np.stack(
        [boxes[..., None, 0] + cos * along - sin * across, boxes[..., None, 1] + sin * along + cos * across],
        axis=-1,
    )


def _checked_arrays(values: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Every array of `_SHAPES`, the left-out ones with their defaults, of the right shape and type."""
    count, agents = np.shape(values["box_ok"])[:2]
    arrays: dict[str, np.ndarray] = {}
    for name, trailing in _SHAPES.items():
        value = values.get(name, _DEFAULTS.get(name))
        if value is None:
            continue
        array = np.asarray(value)
        if array.dtype.kind in "US":  # visibility tokens are text, "" where there is none
            array = np.where(array == "", "0", array)
        shape = (count, *(agents if size < 0 else size for size in trailing))
        once_for_all = name not in values or (name.startswith("lidar2ego") and array.shape == shape[1:])
        if array.shape != shape and not once_for_all:
            raise ValueError(f"cases: {name} has shape {array.shape}, expected {shape}")
        arrays[name] = np.broadcast_to(array, shape).astype(_DTYPES.get(name, np.float64))
    return arrays


_DTYPES = {
    "mask": bool,
    "box_ok": bool,
    "loaded_by_vad": bool,
    "seen_before": bool,
    "has_history": bool,
    "box_class": np.int64,
    "box_visibility": np.int8,
    "box_points": np.int64,
}
_DEFAULTS: dict[str, float | bool] = {
    "box_z": 0.0,
    "box_points": 1,
    "loaded_by_vad": True,
    "seen_before": False,
    "has_history": True,
}
_REQUIRED: Sequence[str] = (
    *(name for name in _SHAPES if name not in _DEFAULTS and name != "pred_ego"),
    "class_names",
)
