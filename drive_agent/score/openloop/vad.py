"""VAD's protocol: means over the steps up to a horizon, whole samples dropped at a scene's end, agents present now.

Agents keep their size of now and move by summed differences for as long as they are annotated without a gap; the map's
rows run backwards, and the box lies from -2 to +2 m on it. Source: hustvl/VAD, planner/metric_stp3.py and
vad_nuscenes_converter.py.
"""

from __future__ import annotations

import numpy as np

from drive_agent.score.openloop import coarse
from drive_agent.score.openloop.cases import Cases, box_rings
from drive_agent.score.openloop.classes import road_users
from drive_agent.score.openloop.rasters import collisions
from drive_agent.score.openloop.steps import StepVectors


def judge(cases: Cases) -> list[StepVectors]:
    """L2 and collisions of every step by VAD's rules, plan by plan."""
    boxes = cases.boxes_lidar
    sizes_now = np.broadcast_to(boxes[:, :, :1, 2:4], boxes[:, :, 1:, 2:4].shape)
    corners = box_rings(np.concatenate([boxes[:, :, 1:, :2], sizes_now, boxes[:, :, 1:, 4:]], axis=-1))
    rings = coarse.rounded_rings(corners * (1.0, -1.0))
    unbroken = np.logical_and.accumulate(cases.box_ok, axis=-1)[..., 1:]
    kept = (
        cases.is_class(road_users(cases.class_names)) & cases.loaded_by_vad & (cases.box_points[..., 0] > 0)
    )
    there = unbroken & kept[..., None]
    truth, *hits = _hits(rings, there, cases.paths_lidar)
    return [
        StepVectors(
            cases.is_complete,
            cases.mask,
            np.linalg.norm(plan.lidar - cases.gt_lidar, axis=-1),
            hit & ~truth,
            truth,
        )
        for plan, hit in zip(cases.plans, hits, strict=True)
    ]


def _hits(rings: np.ndarray, there: np.ndarray, paths: np.ndarray) -> np.ndarray:
    cells = coarse.footprint_at(paths[..., ::-1])
    rows, columns = coarse.on_map(coarse.SIZE - cells[..., 0]), coarse.on_map(cells[..., 1])
    spans = (coarse.span(rows), coarse.span(columns))
    return collisions(rings, there, spans, coarse.SIZE, lambda *at: (rows[at], columns[at]))
