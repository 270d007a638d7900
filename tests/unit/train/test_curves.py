"""Curves are drawn from logs as they are."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

from drive_agent.train.curves import draw_curves, read_log


def test_stages_stand_side_by_side(tmp_path: Path) -> None:
    logs = {}
    for k, name in enumerate(("see", "drive")):
        lines = [{"step": s, "samples": s * 8, "loss": 3.0 - k - s / 10, "plan.path": 1.0} for s in (1, 2, 3)]
        lines.append({"step": 3, "samples": 24, "held_out": {"path_ade_m": 0.5, "light_balanced": None}})
        logs[name] = tmp_path / f"{name}.jsonl"
        logs[name].write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_log(logs["see"])["held_out.path_ade_m"] == [(24, 0.5)]
    draw_curves(logs, tmp_path / "curves.svg")
    svg = ET.parse(tmp_path / "curves.svg").getroot()
    texts = [element.text for element in svg.iter() if element.tag.endswith("text")]
    assert {"see", "drive", "loss", "plan.path", "held_out.path_ade_m"} <= set(texts)
    assert len([e for e in svg.iter() if e.tag.endswith("path")]) == 6
