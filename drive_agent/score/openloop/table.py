"""Every protocol over the same cases, and one table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drive_agent.score.openloop import bevplanner, exact, stp3, uniad, vad
from drive_agent.score.openloop.cases import Cases
from drive_agent.score.openloop.classes import BEV_PLANNER_LABEL_TOOL
from drive_agent.score.openloop.steps import (
    Average,
    Row,
    StepVectors,
    any_up_to_step,
    at_step,
    single_at_step,
    single_up_to_step,
    up_to_step,
)


@dataclass(frozen=True)
class Protocol:
    """How samples are judged step by step, how steps become a row, and what a reader must know."""

    judge: Callable[[Cases], list[StepVectors]]
    l2: Average
    collision: Average
    note: str


PROTOCOLS: dict[str, Protocol] = {
    "uniad": Protocol(
        uniad.judge,
        single_at_step,
        single_at_step,
        "at the step; all samples, missing steps count as 0; vehicles only",
    ),
    "stp3": Protocol(
        stp3.judge,
        single_up_to_step,
        single_up_to_step,
        "mean up to the step; full past and future; vehicles and humans",
    ),
    "vad": Protocol(
        vad.judge, up_to_step, up_to_step, "mean up to the step; full future; vehicles and humans present now"
    ),
    "bevplanner": Protocol(
        bevplanner.judge,
        up_to_step,
        any_up_to_step,
        "L2 mean, collision any up to the step; box turns; no bicycles, with pedestrians (labels in data set order)",
    ),
    "bevplanner_tool": Protocol(
        lambda cases: bevplanner.judge(cases, BEV_PLANNER_LABEL_TOOL),
        up_to_step,
        any_up_to_step,
        "as bevplanner; with bicycles, no pedestrians (labels in label tool order)",
    ),
    "exact": Protocol(
        exact.judge,
        at_step,
        any_up_to_step,
        "L2 at, collision any up to the step; true boxes; missing steps left out",
    ),
}


def step_vectors(cases: Cases) -> list[dict[str, StepVectors]]:
    """What every protocol finds at every step of each plan; memory beside the result does not grow with the samples."""
    parts = [{name: protocol.judge(part) for name, protocol in PROTOCOLS.items()} for part in cases.parts()]
    return [
        {name: StepVectors.joined([part[name][plan] for part in parts]) for name in PROTOCOLS}
        for plan in range(len(cases.plans))
    ]


def rows(found: Mapping[str, StepVectors]) -> dict[str, dict[str, Row]]:
    """Protocol -> "L2" in metres, "obj_box_col" and, where curbs are known, "ccr" as fractions -> 1s, 2s, 3s, avg."""
    table: dict[str, dict[str, Row]] = {}
    for name, vectors in found.items():
        protocol = PROTOCOLS[name]
        table[name] = {
            "L2": vectors.row(protocol.l2, vectors.l2_m),
            "obj_box_col": vectors.row(protocol.collision, vectors.collided),
        }
        if vectors.curb is not None:
            table[name]["ccr"] = vectors.row(any_up_to_step, vectors.curb)
    return table


def counts(vectors: StepVectors) -> dict[str, Any]:
    """Samples that a protocol uses, and in how many of them the recorded path itself collides."""
    return {
        "samples": int(vectors.used.sum()),
        "samples_dropped": int((~vectors.used).sum()),
        "truth_collisions": int(vectors.truth_collided[vectors.used].any(axis=1).sum()),
    }


def score_plans(cases: Mapping[str, Any]) -> dict[str, dict[str, Row]]:
    """Score planned paths by every protocol: {protocol: {"L2" | "obj_box_col": {"1s", "2s", "3s", "avg"}}}.

    L2 is in metres, collision rates are fractions; a protocol that can use no sample answers nan. `cases` maps names
    to arrays (N samples, A agents at most, step 0 is now, 6 steps of 0.5 s):

    * `ego_pose` (N, 7, 3): x, y, yaw of the ego frame at 0 to 3 s in the ego frame of now (x forward, y left);
    * `gt_lidar`, `pred_lidar` (N, 6, 2): true and planned path of the LIDAR_TOP origin in its frame of now (x right,
      y forward), 0 where a step is not there; `mask` (N, 6): is it there;
    * `boxes` (N, A, 7, 5): centre x, y, width, length, yaw in the ego frame of now; `box_class` (N, A): index into
      `class_names` (nuScenes categories or detection classes); `box_ok` (N, A, 7): annotated at that step;
      `box_visibility` (N, A, 7): nuScenes' visibility token;
    * `lidar2ego_t` (3,) or (N, 3), `lidar2ego_q` (4,) or (N, 4), w first; `global_pose` (N, 3).

    `Cases.from_mapping` names the optional arrays. Raises ValueError, one line, for missing or misshapen arrays.
    """
    [found] = step_vectors(Cases.from_mapping(cases))
    return rows(found)
