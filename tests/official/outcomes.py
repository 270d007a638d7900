"""What a scenario showed, and the JSON lines that keep it, so that a long list can be run in parts."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROUTES, EXAMPLES = "routes.jsonl", "examples.jsonl"


@dataclass(frozen=True)
class Outcome:
    """What became of a route scenario; times in simulated seconds since the route's start."""

    scenario: str
    town: str
    started_s: float | None
    ended_s: float | None  # None: it was still running when the route ended
    actors: dict[str, int]  # the scenario's actors by type, all that appeared
    moved: int  # how many of them moved more than a metre
    route_s: float
    status: str  # the evaluator's word for the route
    faults: list[str]  # of the evaluator: set-up errors, exceptions
    server_faults: list[str]  # lines of the server's log that are no information
    wall_s: float

    @property
    def name(self) -> str:
        """What it is called among its like."""
        return self.scenario

    @property
    def good(self) -> bool:
        """Whether the scenario started and nothing on either side went wrong."""
        return self.started_s is not None and not self.faults and not self.server_faults


@dataclass(frozen=True)
class Played:
    """What became of an example of ScenarioRunner."""

    file: str
    scenario: str  # its name in an XML file, empty for OpenSCENARIO
    kind: str
    town: str
    ended: bool  # by itself, before the time limit
    verdict: str  # ScenarioRunner's
    actors: dict[str, int]
    moved: int
    game_s: float
    faults: list[str]
    server_faults: list[str]
    wall_s: float

    @property
    def name(self) -> str:
        """What it is called among its like."""
        return self.scenario or self.file

    @property
    def good(self) -> bool:
        """Whether it was played and nothing on either side went wrong."""
        return bool(self.verdict or self.game_s > 0) and not self.faults and not self.server_faults


Row = TypeVar("Row", Outcome, Played)


def count(sightings: list[tuple[str, float]]) -> dict[str, int]:
    """How many actors of each type."""
    return dict(sorted(Counter(kind for kind, _ in sightings).items()))


def read(path: Path, kind: type[Row]) -> list[Row]:
    """The last outcome of each name."""
    if not path.is_file():
        return []
    rows = [kind(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    return list({row.name: row for row in rows}.values())


def append(path: Path, row: Outcome | Played) -> None:
    """Keep an outcome."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(dataclasses.asdict(row)) + "\n")
