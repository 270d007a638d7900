"""Results of open loop on disk and on the screen: openloop.json, samples.parquet, the table. Scores nothing."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from drive_agent.openloop.planned import Planned
from drive_agent.openloop.sub_scores import NAMES as PDMS
from drive_agent.openloop.truth import SceneTruth
from drive_agent.score.openloop.labels import COMMANDS, command
from drive_agent.score.openloop.steps import StepVectors
from drive_agent.score.openloop.table import PROTOCOLS, counts, rows

Inputs = Mapping[str, tuple[bool | None, bool | None]]
COLUMNS = ("1s", "2s", "3s", "avg")
NAME_WIDTH = 18  # of a planner in the printed tables
SCENES_A_PART = 32  # many small arrays cost more than what they hold
ROWS_A_GROUP = 5000  # of samples.parquet; every group costs memory until the file is closed


@dataclass(frozen=True)
class Sample:
    """One planner on one scene."""

    scene: SceneTruth
    planned: Planned
    verdicts: dict[str, StepVectors]
    sub_scores: np.ndarray  # (n, 6) of `sub_scores.NAMES`, of the plans whose 3 s were recorded


@dataclass
class _Tally:
    """What the table needs of one planner's samples; their plans are let go."""

    plans: int = 0
    without_plan: int = 0
    failed: int = 0
    verdicts: dict[str, list[StepVectors]] = field(default_factory=lambda: {name: [] for name in PROTOCOLS})
    sub_scores: list[np.ndarray] = field(default_factory=list)

    def add(self, sample: Sample) -> None:
        planned = sample.planned
        self.plans += len(planned.rows)
        self.without_plan += len(sample.scene.tokens) - len(planned.rows)
        self.failed += int(planned.failed.sum())
        self.sub_scores.append(sample.sub_scores)
        for protocol, found in sample.verdicts.items():
            parts = self.verdicts[protocol]
            parts.append(found)
            if len(parts) == SCENES_A_PART:
                parts[:] = [StepVectors.joined(parts)]


def write_results(
    out: Path,
    samples: Iterable[Sample],
    inputs: Inputs,
    settings: Mapping[str, object],
    seen: Mapping[str, object],
) -> None:
    """Write openloop.json and samples.parquet into `out`, each whole or not at all; the rows of samples as they come.

    `seen`: planner -> figures of what it saw and foretold.
    """
    out.mkdir(parents=True, exist_ok=True)
    tallies: dict[str, _Tally] = {}
    no_map: dict[str, str] = {}
    rows_file = out / ".samples.parquet"
    with _parquet(rows_file) as write_rows:
        for sample in samples:
            write_rows(sample)
            tallies.setdefault(sample.planned.planner, _Tally()).add(sample)
            if sample.scene.no_map:
                no_map[sample.scene.name] = sample.scene.no_map
    planners = {
        name: _summary(tally, *inputs.get(name, (None, None)))
        | ({"perception": seen[name]} if name in seen else {})
        for name, tally in tallies.items()
    }
    result = {
        "settings": dict(settings),
        "protocols": {name: protocol.note for name, protocol in PROTOCOLS.items()},
        "scenes_without_map": dict(Counter(no_map.values())),
        "planners": planners,
    }
    partial = out / ".openloop.json"
    partial.write_text(json.dumps(_without_nan(result), indent=1))
    rows_file.replace(out / "samples.parquet")
    partial.replace(out / "openloop.json")


def print_table(out: Path, console: Console) -> None:
    """The tables of openloop.json, 80 columns wide: who planned what from which inputs, a block a protocol, and the rest."""
    result = json.loads((out / "openloop.json").read_text())
    planners: dict[str, dict] = result["planners"]
    width = min(max(map(len, planners), default=0), NAME_WIDTH)
    told = {None: "?", True: "yes", False: "no"}
    lines = [f"{'planner':{width}}  plans  without  failed  ego status  command"]
    for planner, row in planners.items():
        inputs = f"{told[row['ego_status']]:>10} {told[row['command']]:>8}"
        lines.append(
            f"{planner[:width]:{width}} {row['plans']:6} {row['without_plan']:8} {row['failed']:7}  {inputs}"
        )
    for protocol, note in result["protocols"].items():
        lines += ["", f"{protocol}: {note}", *_block(planners, protocol, width)]
    lines += _sub_score_block(planners, result["scenes_without_map"], width)
    for planner, row in planners.items():
        if "perception" in row:
            lines += _perception_block(planner, row["perception"])
        if "nuscenes_detection" in row.get("perception", {}):
            lines += _detection_block(planner, row["perception"]["nuscenes_detection"])
    for line in lines:
        console.print(line, markup=False)


def _block(planners: Mapping[str, dict], protocol: str, width: int) -> list[str]:
    if not any(row["protocols"][protocol]["samples"] for row in planners.values()):
        return ["  no sample lasts long enough"]
    lines = [f"{'':{width}}   L2 m                         collision %"]
    lines.append(
        f"{'':{width}}{'1s':>7}{'2s':>7}{'3s':>7}{'avg':>7}{'1s':>8}{'2s':>6}{'3s':>6}{'avg':>6} samples"
    )
    for planner, row in planners.items():
        scores = row["protocols"][protocol]
        errors = "".join(_cell(scores["L2"][c], 3, 1.0, 7) for c in COLUMNS)
        hits = "".join(_cell(scores["obj_box_col"][c], 2, 100.0, 6) for c in COLUMNS)
        lines.append(f"{planner[:width]:{width}}{errors}  {hits}{scores['samples']:8}")
    return lines


def _sub_score_block(planners: Mapping[str, dict], without_map: Mapping[str, int], width: int) -> list[str]:
    heads = ("no coll.", "on road", "progress", "TTC", "comfort", "PDMS")
    lines = ["", "pdms_style: sub-scores in NAVSIM's style, %; see docs/openloop.md for what differs"]
    judged = {planner: row["pdms_style"] for planner, row in planners.items() if row["pdms_style"]}
    if judged:
        lines.append(f"{'':{width}}{''.join(f'{head:>9}' for head in heads)}{'plans':>7}")
    for planner, scores in judged.items():
        cells = "".join(_cell(scores[name], 1, 100.0, 9) for name in PDMS)
        lines.append(f"{planner[:width]:{width}}{cells}{scores['plans']:7}")
    lines += [f"  without {scenes} scene(s): {reason}" for reason, scenes in without_map.items()]
    return lines if judged or without_map else [*lines, "  no sample lasts long enough"]


def _perception_block(planner: str, seen: Mapping[str, Any]) -> list[str]:
    """What a model saw within 40 m, and what it foretold of whom it saw."""
    lines = ["", f"seen by {planner} within 40 m, and its forecasts (one mode, missed: 2 m at 3 s)"]
    lines.append(f"{'':10}to see  found  false alarms  minADE m  minFDE m  missed %    EPA")
    for group, future in seen["prediction"].items():
        found = seen["detection"][group]
        lines.append(
            f"{group:10}{found['to_see']:6}{found['found']:7}{found['false_alarms']:14}"
            f"{_cell(future['min_ade_m'], 2, 1.0, 10)}{_cell(future['min_fde_m'], 2, 1.0, 10)}"
            f"{_cell(future['miss_rate'], 1, 100.0, 10)}{_cell(future['epa'], 3, 1.0, 7)}"
        )
    return lines


def _detection_block(planner: str, scores: Mapping[str, Any]) -> list[str]:
    """nuScenes' own figures, and those of the classes that a model can tell or that were there."""
    lines = ["", f"seen by {planner}, nuScenes' metrics; *: size and attribute are filled in"]
    lines.append(f"{'':20}boxes     AP  ATE m   ASE*  AOE rad  AVE m/s   AAE*")
    for name, row in scores["classes"].items():
        if row["boxes"]:
            lines.append(f"{name:20}{row['boxes']:5}{_errors(row, 'AP', '')}")
    return [*lines, f"{'mean of 10 classes':25}{_errors(scores, 'mAP', 'm')}", f"NDS {scores['NDS']:.3f}"]


def _errors(row: Mapping[str, Any], precision: str, prefix: str) -> str:
    widths = {"ATE": 7, "ASE": 7, "AOE": 9, "AVE": 9, "AAE": 7}
    errors = (_cell(row[prefix + error], 3, 1.0, width) for error, width in widths.items())
    return f"{row[precision]:7.3f}{''.join(errors)}"


def _summary(tally: _Tally, ego_status: bool | None, told: bool | None) -> dict[str, Any]:  # noqa: FBT001
    joined = {protocol: StepVectors.joined(parts) for protocol, parts in tally.verdicts.items()}
    scores = rows(joined)
    return {
        "ego_status": ego_status,
        "command": told,
        "plans": tally.plans,
        "without_plan": tally.without_plan,
        "failed": tally.failed,
        "pdms_style": _mean_sub_scores(np.concatenate(tally.sub_scores)),
        "protocols": {protocol: {**scores[protocol], **counts(joined[protocol])} for protocol in PROTOCOLS},
    }


def _mean_sub_scores(found: np.ndarray) -> dict[str, float | int] | None:
    """Means over plans, None where none could be judged."""
    means = dict(zip(PDMS, found.mean(axis=0).tolist(), strict=True)) if len(found) else None
    return {**means, "plans": len(found)} if means else None


@contextmanager
def _parquet(file: Path) -> Iterator[Callable[[Sample], None]]:
    """Writes one row a planner, protocol and sample, with the step vectors that every average is made of."""
    import pyarrow
    from pyarrow import parquet

    schema = _schema(pyarrow)
    waiting: list[Any] = []

    def write(sample: Sample) -> None:
        waiting.extend(
            pyarrow.table(_columns(sample, protocol, vectors), schema=schema)
            for protocol, vectors in sample.verdicts.items()
        )
        if sum(table.num_rows for table in waiting) >= ROWS_A_GROUP:
            flush()

    def flush() -> None:
        if waiting:
            writer.write_table(pyarrow.concat_tables(waiting))
            waiting.clear()

    with parquet.ParquetWriter(file, schema) as writer:
        yield write
        flush()


def _schema(pyarrow: Any) -> Any:
    per_step, flags = pyarrow.list_(pyarrow.float64()), pyarrow.list_(pyarrow.bool_())
    text, number, flag = pyarrow.string(), pyarrow.int64(), pyarrow.bool_()
    fields = [("scene", text), ("token", text), ("time_us", number), ("command", text), ("planner", text)]
    fields += [("protocol", text), ("failed", flag), ("used", flag)]
    fields += [("l2_m", per_step), ("collided", flags), ("truth_collided", flags)]
    return pyarrow.schema(fields)


def _columns(sample: Sample, protocol: str, vectors: StepVectors) -> dict[str, list]:
    arrays, at = sample.scene.arrays, sample.planned.rows
    told = command(arrays["gt_lidar"], arrays["mask"])[at]
    count = len(at)
    return {
        "scene": [sample.scene.name] * count,
        "token": arrays["tokens"][at].tolist(),
        "time_us": arrays["times_us"][at].tolist(),
        "command": [COMMANDS[k] for k in told],
        "planner": [sample.planned.planner] * count,
        "protocol": [protocol] * count,
        "failed": sample.planned.failed.tolist(),
        "used": vectors.used.tolist(),
        "l2_m": np.asarray(vectors.l2_m, float).tolist(),
        "collided": vectors.collided.tolist(),
        "truth_collided": vectors.truth_collided.tolist(),
    }


def _cell(value: float | None, digits: int, scale: float, width: int) -> str:
    return f"{'-' if value is None else f'{value * scale:.{digits}f}':>{width}}"


def _without_nan(value: Any) -> Any:
    """JSON knows no nan: a protocol that could use no sample says null."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
