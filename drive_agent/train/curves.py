"""Learning curves as one SVG: a panel for every figure of the log, its stages one after the other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

WIDTH, HEIGHT, GAP = 260, 150, 46
COLUMNS = 4
PANELS = (
    "loss", "depth", "objects", "plan.path", "plan.speed", "plan.light", "plan.gap", "words.taught",
    "reward.plan", "reward.light", "reward.gap", "reward.words",
    "held_out.path_ade_m", "held_out.speed_mae_mps", "held_out.light_balanced", "held_out.lead_f1",
)  # fmt: skip
COLORS = ("#3b6ea5", "#c8553d", "#4f8a5b", "#8a5fa8")
Point = tuple[int, float]


def read_log(path: Path) -> dict[str, list[Point]]:
    """Figure -> (samples, value) of one stage's `log.jsonl`; held-out figures are called `held_out.NAME`."""
    curves: dict[str, list[Point]] = {}
    for text in path.read_text().splitlines():
        line = json.loads(text)
        scores = {f"held_out.{name}": value for name, value in line.get("held_out", {}).items()}
        for name, value in (line | scores).items():
            if isinstance(value, (int, float)) and name not in ("step", "seconds", "cpu_s", "samples"):
                curves.setdefault(name, []).append((line["samples"], float(value)))
    return curves


def draw_curves(stages: Mapping[str, Path], out: Path) -> None:
    """Write the panels that have points. `stages`: name -> log, in order."""
    curves = {name: read_log(path) for name, path in stages.items() if path.exists()}
    shown = [panel for panel in PANELS if any(panel in stage for stage in curves.values())]
    rows = -(-len(shown) // COLUMNS)
    parts = [
        _panel(panel, curves, GAP + k % COLUMNS * (WIDTH + GAP), 20 + k // COLUMNS * (HEIGHT + GAP))
        for k, panel in enumerate(shown)
    ]
    legend = "".join(
        f'<text x="{GAP + k * 110}" y="12" fill="{COLORS[k % len(COLORS)]}">{escape(name)}</text>'
        for k, name in enumerate(curves)
    )
    size = f"0 0 {GAP + COLUMNS * (WIDTH + GAP)} {20 + rows * (HEIGHT + GAP)}"
    out.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="#fff"/>{legend}{"".join(parts)}</svg>\n'
    )


def _panel(name: str, curves: Mapping[str, Mapping[str, Sequence[Point]]], x: int, y: int) -> str:
    """One figure over samples, stages side by side."""
    begin, lines, values = 0, [], []
    for k, stage in enumerate(curves.values()):
        points = stage.get(name, ())
        lines.append((COLORS[k % len(COLORS)], [(begin + samples, value) for samples, value in points]))
        values += [value for _, value in points]
        begin += max((line[-1][0] for line in stage.values() if line), default=0)
    low, high = float(np.min(values)), float(np.max(values))
    span = max(high - low, 1e-9)

    def place(point: Point) -> str:
        return (
            f"{x + point[0] / max(begin, 1) * WIDTH:.1f} {y + HEIGHT - (point[1] - low) / span * HEIGHT:.1f}"
        )

    paths = "".join(
        f'<path fill="none" stroke="{color}" stroke-width="1.5" d="M{"L".join(map(place, points))}"/>'
        for color, points in lines
        if points
    )
    return (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#ccc"/>{paths}'
        f'<text x="{x}" y="{y + HEIGHT + 14}">{escape(name)}</text>'
        f'<text x="{x - 3}" y="{y + 9}" text-anchor="end">{high:.3g}</text>'
        f'<text x="{x - 3}" y="{y + HEIGHT}" text-anchor="end">{low:.3g}</text>'
        f'<text x="{x + WIDTH}" y="{y + HEIGHT + 14}" text-anchor="end">{begin / 1000:.0f}k samples</text>'
    )
