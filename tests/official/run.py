"""Runs the scenario routes beside this file in the official evaluator against the embedded server, one process a route.

What a route showed is one `Outcome`; outcomes are kept as JSON lines, so that a list can be run in parts.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from drive_agent.sim.process import ServerProcess
from tests.official import outcomes, proving_ground

HERE = Path(__file__).parent
ROUTES = HERE / "routes"
ROUTE_TIMEOUT_S = 600
_WHOLE_LOG = 1_000_000  # lines
_ROOTS = ("LEADERBOARD_ROOT", "SCENARIO_RUNNER_ROOT", "CARLA_AGENTS_ROOT")
_SKIPPED = re.compile(r"Skipping scenario '.*' due to setup error: (.*)|WARNING: Ignoring scenario (.*)")
FAULT = re.compile(r"^\w*(Error|Exception)\b.*", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One route with one scenario."""

    scenario: str
    town: str
    routes: Path
    route_id: str


def missing() -> str | None:
    """Why nothing can be run here, or None."""
    unset = [name for name in _ROOTS if not os.environ.get(name)]
    return f"{' and '.join(unset)} not set: see `python -m tests.official --help`" if unset else None


def environment() -> dict[str, str]:
    """For the child: only its own path has the official packages, which bring a `tests` of their own."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(os.environ[name] for name in _ROOTS)}


def cases() -> list[Case]:
    """All cases of the routes folder, ordered by file and route."""
    found = []
    for path in sorted(ROUTES.glob("*.xml")):
        for route in ET.parse(path).getroot().iter("route"):
            scenario = next(route.iter("scenario"))
            found.append(Case(scenario.attrib["type"], route.attrib["town"], path, route.attrib["id"]))
    return found


@contextmanager
def maps_folder(town: str) -> Iterator[Path]:
    """A folder with the map of a town of the routes, if it is none that ships."""
    if town != proving_ground.NAME:
        yield Path(os.environ.get("CARLA_XODR_DIR", HERE))
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{town}.xodr").write_text(proving_ground.to_opendrive(), encoding="utf-8")
        yield Path(folder)


@contextmanager
def server_of(town: str) -> Iterator[ServerProcess]:
    """The embedded server with a town of the routes."""
    with maps_folder(town) as folder:
        path = folder / f"{town}.xodr"
        with ServerProcess(str(path) if path.is_file() else town, rendering=False) as server:
            yield server


def run_case(
    case: Case, server: ServerProcess, traffic_manager_port: int, folder: Path, agent: str = "witness.py"
) -> outcomes.Outcome:
    """One evaluator process for one route; its log is kept in `folder`. `agent`: a file beside this one."""
    folder.mkdir(parents=True, exist_ok=True)
    report, log = folder / f"{case.scenario}.jsonl", folder / f"{case.scenario}.log"
    checkpoint = folder / f"{case.scenario}.json"
    for path in (report, checkpoint):
        path.unlink(missing_ok=True)
    before = log_length(server)
    command = [
        os.environ.get("LEADERBOARD_PYTHON", sys.executable), str(Path(os.environ["LEADERBOARD_ROOT"]) / "leaderboard/leaderboard_evaluator.py"),
        "--host", server.host, "--port", str(server.port), "--traffic-manager-port", str(traffic_manager_port),
        "--routes", str(case.routes), "--routes-subset", case.route_id, "--agent", str(HERE / agent),
        "--agent-config", str(report), "--checkpoint", str(checkpoint), "--timeout", "120",
        "--debug-checkpoint", str(folder / "live.txt"),
    ]  # fmt: skip
    start = time.monotonic()
    with log.open("w", encoding="utf-8") as file:
        try:
            code = subprocess.run(
                command,
                env=environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=ROUTE_TIMEOUT_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
    text = log.read_text(encoding="utf-8", errors="replace")
    return _outcome(
        case, code, text, server_faults(server, before), report, checkpoint, time.monotonic() - start
    )


def log_length(server: ServerProcess) -> int:
    """How many lines the server has logged."""
    return len(server.log_tail(_WHOLE_LOG).splitlines())


def server_faults(server: ServerProcess, before: int) -> list[str]:
    """Lines after the first `before` that tell of a fault of the server; it also warns of wrong requests of clients."""
    lines = server.log_tail(_WHOLE_LOG).splitlines()[before:]
    return [line for line in lines if not line.startswith(("INFO", "WARNING")) or "unknown method" in line]


def _outcome(
    case: Case,
    code: int,
    text: str,
    faults_of_server: list[str],
    report: Path,
    checkpoint: Path,
    wall_s: float,
) -> outcomes.Outcome:
    seen = json.loads(report.read_text().splitlines()[-1]) if report.is_file() else {}
    records = json.loads(checkpoint.read_text())["_checkpoint"]["records"] if checkpoint.is_file() else []
    faults = [first or second for first, second in _SKIPPED.findall(text)]
    faults += [match.group(0) for match in FAULT.finditer(text)]
    if code != 0:
        faults.append(f"the evaluator ended with status {code}")
    return outcomes.Outcome(
        scenario=case.scenario,
        town=case.town,
        started_s=seen.get("started_s"),
        ended_s=seen.get("ended_s"),
        actors=outcomes.count(seen.get("actors", [])),
        moved=sum(way_m > 1.0 for _, way_m in seen.get("actors", [])),
        route_s=seen.get("game_s", 0.0),
        status=records[-1]["status"] if records else "no record",
        faults=faults,
        server_faults=faults_of_server,
        wall_s=round(wall_s, 1),
    )
