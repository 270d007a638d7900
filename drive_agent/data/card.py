"""What is in a data set, for people: counts as `index.json` and `card.md`, pictures of every kind as `card.jpg`."""

from __future__ import annotations

import json
from collections import Counter
from enum import IntEnum
from pathlib import Path

import cv2
import numpy as np

from drive_agent.data.shards import NONE_M, DriveDataset
from drive_agent.types import Cause, LightState, Maneuver, ObjectKind

SHOWN = 6  # pictures of each cause
STANDING_MPS = 0.3


def write_card(folder: Path) -> dict:
    """Write all three files; returns the facts."""
    dataset = DriveDataset([folder])
    facts = describe(dataset)
    (folder / "index.json").write_text(json.dumps(facts, indent=1) + "\n")
    (folder / "card.md").write_text(_markdown(facts))
    cv2.imwrite(str(folder / "card.jpg"), contact_sheet(dataset)[..., ::-1])
    return facts


def describe(dataset: DriveDataset) -> dict:
    """Counts of a data set as JSON values."""
    column = dataset.column
    kinds = np.concatenate([shard.columns["objects"][..., 0].ravel() for shard in dataset.shards])
    ends: Counter[str] = Counter()
    types: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    for shard in dataset.shards:
        ends.update(shard.meta.get("ends", {}))
        types.update(shard.meta.get("scenarios", []))
        driver = "model" if shard.is_driven else "expert"
        sources[f"{shard.meta.get('kind', 'free')}, {driver} drives"] += len(shard)
    return {
        "frames": len(dataset),
        "shards": {shard.folder.name: len(shard) for shard in dataset.shards},
        "towns": sorted({str(shard.meta.get("town")) for shard in dataset.shards}),
        "sources": dict(sources),
        "causes": _counts(column("cause"), Cause),
        "maneuvers": _counts(column("maneuver"), Maneuver),
        "lights": _counts(column("light"), LightState),
        "objects": _counts(kinds[kinds >= 0], ObjectKind),
        "something ahead": int((column("gap_m") < NONE_M).sum()),
        "stop sign to obey": int((column("stop_m") < NONE_M).sum()),
        "others to wait for": int((column("yield_m") < NONE_M).sum()),
        "standing": int((column("speed_mps") < STANDING_MPS).sum()),
        "scenarios": dict(sorted(types.items())),
        "ends of routes": dict(ends),
        "seconds": round(sum(float(shard.meta.get("wall_s", 0.0)) for shard in dataset.shards)),
    }


def _counts(values: np.ndarray, names: type[IntEnum]) -> dict[str, int]:
    return {name.name.lower(): int((values == name).sum()) for name in names}


def _markdown(facts: dict) -> str:
    lines = [
        f"# {facts['frames']} frames in {len(facts['shards'])} shards of {len(facts['towns'])} towns",
        "",
    ]
    for name in ("sources", "causes", "maneuvers", "lights", "objects", "scenarios", "ends of routes"):
        lines += [f"| {name} | |", "|---|---|"]
        lines += [f"| {key.replace('_', ' ')} | {count} |" for key, count in facts[name].items()] + [""]
    for name in ("something ahead", "stop sign to obey", "others to wait for", "standing"):
        lines.append(f"- {name}: {facts[name] / max(facts['frames'], 1):.1%} of the frames")
    return "\n".join([*lines, "", "![frames by what the speed answers to](card.jpg)", ""])


def contact_sheet(dataset: DriveDataset) -> np.ndarray:
    """Pictures uint8 (h, w, 3): a row for every cause that occurs, its name above the first."""
    causes = dataset.column("cause")
    rows = []
    for cause in Cause:
        index = np.flatnonzero(causes == cause)
        if not len(index):
            continue
        chosen = index[np.linspace(0, len(index) - 1, SHOWN).astype(int)]
        pictures = [
            np.ascontiguousarray(picture)
            for picture in dataset.rows(chosen)[f"{dataset.cameras[0].name}_rgb"]
        ]
        name = f"{cause.name.lower().replace('_', ' ')}: {len(index)}"
        cv2.putText(pictures[0], name, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1)
        rows.append(np.concatenate(pictures, 1))
    return np.concatenate(rows, 0)
