"""UniAD's protocol: values at a step, every sample counts, vehicles only, box that never turns.

Steps after a scene's end have error 0 and a full map: the truth "collides" there, so nothing counts, but the sample
stays in the divisor. Source: OpenDriveLab/UniAD, planning_metrics.py and occflow_label.py.
"""

from __future__ import annotations

import numpy as np

from drive_agent.score.openloop import coarse
from drive_agent.score.openloop.cases import Cases, box_rings
from drive_agent.score.openloop.classes import VEHICLES, of_detection_classes
from drive_agent.score.openloop.rasters import collisions
from drive_agent.score.openloop.steps import StepVectors, single_distance


def judge(cases: Cases) -> list[StepVectors]:
    """L2 and collisions of every step by UniAD's rules, plan by plan."""
    # columns to the right, rows forward: the lidar's own axes
    rings = coarse.rounded_rings(box_rings(cases.boxes_lidar[:, :, 1:]))
    there = (
        cases.box_ok[..., 1:] & cases.is_class(of_detection_classes(cases.class_names, VEHICLES))[..., None]
    )
    truth, *hits = _hits(rings, there, cases.paths_lidar)
    truth |= ~cases.mask
    every = np.ones_like(cases.mask)
    return [
        StepVectors(
            every[:, 0], every, single_distance(plan.lidar, cases.gt_lidar) * cases.mask, hit & ~truth, truth
        )
        for plan, hit in zip(cases.plans, hits, strict=True)
    ]


def _hits(rings: np.ndarray, there: np.ndarray, paths: np.ndarray) -> np.ndarray:
    cells = coarse.on_map(coarse.footprint_at(paths[..., ::-1]))
    rows, columns = cells[..., 0], cells[..., 1]
    spans = (coarse.span(rows), coarse.span(columns))
    return collisions(rings, there, spans, coarse.SIZE, lambda *at: (rows[at], columns[at]))
