"""Run-wide figures on the report page: abilities, what the model saw and planned, how fast each route ran.

Takes the values of a summary, returns HTML; what was not measured is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

BAR_VIEW = (1000, 100)
ABILITY_WORDS = {"mean": "mean of the five"}


def abilities(values: dict) -> str:
    """Bench2Drive's abilities as bars; bounds where only those are known. "" when no route tests one."""
    rows = []
    for name, share in values["abilities"].items():
        low, high = 100 * share["low"], 100 * share["high"]
        shown = f"{low:.0f} %" if share["value"] is not None else f"{low:.0f} to {high:.0f} %"
        words = ABILITY_WORDS.get(name) or name.replace("_", " ").lower()
        rows.append(
            f'<tr><td>{escape(words)}</td><td>{shown}</td><td class="bar"><i class="light" style="width:{high:.0f}%"></i>'
            f'<i style="width:{low:.0f}%"></i></td></tr>'
        )
    if not rows:
        return ""
    return f"<h2>Abilities (Bench2Drive)</h2><table><tbody>{''.join(rows)}</tbody></table>"


def perception(values: dict) -> str:
    """What the model said, against the truth: a section of its own, or "" for drivers that say nothing."""
    seen, plans = values["perception"], values["plans"]
    columns = []
    if seen["calls_with_a_scene"]:
        found, light = seen["detection"], seen["light"]
        columns.append(
            _table(
                "What it saw",
                [
                    ("road users found", _percent(found["recall"])),
                    ("of those told, there", _percent(found["precision"])),
                    ("distance of centres", _number(found["center_error_m"], "m")),
                    ("error of speeds", _number(found["speed_error_mps"], "m/s")),
                    ("light right", _percent(light["accuracy"])),
                    ("light right, states alike", _percent(light["balanced_accuracy"])),
                    ("red read as green", _percent(light["red_read_as_green"])),
                ],
            )
        )
        columns.append(_table("What it expected of others", list(_prediction(seen["prediction"]))))
    if plans["plans"]:
        scores = [(name.replace("_", " "), _percent(value)) for name, value in plans["sub_scores"].items()]
        gaps = [(f"from the driven path, {name}", _number(gap, "m")) for name, gap in plans["l2_m"].items()]
        columns.append(_table("What it planned", gaps + scores))
    return f'<section class="triple">{"".join(columns)}</section>' if columns else ""


def _prediction(groups: dict[str, dict]) -> Iterable[tuple[str, str]]:
    for name, part in groups.items():
        if part["count"]:
            yield f"{name} followed", str(part["count"])
            yield "mean error (minADE)", _number(part["min_ade_m"], "m")
            yield "after 3 s (minFDE)", _number(part["min_fde_m"], "m")
            yield "off by over 2 m", _percent(part["miss_rate"])


def pace(rows: list[dict]) -> str:
    """A bar a route: how many times faster than real time it ran; a line at real time. "" when nothing was timed."""
    factors = [row["simulated_s"] / row["wall_s"] if row["wall_s"] > 0 else 0.0 for row in rows]
    if not any(factors):
        return ""
    top = max(*factors, 1.0) * 1.08
    width, height = BAR_VIEW
    step = width / len(factors)
    gap = min(step * 0.25, 4.0)
    bars = "".join(
        f'<path d="M{k * step + gap / 2:.2f} {height}V{height * (1 - factor / top):.2f}H{(k + 1) * step - gap / 2:.2f}V{height}z">'
        f"<title>{escape(row['route_id'])}: {factor:.2f}x</title></path>"
        for k, (row, factor) in enumerate(zip(rows, factors, strict=True))
    )
    level = height * (1 - 1.0 / top)
    svg = (
        f'<svg class="plot bars" viewBox="0 0 {width} {height}" preserveAspectRatio="none">{bars}'
        f'<path class="event" d="M0 {level:.2f}H{width}"/></svg>'
    )
    return (
        "<figure><figcaption>real time<small>simulated seconds per second, a bar a route; the line is real time</small>"
        f'</figcaption><div class="scale"><span>{top:.1f}x</span><span>0</span></div>{svg}</figure>'
    )


def _table(name: str, rows: list[tuple[str, str]]) -> str:
    body = "".join(f"<tr><td>{escape(words)}</td><td>{value}</td></tr>" for words, value in rows)
    return f"<div><h2>{escape(name)}</h2><table><tbody>{body}</tbody></table></div>"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _number(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:.2f} {unit}"
