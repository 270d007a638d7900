"""`drive-agent score` and `compare`: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from drive_agent.config import ConfigError
from drive_agent.score.compare import Comparison, compare_runs
from drive_agent.score.formula import VERSIONS
from drive_agent.score.judged import folder_name
from drive_agent.score.run import score_run

FORMATS = ("text", "json")


def print_score(run: str, given: Mapping[str, str], console: Console) -> int:
    """Print the scores of a run folder or of result files; 1 when routes are missing or there twice, else 0."""
    version, form = _version_and_format(given)
    routes = given.get("routes")
    values = score_run(Path(run), version, None if routes is None else Path(routes))
    if form == "json":
        console.print_json(json.dumps(values))
    else:
        print_table(values, console)
    return 1 if values["missing"] or values["duplicates"] else 0


def print_comparison(first: str, second: str, given: Mapping[str, str], console: Console) -> int:
    """Print whether a run is better than another; 1 when routes could not be paired, else 0."""
    version, form = _version_and_format(given)
    found = compare_runs(Path(first), Path(second), version)
    if form == "json":
        console.print_json(json.dumps(found.values()))
    else:
        print_differences(found, first, second, console)
    return 1 if found.only_first or found.only_second else 0


def _version_and_format(given: Mapping[str, str]) -> tuple[str, str]:
    version, form = given.get("version", "2.1"), given.get("format", "text")
    if version not in VERSIONS:
        raise ConfigError(f"version={version}: expected one of {', '.join(VERSIONS)}")
    if form not in FORMATS:
        raise ConfigError(f"format={form}: expected one of {', '.join(FORMATS)}")
    return version, form


def print_differences(found: Comparison, first: str, second: str, console: Console) -> None:
    """The verdict, the measures, and the routes that moved most, for people."""
    routes = found.differences["driving_score"].count
    console.print(
        f"[bold]{found.verdict()}[/] (driving score, formula {found.version}, 95 %, {_count(routes)})"
    )
    table = Table(box=None)
    for title in ("", "A", "B", "B - A", "95 %"):
        table.add_column(title, justify="right" if title else "left")
    for name, gap in found.differences.items():
        a, b = found.means[name]
        sure = "?" if gap.ci95 is None else f"± {gap.ci95:.2f}"
        table.add_row(name.replace("_", " "), f"{a:.2f}", f"{b:.2f}", f"{gap.mean:+.2f}", sure)
    console.print(table)
    console.print(f"A: {escape(first)}   B: {escape(second)}", soft_wrap=True)
    for route in found.moved:
        parted = "" if route.parted_s is None else f"   they part at {route.parted_s:.1f} s"
        change = route.second - route.first
        console.print(
            f"  {route.route_id}  {route.first:.1f} -> {route.second:.1f}  ({change:+.1f}){parted}",
            soft_wrap=True,
        )
    for key, (a, b) in found.settings.items():
        console.print(f"  setting {key}: {a} in A, {b} in B", soft_wrap=True, markup=False)
    for name, routes_of in (("A", found.only_first), ("B", found.only_second)):
        if routes_of:
            console.print(f"[yellow]only in {name}[/] {', '.join(routes_of)}", soft_wrap=True)


def _count(routes: int) -> str:
    return "1 route" if routes == 1 else f"{routes} routes"


def print_table(values: dict, console: Console) -> None:
    """Routes, then means and infractions, for people."""
    table = Table(box=None)
    for title in ("route", "score", "completion %", "penalty", "status"):
        table.add_column(title, justify="left" if title in ("route", "status") else "right")
    for row in values["routes"]:
        table.add_row(
            folder_name(row["route_id"]),
            f"{row['driving_score']:.2f}",
            f"{row['route_completion']:.2f}",
            f"{row['infraction_penalty']:.3f}",
            escape(row["status"] + (f" ({row['reason']})" if row["reason"] else "")),
        )
    console.print(table)
    console.print(
        f"driving score {values['driving_score']:.4f}   success rate {values['success_rate']:.2%}"
        f"   completion {values['route_completion']:.2f} %   penalty {values['infraction_penalty']:.4f}"
        f"   ({_count(values['routes_total'])}, formula {values['version']})",
        soft_wrap=True,
    )
    _print_spread(values["spread"], console)
    for name, share in values["abilities"].items():
        known = share["value"] is not None
        shown = f"{share['low']:.2%}" if known else f"between {share['low']:.2%} and {share['high']:.2%}"
        console.print(f"  {name.replace('_', ' '):<16} {shown}", soft_wrap=True)
    if values.get("efficiency") is not None:
        console.print(f"  efficiency       {values['efficiency']:.2f} % of the traffic's speed")
    if values.get("comfort") is not None:
        comfort = values["comfort"]
        console.print(
            f"  comfort          {comfort['official']:.2%} (units corrected: {comfort['corrected']:.2%})"
        )
    counts = {kind: part["count"] for kind, part in values["infractions"].items() if part["count"]}
    found = ", ".join(f"{kind} {count}" for kind, count in counts.items()) or "none"
    console.print(f"infractions: {found}", soft_wrap=True)
    for name in values["duplicates"]:
        console.print(f"[yellow]more than once[/] {name}: the first record counts", soft_wrap=True)
    for gone in values["missing"]:
        console.print(
            " ".join(["[yellow]missing[/]", gone["route_id"], escape(gone["reason"])]), soft_wrap=True
        )


def _print_spread(spreads: dict, console: Console) -> None:
    """How sure the driving score is, where there is more than one sample."""
    for name, part in spreads.items():
        if part["ci95"] is not None:
            console.print(
                f"  over {part['count']} {name:<12} {part['mean']:.2f} ± {part['ci95']:.2f} (95 %),"
                f" standard deviation {part['std']:.2f}"
            )
