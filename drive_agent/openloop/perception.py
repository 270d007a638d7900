"""What a model saw, by nuScenes' detection metrics: its words and the annotations of a scene as boxes of `score.openloop.detection`.

A model of ours tells class, place, heading and speed of whom it sees. What it does not tell is filled in, the same for every
model, and so the errors of size and attribute judge the filling: sizes are the means of nuScenes' training boxes (the anchors of
OpenPCDet's nuScenes configurations, open-mmlab/OpenPCDet, cbgs_*.yaml), attributes follow from speed. Vehicles are told as cars,
cyclists as bicycles: the seven other classes are never found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from drive_agent.data.export_tables import attribute_of
from drive_agent.score.openloop.classes import detection_class
from drive_agent.score.openloop.detection import RACK, BoxSet
from drive_agent.types import ObjectKind, Scene, SceneObject

TOLD_AS = {
    ObjectKind.VEHICLE: ("car", "vehicle.car", (1.97, 4.63, 1.74)),
    ObjectKind.CYCLIST: ("bicycle", "vehicle.bicycle", (0.60, 1.70, 1.28)),
    ObjectKind.WALKER: ("pedestrian", "human.pedestrian.adult", (0.67, 0.73, 1.77)),
}  # detection class, category, size


def told_boxes(scene: Scene | None, truth: Mapping[str, np.ndarray], k: int) -> BoxSet:
    """Whom a model said it sees at sample `k`; nobody without a scene."""
    things = [thing for thing in scene.objects if thing.kind in TOLD_AS] if scene else []
    heading = np.array([thing.heading_rad for thing in things])
    speed = np.array([thing.speed_mps for thing in things])
    told = BoxSet(
        np.array([TOLD_AS[thing.kind][0] for thing in things], dtype=str),
        np.array([(thing.x_m, thing.y_m) for thing in things]).reshape(-1, 2),
        np.array([TOLD_AS[thing.kind][2] for thing in things]).reshape(-1, 3),
        heading,
        np.stack([speed * np.cos(heading), speed * np.sin(heading)], axis=-1),
        np.array([_attribute(thing) for thing in things], dtype=str),
        np.array([thing.score for thing in things]),
    )
    return _out_of_racks(told, truth, k)


def true_boxes(truth: Mapping[str, np.ndarray], k: int) -> BoxSet:
    """Whom the benchmark asks for at sample `k`: annotated, of a detection class, with a point inside, in no bicycle rack."""
    names = np.array([detection_class(str(name)) for name in truth["class_names"]], dtype=str)
    asked = truth["box_ok"][k, :, 0] & (truth["box_points"][k, :, 0] > 0)
    rows = np.flatnonzero(asked & (names[truth["box_class"][k]] != "")) if len(names) else np.zeros(0, int)
    boxes = truth["boxes"][k, rows, 0]
    true = BoxSet(
        names[truth["box_class"][k, rows]] if len(rows) else np.zeros(0, str),
        boxes[:, :2],
        np.column_stack([boxes[:, 2:4], truth["box_height"][k, rows]]),
        boxes[:, 4],
        truth["box_velocity"][k, rows],
        truth["box_attribute"][k, rows],
        np.zeros(len(rows)),
    )
    return _out_of_racks(true, truth, k)


def boxes_of(
    scenes: Sequence[Scene | None], truth: Mapping[str, np.ndarray]
) -> tuple[list[BoxSet], list[BoxSet]]:
    """Told and true boxes of every sample of a drive."""
    samples = range(len(scenes))
    return [told_boxes(scenes[k], truth, k) for k in samples], [true_boxes(truth, k) for k in samples]


def _attribute(thing: SceneObject) -> str:
    return attribute_of(TOLD_AS[thing.kind][1], abs(thing.speed_mps))


def _out_of_racks(boxes: BoxSet, truth: Mapping[str, np.ndarray], k: int) -> BoxSet:
    """Without the bicycles and motorcycles that stand in a bicycle rack, seen from above: nobody has to find those."""
    is_rack = (
        truth["class_names"][truth["box_class"][k]] == RACK
        if len(truth["class_names"])
        else np.zeros(0, bool)
    )
    kept = np.ones(len(boxes.scores), bool)
    for x, y, width, length, yaw in truth["boxes"][k, is_rack & truth["box_ok"][k, :, 0], 0]:
        gap = boxes.centers - (x, y)
        along, across = gap @ (np.cos(yaw), np.sin(yaw)), gap @ (-np.sin(yaw), np.cos(yaw))
        inside = (np.abs(along) <= length / 2) & (np.abs(across) <= width / 2)
        kept &= ~(inside & np.isin(boxes.classes, ("bicycle", "motorcycle")))
    return boxes.of(kept)
