"""Driving score against latency, from runs of one route set: `python -m tests.bench.latency runs/latency_*`.

The runs are those of docs/real_model.md, `model.latency_s` apart; the picture is docs/images/latency.png.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table

from tests.bench.growth import Curve, draw

PICTURE = Path(__file__).parents[2] / "docs/images/latency.png"
FORMULA = "2.1"


def main() -> None:
    """Draw the curve and print its numbers."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.latency", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    runs = sorted((_latency_s(run), _scores(run)) for run in parser.parse_args().runs)
    table = Table("latency", "driving score", "by route")
    for latency_s, scores in runs:
        table.add_row(
            f"{latency_s:g} s", f"{_mean(scores):.1f}", ", ".join(f"{score:.1f}" for score in scores)
        )
    Console(highlight=False).print(table)
    lines = {"mean": [(latency_s, _mean(scores)) for latency_s, scores in runs]}
    for k in range(len(runs[0][1])):
        lines[f"route {k}"] = [(latency_s, scores[k]) for latency_s, scores in runs]
    draw([Curve("what latency costs", "s until a reply counts", f"driving score {FORMULA}", lines)], PICTURE)


def _latency_s(run: Path) -> float:
    return float(OmegaConf.load(run / "config.yaml").config.model.latency_s)


def _scores(run: Path) -> list[float]:
    routes = json.loads((run / "summary.json").read_text())["routes"]
    return [route["driving_score"][FORMULA] for route in routes]


def _mean(scores: list[float]) -> float:
    return sum(scores) / len(scores)


if __name__ == "__main__":
    main()
