"""Drives one route of every type of a family, with the expert and with a blind driver, and reads the judge's records.

A module of tests has its `CASES`; the fixtures `expert` and `blind` drive them all once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drive_agent.log.store import Episode
from scenarios.routes import RouteSpec, route_set
from tests.loop.conftest import drive_agent

HARMLESS = {"min_speed_infractions"}
PASSED = ("Completed", "Perfect")
TIMEOUT_S = 1_500.0


@dataclass(frozen=True)
class Case:
    """Where a type is played, and what a driver is charged with who sees nothing."""

    town: str
    charge: str


@dataclass(frozen=True)
class Drive:
    """How one route went."""

    spec: RouteSpec
    status: str
    infractions: frozenset[str]  # kinds of which there was at least one
    folder: Path

    def episode(self) -> Episode:
        """Its log."""
        return Episode(self.folder / "log.mcap")


def made_routes(cases: Mapping[str, Case], folder: Path) -> Path:
    """One route file with a route for each type, in its town."""
    file = folder / "routes.xml"
    texts = []
    for town in sorted({case.town for case in cases.values()}):
        types = ",".join(name for name, case in cases.items() if case.town == town)
        part = folder / f"{town}.xml"
        words = (f"types={types}", f"towns={town}", "each=1", "seed=1", f"out={part}")
        made = drive_agent("scenarios", "make", *words, timeout_s=TIMEOUT_S)
        assert made.returncode == 0 and "0 of 1 places" not in made.stdout, made.stdout + made.stderr
        texts += _routes(part.read_text())
    numbered = (text.replace('<route id="', f'<route id="{k}-', 1) for k, text in enumerate(texts))
    file.write_text("<routes>" + "".join(numbered) + "</routes>")
    return file


def _routes(text: str) -> Iterator[str]:
    for part in text.split("<route ")[1:]:
        yield "<route " + part.split("</route>")[0] + "</route>"


def driven(model: str, routes: Path, out: Path) -> dict[str, Drive]:
    """By type of scenario."""
    words = (f"routes={routes}", f"model={model}", f"out={out}")
    calm = ("video=false", "traffic.vehicles=4", "traffic.walkers=0")
    done = drive_agent("drive", *words, *calm, timeout_s=TIMEOUT_S)
    assert (out / "results.json").exists(), done.stderr
    records = json.loads((out / "results.json").read_text())["_checkpoint"]["records"]
    specs = route_set(str(routes))
    assert len(records) == len(specs), done.stderr[-2000:]
    return {
        spec.scenarios[0].type: _drive(spec, record, out) for spec, record in zip(specs, records, strict=True)
    }


def _drive(spec: RouteSpec, record: Mapping, out: Path) -> Drive:
    found = frozenset(kind for kind, cases in record["infractions"].items() if cases)
    return Drive(spec, record["status"], found, out / "routes" / f"{spec.id}_rep0")


def assert_passed(drive: Drive) -> None:
    """The route is completed without an infraction but of the minimum speed."""
    assert drive.status in PASSED, (drive.spec.scenarios[0].type, drive.status)
    assert drive.infractions <= HARMLESS


def assert_charged(drive: Drive, charges: Sequence[str]) -> None:
    """The judge found one of these."""
    assert drive.infractions & set(charges), (drive.spec.scenarios[0].type, drive.status, drive.infractions)
