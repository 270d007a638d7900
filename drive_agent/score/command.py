"""`drive-agent score`: a run's scores as a table for people or JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from drive_agent.config import ConfigError
from drive_agent.score.formula import VERSIONS
from drive_agent.score.run import score_run

FORMATS = ("text", "json")


def print_score(run: str, version: str, form: str, console: Console) -> int:
    """Print the scores of a run folder or of result files; 1 when routes are missing from it, else 0."""
    if version not in VERSIONS:
        raise ConfigError(f"version={version}: expected one of {', '.join(VERSIONS)}")
    if form not in FORMATS:
        raise ConfigError(f"format={form}: expected one of {', '.join(FORMATS)}")
    values = score_run(Path(run), version)
    if form == "json":
        console.print_json(json.dumps(values))
    else:
        print_table(values, console)
    return 1 if values["missing"] else 0


def print_table(values: dict, console: Console) -> None:
    """Routes, then means and infractions, for people."""
    table = Table(box=None)
    for title in ("route", "score", "completion %", "penalty", "status"):
        table.add_column(title, justify="left" if title in ("route", "status") else "right")
    for row in values["routes"]:
        table.add_row(
            row["route_id"],
            f"{row['driving_score']:.2f}",
            f"{row['route_completion']:.2f}",
            f"{row['infraction_penalty']:.3f}",
            escape(row["status"] + (f" ({row['reason']})" if row["reason"] else "")),
        )
    console.print(table)
    console.print(
        f"driving score {values['driving_score']:.4f}   success rate {values['success_rate']:.2%}"
        f"   completion {values['route_completion']:.2f} %   penalty {values['infraction_penalty']:.4f}"
        f"   ({values['routes_total']} routes, formula {values['version']})",
        soft_wrap=True,
    )
    for name, share in values.get("abilities", {}).items():
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
    for gone in values["missing"]:
        console.print(
            " ".join(["[yellow]missing[/]", gone["route_id"], escape(gone["reason"])]), soft_wrap=True
        )
