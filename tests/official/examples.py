"""Example files in scenario_runner.py on the embedded server: ScenarioRunner's, where their town is at hand, and our own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from drive_agent.sim.process import ServerProcess
from tests.official import outcomes, proving_ground
from tests.official.run import FAULT, HERE, environment, log_length, server_faults

TOWNS = ("Town01", "Town02", proving_ground.NAME)
OWN = HERE / "own"
LIMIT_S = 100.0  # wall clock; some examples never end by themselves
_LIBRARY = "basic.osc"  # units and types that the others import
_VERDICT = re.compile(r"Results of Scenario: .* ---- \W*(\w+)")


@dataclass(frozen=True)
class Example:
    """One scenario of one example file."""

    path: Path
    scenario: str  # its name in an XML file; empty for OpenSCENARIO
    kind: str  # class, or "OpenSCENARIO"
    town: str

    @property
    def name(self) -> str:
        """What it is called among its like."""
        return self.scenario or self.path.name


def examples() -> tuple[list[Example], list[str]]:
    """What can be played here, of the checkout's files and of our own; and the files whose towns are missing."""
    folders = (Path(os.environ["SCENARIO_RUNNER_ROOT"]) / "srunner/examples", OWN)
    found = [example for folder in folders for path in sorted(folder.iterdir()) for example in _of_file(path)]
    here = [example for example in found if example.town in TOWNS]
    return here, sorted({example.path.name for example in found} - {example.path.name for example in here})


def _of_file(path: Path) -> list[Example]:
    """Of an XML file the first scenario of each class and town."""
    if path.suffix == ".xml":
        kinds: dict[tuple[str, str], str] = {}
        for scenario in ET.parse(path).getroot().iter("scenario"):
            kinds.setdefault((scenario.attrib["type"], scenario.attrib["town"]), scenario.attrib["name"])
        return [Example(path, name, kind, town) for (kind, town), name in kinds.items()]
    if path.suffix == ".xosc":
        logic = ET.parse(path).getroot().find("RoadNetwork/LogicFile")
        return [
            Example(
                path, "", "OpenSCENARIO", Path(logic.attrib["filepath"]).stem if logic is not None else ""
            )
        ]
    if path.suffix == ".osc" and path.name != _LIBRARY:
        named = re.search(r'"(Town\w+)"', path.read_text(encoding="utf-8"))
        return [Example(path, "", "OpenSCENARIO 2", named.group(1) if named else "")]
    return []


def _call(example: Example, folder: Path) -> list[str]:
    """The arguments that name an example to scenario_runner.py."""
    if example.path.suffix == ".xml":
        own = (
            ["--configFile", str(example.path)] if example.path.parent == OWN else []
        )  # or it is played twice
        return ["--scenario", example.scenario, *own]
    if example.path.suffix == ".xosc":
        return ["--openscenario", str(example.path)]
    library = Path(os.environ["SCENARIO_RUNNER_ROOT"]) / "srunner/examples" / _LIBRARY
    for path in (library, example.path):  # a file imports its library from its own folder
        shutil.copy(path, folder)
    # it puts its own root before whatever path it is given
    return [
        "--openscenario2",
        os.path.relpath(folder / example.path.name, os.environ["SCENARIO_RUNNER_ROOT"]),
    ]


def play(example: Example, server: ServerProcess, traffic_manager_port: int, folder: Path) -> outcomes.Played:
    """Run scenario_runner.py with somebody at the wheel; its log is kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    root = Path(os.environ["SCENARIO_RUNNER_ROOT"])
    python = os.environ.get("LEADERBOARD_PYTHON", sys.executable)
    log, report = folder / f"example_{example.name}.log", folder / f"example_{example.name}.json"
    report.unlink(missing_ok=True)
    before = log_length(server)
    command = [
        python, str(root / "scenario_runner.py"), "--host", server.host, "--port", str(server.port), "--sync",
        "--trafficManagerPort", str(traffic_manager_port), "--output", "--timeout", "30", "--reloadWorld", *_call(example, folder.resolve()),
    ]  # fmt: skip
    driver = [python, str(HERE / "chauffeur.py"), server.host, str(server.port), str(report)]
    start = time.monotonic()
    with log.open("w", encoding="utf-8") as file, (folder / "chauffeur.log").open("w") as driver_file:
        chauffeur = subprocess.Popen(driver, env=environment(), stdout=driver_file, stderr=driver_file)
        runner = subprocess.Popen(command, env=environment(), cwd=root, stdout=file, stderr=subprocess.STDOUT)
        try:
            code, ended = runner.wait(LIMIT_S), True
        except subprocess.TimeoutExpired:
            code, ended = _interrupt(runner), False
        chauffeur.terminate()
        chauffeur.wait()
    text = log.read_text(encoding="utf-8", errors="replace")
    seen = json.loads(report.read_text()) if report.is_file() else {}
    faults = [match.group(0) for match in FAULT.finditer(text)] if ended else []
    if ended and code < 0:
        faults.append(f"scenario_runner.py ended with status {code}")
    verdict = _VERDICT.search(text)
    return outcomes.Played(
        file=example.path.name,
        scenario=example.scenario,
        kind=example.kind,
        town=example.town,
        ended=ended,
        verdict=verdict.group(1) if verdict else "",
        actors=outcomes.count(seen.get("actors", [])),
        moved=sum(way_m > 1.0 for _, way_m in seen.get("actors", [])),
        game_s=seen.get("game_s", 0.0),
        faults=faults,
        server_faults=server_faults(server, before),
        wall_s=round(time.monotonic() - start, 1),
    )


def _interrupt(runner: subprocess.Popen) -> int:
    runner.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        return runner.wait(15.0)
    runner.kill()
    return runner.wait()
