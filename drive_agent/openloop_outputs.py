"""Results of open loop on disk and on the screen: openloop.json, samples.parquet, the table. Scores nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from drive_agent.openloop_plan import Planned
from drive_agent.openloop_truth import SceneTruth
from drive_agent.score.openloop.labels import COMMANDS, command
from drive_agent.score.openloop.steps import StepVectors
from drive_agent.score.openloop.table import PROTOCOLS, counts, rows

Inputs = Mapping[str, tuple[bool | None, bool | None]]
COLUMNS = ("1s", "2s", "3s", "avg")


@dataclass(frozen=True)
class Sample:
    """One planner on one scene."""

    scene: SceneTruth
    planned: Planned
    verdicts: dict[str, StepVectors]


def write_results(out: Path, samples: list[Sample], inputs: Inputs, settings: Mapping[str, object]) -> None:
    """Write openloop.json and samples.parquet into `out`, each whole or not at all."""
    planners = {
        name: _summary(name, samples, inputs) for name in dict.fromkeys(s.planned.planner for s in samples)
    }
    notes = {name: protocol.note for name, protocol in PROTOCOLS.items()}
    result = {"settings": dict(settings), "protocols": notes, "planners": planners}
    partial = out / ".openloop.json"
    partial.write_text(json.dumps(_without_nan(result), indent=1))
    _write_parquet(out / "samples.parquet", samples)
    partial.replace(out / "openloop.json")


def print_table(out: Path, console: Console) -> None:
    """The tables of openloop.json: who planned what from which inputs, then one block a protocol."""
    result = json.loads((out / "openloop.json").read_text())
    width = max(map(len, result["planners"]), default=0)
    lines = [f"{'planner':{width}}   plans  without  failed  ego status  command"]
    for planner, row in result["planners"].items():
        status, told = ({None: "?", True: "yes", False: "no"}[row[key]] for key in ("ego_status", "command"))
        lines.append(
            f"{planner:{width}} {row['plans']:7} {row['without_plan']:8} {row['failed']:7} {status:>11} {told:>8}"
        )
    for protocol, note in result["protocols"].items():
        lines += ["", f"{protocol}: {note}"]
        lines.append(
            f"{'':{width}}  L2 m 1s     2s     3s    avg   collision % 1s     2s     3s    avg  samples"
        )
        for planner, row in result["planners"].items():
            scores = row["protocols"][protocol]
            errors = " ".join(_cell(scores["L2"][c], 3, 1.0, 6) for c in COLUMNS)
            hits = " ".join(_cell(scores["obj_box_col"][c], 2, 100.0, 6) for c in COLUMNS)
            lines.append(f"{planner:{width}}   {errors}           {hits} {scores['samples']:8}")
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)


def _summary(name: str, samples: Iterable[Sample], inputs: Inputs) -> dict[str, Any]:
    mine = [sample for sample in samples if sample.planned.planner == name]
    joined = {protocol: StepVectors.joined([s.verdicts[protocol] for s in mine]) for protocol in PROTOCOLS}
    scores = rows(joined)
    ego_status, told = inputs.get(name, (None, None))
    return {
        "ego_status": ego_status,
        "command": told,
        "plans": int(sum(len(s.planned.rows) for s in mine)),
        "without_plan": int(sum(len(s.scene.tokens) - len(s.planned.rows) for s in mine)),
        "failed": int(sum(s.planned.failed.sum() for s in mine)),
        "protocols": {protocol: {**scores[protocol], **counts(joined[protocol])} for protocol in PROTOCOLS},
    }


def _write_parquet(file: Path, samples: list[Sample]) -> None:
    """One row a planner, protocol and sample, with the step vectors that every average is made of."""
    import pyarrow
    from pyarrow import parquet

    partial = file.with_name(f".{file.name}")
    with parquet.ParquetWriter(partial, _schema(pyarrow)) as writer:
        for sample in samples:
            for protocol, vectors in sample.verdicts.items():
                writer.write_table(
                    pyarrow.table(_columns(sample, protocol, vectors), schema=_schema(pyarrow))
                )
    partial.replace(file)


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
