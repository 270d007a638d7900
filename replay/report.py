"""The report of a run: one self-contained page, no network, no library. Says the scores and the rules they are under.

Reads logs and the summary made of them; everything that comes from outside is escaped. Videos stay files beside it.
"""

from __future__ import annotations

import os
from collections import Counter
from html import escape
from pathlib import Path
from string import Template

import yaml

from drive_agent.score.judged import folder_name
from drive_agent.score.summary import summarise
from replay.captions import MILD, title
from replay.report_figures import abilities, pace, perception
from replay.report_route import LEAN, RICH, Detail, route_section, status_badge

HERE = Path(__file__).parent
MANY_ROUTES = 24  # from here on each route gets less of the page
OPEN_ROUTES = 4  # so many routes are unfolded at first
VERSION_NAMES = {
    "2.1": "Leaderboard 2.1",
    "2.0": "Leaderboard 2.0",
    "1.0": "Leaderboard 1.0",
    "bench2drive": "Bench2Drive",
}


def write_report(run_folder: Path | str, summary: dict | None = None) -> Path:
    """Write report.html into a run folder and return its path.

    `summary` is what `drive_agent.score.summary.summarise` says of the folder; it is computed when not given. Raises
    ValueError for a folder without routes.
    """
    run = Path(run_folder)
    values = summarise(run) if summary is None else summary
    out = run / "report.html"
    part = out.with_name(out.name + ".part")
    part.write_text(render(run, values), encoding="utf-8")
    os.replace(part, out)
    return out


def render(run: Path, values: dict) -> str:
    """The page's text."""
    detail = RICH if len(values["routes"]) < MANY_ROUTES else LEAN
    template = Template((HERE / "report.html").read_text(encoding="utf-8"))
    config = run / "config.yaml"
    settings = config.read_text(encoding="utf-8") if config.exists() else ""
    return template.substitute(
        title=escape(run.resolve().name),
        subtitle=escape(_subtitle(values)),
        provenance=escape(_provenance(settings)),
        style=(HERE / "report.css").read_text(encoding="utf-8"),
        script=(HERE / "report.js").read_text(encoding="utf-8"),
        headline=_headline(values),
        versions=_versions(values),
        infractions=_infractions(values["infractions"]),
        failures=_failures(values),
        rows="".join(_row(row) for row in values["routes"]),
        routes="".join(_route(row, run, detail, k) for k, row in enumerate(values["routes"])),
        abilities=abilities(values),
        perception=perception(values),
        pace=pace(values["routes"]),
        states=_states(values["routes"]),
        timing=_timing(values),
        conduct=_conduct(values),
        settings=escape(settings),
    )


def _subtitle(values: dict) -> str:
    metres = sum(row["route_length_m"] * row["route_completion"] / 100 for row in values["routes"])
    seconds = sum(row["simulated_s"] for row in values["routes"])
    driven = f"{metres / 1000:.1f} km" if metres >= 1000 else f"{metres:.0f} m"
    lasted = f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
    text = f"{len(values['routes'])} of {values['routes_total']} routes · {driven} · {lasted} simulated"
    factor = values["real_time_factor"]
    return text + (f" · {factor:.1f}x real time" if factor is not None else "")


def _provenance(settings: str) -> str:
    """What drove and from which state of the code, out of config.yaml; "" where the run has none."""
    values = yaml.safe_load(settings) or {}
    config = values.get("config", {})
    facts = (
        ("model", config.get("model", {}).get("kind")),
        ("routes", config.get("routes")),
        ("CARLA", config.get("carla", {}).get("kind")),
        ("seed", values.get("seed")),
        ("repetitions", config.get("repetitions")),
        ("commit", str(values.get("git") or "")[:10]),
    )
    return " · ".join(f"{name} {value}" for name, value in facts if value not in (None, ""))


def _headline(values: dict) -> str:
    scores = values["scores"]["2.1"]
    cells = (
        (
            "driving score",
            f"{scores['driving_score']:.1f}",
            f"Leaderboard 2.1, {_how_sure(values['spread'])}",
        ),
        ("route completion", f"{scores['route_completion']:.1f}<small>%</small>", "mean over routes"),
        ("infraction penalty", f"{scores['infraction_penalty']:.2f}", "1.00 is none"),
        (
            "success rate",
            f"{100 * scores['success_rate']:.0f}<small>%</small>",
            "goal reached, no infraction",
        ),
    )
    return "".join(f"<div><dt>{name}</dt><dd>{value}</dd><p>{note}</p></div>" for name, value, note in cells)


def _how_sure(spreads: dict) -> str:
    """The interval over repetitions where there are any, else over routes."""
    for over in ("repetitions", "routes"):
        part = spreads.get(over)
        if part and part["ci95"] is not None:
            return f"± {part['ci95']:.1f} over {part['count']} {over}"
    return "of 100"


def _states(rows: list[dict]) -> str:
    """Buttons that filter the table by how routes ended, most frequent first."""
    counts = Counter(row["status"] for row in rows)
    return "".join(
        f'<button data-state="{escape(status)}">{escape(status.removeprefix("Failed - "))} {count}</button>'
        for status, count in counts.most_common()
    )


def _versions(values: dict) -> str:
    rows = []
    for version, name in VERSION_NAMES.items():
        if version in values["scores"]:
            s = values["scores"][version]
            rows.append(
                f"<tr><td>{name}</td><td>{s['driving_score']:.2f}</td><td>{s['route_completion']:.2f}</td>"
                f"<td>{s['infraction_penalty']:.3f}</td><td>{100 * s['success_rate']:.0f} %</td></tr>"
            )
    return "".join(rows)


def _infractions(kinds: dict[str, dict[str, float]]) -> str:
    found = {kind: part for kind, part in kinds.items() if part["count"]}
    if not found:
        return '<p class="note good">None on any route.</p>'
    most = max(part["count"] for part in found.values())
    rows = "".join(
        f'<tr><td>{escape(title(kind))}</td><td>{part["count"]:.0f}</td><td>{part["per_km"]:.2f}</td><td class="bar">'
        f'<i class="{"warn" if kind in MILD else "bad"}" style="width:{100 * part["count"] / most:.0f}%"></i></td></tr>'
        for kind, part in sorted(found.items(), key=lambda item: -item[1]["count"])
    )
    return f"<table><thead><tr><th>kind</th><th>count</th><th>per km</th><th></th></tr></thead><tbody>{rows}</tbody></table>"


def _failures(values: dict) -> str:
    rows = [
        f'<li><a href="#{escape(folder_name(f["route_id"]))}">{escape(folder_name(f["route_id"]))}</a> '
        f"{escape(f['status'].removeprefix('Failed - '))}{escape(': ' + f['reason'] if f['reason'] else '')}</li>"
        for f in values["failures"]
    ]
    rows += [
        f"<li>{escape(folder_name(gone['route_id']))} missing, counts 0: {escape(gone['reason'])}</li>"
        for gone in values["missing"]
    ]
    failed = (
        f'<ul class="failures">{"".join(rows)}</ul>'
        if rows
        else '<p class="good">Every route was driven to its goal.</p>'
    )
    again = [
        f"<li><b>{escape(folder_name(part['route_id']))}</b> {escape(part['reason'])}</li>"
        for part in values["spoiled_tries"]
    ]
    if not again:
        return failed
    title = f"{len(again)} {'try was' if len(again) == 1 else 'tries were'} spoiled by the simulator and driven again"
    return failed + f'<details><summary>{title}</summary><ul class="failures">{"".join(again)}</ul></details>'


def _row(row: dict) -> str:
    """One line of the table; `data-v` is what a column is sorted by."""
    name, score = folder_name(row["route_id"]), row["driving_score"]["2.1"]
    counts = sum(row["infractions"].values())
    what = ", ".join(
        f"{title(kind)} ×{n}" if n > 1 else title(kind) for kind, n in row["infractions"].items()
    )
    factor = row["simulated_s"] / row["wall_s"] if row["wall_s"] > 0 else 0.0
    return (
        f'<tr data-state="{escape(row["status"])}"><td data-v="{escape(name)}"><a href="#{escape(name)}">{escape(name)}</a></td>'
        f'<td data-v="{escape(row["status"])}">{status_badge(row["status"])}</td>'
        f'<td data-v="{score}" class="score"><b>{score:.1f}</b><i style="width:{score:.0f}%"></i></td>'
        f'<td data-v="{row["route_completion"]}">{row["route_completion"]:.0f} %</td>'
        f'<td data-v="{counts}" class="what">{escape(what) or "<s>none</s>"}</td>'
        f'<td data-v="{row["route_length_m"]}">{row["route_length_m"]:.0f} m</td>'
        f'<td data-v="{row["simulated_s"]}">{row["simulated_s"]:.0f} s</td>'
        f'<td data-v="{factor}">{f"{factor:.1f}x" if factor else ""}</td></tr>'
    )


def _route(row: dict, run: Path, detail: Detail, place: int) -> str:
    name = folder_name(row["route_id"])
    section = route_section(row, name, run / "routes" / name, detail)
    unfolded = " open" if place < OPEN_ROUTES else ""
    return f"<details{unfolded}><summary>{escape(name)}</summary>{section}</details>"


def _timing(values: dict) -> str:
    stages = values["latency_ms"]
    if not stages:
        return '<p class="note">No model was asked.</p>'
    slowest = max(stage["p99"] for stage in stages.values()) or 1.0
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{part['count']}</td><td>{part['p50']:.1f}</td><td>{part['p90']:.1f}</td>"
        f'<td>{part["p99"]:.1f}</td><td>{part["max"]:.1f}</td><td class="bar"><i class="light" style="width:{100 * part["p99"] / slowest:.0f}%"></i>'
        f'<i style="width:{100 * part["p50"] / slowest:.0f}%"></i></td></tr>'
        for name, part in sorted(stages.items(), key=lambda item: -item[1]["p50"])
    )
    return (
        "<table><thead><tr><th>stage</th><th>calls</th><th>p50 ms</th><th>p90</th><th>p99</th><th>max</th><th></th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _conduct(values: dict) -> str:
    """Model calls, replies without a plan, ticks on which the guard spoke."""
    lines = [("ticks", values["ticks"]), ("model calls", values["model_calls"])]
    lines += [(f"no plan: {reason}", count) for reason, count in values["parse_failures"].items()]
    lines += [(f"guard: {rule}", count) for rule, count in values["guard_interventions"].items()]
    return "".join(f"<tr><td>{escape(str(name)[:200])}</td><td>{count}</td></tr>" for name, count in lines)
