"""What became of each route of a run: `ledger.jsonl`, a line for every try that ended, on disk before anybody acts on it.

A route is finished or it is not. It is when its last record says so, or when its log tells how the drive ended (a run
killed between the two loses nothing). `results.json` is written from the ledger, never read back. One process writes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from drive_agent.log.schema import Outcome
from drive_agent.log.store import Episode
from drive_agent.score.judged import LOG_NAME, folder_name, unlogged
from drive_agent.score.results import (
    SIMULATION_CRASHED,
    RouteRecord,
    record_from,
    route_record,
    write_results,
)
from drive_agent.score.verdict import appraise, keep, kept

LEDGER_NAME = "ledger.jsonl"
RESULTS_NAME = "results.json"
VERSION = "2.1"  # of the formula in results.json; every other one is computed from the logs


@dataclass(frozen=True)
class Entry:
    """How one try of a route ended. Without a record it has to be driven again: the simulator failed, not the driver."""

    route_id: str  # "RouteScenario_<id>_rep<k>"
    reason: str  # one line, "" when there is nothing to add
    record: RouteRecord | None


@dataclass(frozen=True)
class Lines:
    """A ledger as it was read. `asked` is empty when its first line is gone."""

    asked: tuple[str, ...]
    entries: tuple[Entry, ...]
    broken: int  # lines that could not be read


class Ledger:
    """The ledger of a run over named routes; the only writer of ledger.jsonl and results.json."""

    def __init__(self, folder: Path, names: Sequence[str], lines: Lines) -> None:
        self._folder = folder
        self._names = list(names)
        self._entries = list(lines.entries)
        self.broken_lines = lines.broken

    @classmethod
    def open(cls, folder: Path, names: Sequence[str]) -> Ledger:
        """Begin the ledger of a run, or go on with the one that lies there.

        Raises ValueError when that one was begun for other routes.
        """
        lines = read_ledger(folder)
        if lines.asked and lines.asked != tuple(names):
            raise ValueError(
                f"{folder / LEDGER_NAME} is of {len(lines.asked)} routes from {lines.asked[0]} on, this run drives"
                f" {len(names)} from {names[0]} on: resume with the same routes= and repetitions=, or give another out="
            )
        ledger = cls(folder, names, lines)
        ledger._repair(lines)
        ledger._adopt()
        ledger._write_results()
        return ledger

    @property
    def records(self) -> list[RouteRecord]:
        """The last record of each route that has one, in the run's order."""
        last = last_records(self._entries)
        return [replace(last[name], index=k) for k, name in enumerate(self._names) if name in last]

    def finished(self, name: str) -> bool:
        """Need this route not be driven again? A crash of the simulation is no fault of the agent, so it need."""
        record = last_records(self._entries).get(name)
        return record is not None and SIMULATION_CRASHED not in record.status

    def failed(self, name: str, reason: str) -> None:
        """Note a try that has to be repeated."""
        self._append(Entry(name, reason, None))

    def finish(self, name: str, record: RouteRecord, reason: str) -> None:
        """Enter a route's result. Raises ValueError for the record of another route, OSError on a full disk."""
        if record.route_id != name:
            raise ValueError(f"the log is of route {record.route_id}, expected {name}")
        self._append(Entry(name, reason, record))
        self._write_results()

    def _append(self, entry: Entry) -> None:
        _append_line(self._folder / LEDGER_NAME, json.dumps(_plain(entry)))
        self._entries.append(entry)

    def _repair(self, lines: Lines) -> None:
        """Leave a file of whole lines, the routes asked for on top."""
        path = self._folder / LEDGER_NAME
        if path.exists() and lines.asked and not lines.broken:
            return
        part = path.with_name(path.name + ".part")
        rows = [{"asked": self._names}, *(_plain(entry) for entry in lines.entries)]
        part.write_text("".join(json.dumps(row) + "\n" for row in rows))
        os.replace(part, path)

    def _adopt(self) -> None:
        """Enter the routes whose logs are complete but whose lines were never written, or lost."""
        for name in self._names:
            if self.finished(name):
                continue
            log = self._folder / "routes" / folder_name(name) / LOG_NAME
            outcome = _outcome_in(log)
            if outcome is not None and SIMULATION_CRASHED not in outcome.status:
                self._append(Entry(name, outcome.reason, judged_record(log, name, outcome)))

    def _write_results(self) -> None:
        write_results(self._folder / RESULTS_NAME, len(self._names), self.records, VERSION)


def read_ledger(folder: Path) -> Lines:
    """The ledger of a run folder; empty where there is none. Lines that cannot be read are counted."""
    path = folder / LEDGER_NAME
    data = path.read_bytes() if path.exists() else b""
    rows = [_row(line) for line in data.split(b"\n") if line.strip()]
    asked = next((tuple(row["asked"]) for row in rows[:1] if row and "asked" in row), ())
    entries = tuple(_entry(row) for row in rows if row and "route_id" in row)
    cut_off = bool(data) and not data.endswith(b"\n")
    return Lines(asked, entries, max(sum(row is None for row in rows), cut_off))


def last_records(entries: Sequence[Entry]) -> dict[str, RouteRecord]:
    """Route -> its last record, for those that have one."""
    return {entry.route_id: entry.record for entry in entries if entry.record is not None}


def judged_record(log: Path, name: str, outcome: Outcome) -> RouteRecord:
    """The results-file record of a route from its log, or of one that failed before its log began.

    Keeps what was found beside the log (`verdict`). Raises ValueError for a log of another route.
    """
    if not log.exists() or not log.stat().st_size:
        return route_record(-1, unlogged(name, outcome), VERSION)
    found = kept(log)
    verdict = found or appraise(log, outcome)
    judged = verdict.leaderboard
    if judged.route_id != name:
        raise ValueError(f"{log} is of route {judged.route_id}, expected {name}")
    if found is None:
        keep(log, verdict)
    return route_record(-1, judged, VERSION)


def _outcome_in(log: Path) -> Outcome | None:
    """How a log says that its drive ended; None where it does not, or cannot be read."""
    try:
        with Episode.open(log) as episode:
            return episode.outcome
    except (FileNotFoundError, ValueError):
        return None


def _append_line(path: Path, text: str) -> None:
    """Append one line, all of it or nothing, and wait until the disk has it."""
    data = text.encode() + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(handle).st_size
        try:
            if os.write(handle, data) != len(data):
                raise OSError(28, "No space left on device", str(path))
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)


def _row(line: bytes) -> dict | None:
    """One line as plain values that can be used, None where it is broken."""
    try:
        row = json.loads(line)
        if "asked" not in row:
            _entry(row)
    except (ValueError, KeyError, TypeError):
        return None
    return row


def _entry(row: dict) -> Entry:
    record = None if row["record"] is None else record_from(-1, row["record"])
    return Entry(row["route_id"], row["reason"], record)


def _plain(entry: Entry) -> dict:
    return {
        "route_id": entry.route_id,
        "reason": entry.reason,
        "record": None if entry.record is None else asdict(entry.record),
    }
