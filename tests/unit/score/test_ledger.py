"""The ledger: no finished route is lost or driven twice, whatever was cut off where."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.score.ledger import LEDGER_NAME, Ledger, judged_record, read_ledger
from drive_agent.score.results import read_records
from tests.worlds import cruise, header, straight_route, street

NAMES = [f"RouteScenario_7_rep{k}" for k in range(3)]
DONE = Outcome("Completed", "", 30.0, 25.0)
CRASHED = Outcome("Failed - Simulation crashed", "the server was ended by signal 9", 5.0, 5.0)


def drive(run: Path, repetition: int, seconds: float = 30.0, outcome: Outcome | None = None) -> Path:
    """A log of 200 m at 8 m/s, perhaps cut short."""
    path = run / "routes" / f"7_rep{repetition}" / "log.mcap"
    with EpisodeWriter(path, header(straight_route(200), "7", repetition), street()) as log:
        for now in cruise(8.0, seconds):
            log.write(now, None)
        if outcome is not None:
            log.finish(outcome)
    return path


def enter(ledger: Ledger, run: Path, repetition: int, outcome: Outcome = DONE) -> None:
    name = NAMES[repetition]
    log = drive(run, repetition, outcome=outcome)
    ledger.finish(name, judged_record(log, name, outcome), outcome.reason)


def finished(ledger: Ledger) -> list[bool]:
    return [ledger.finished(name) for name in NAMES]


def lines(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / LEDGER_NAME).read_text().splitlines()]


def test_going_on_keeps_what_is_finished(tmp_path):
    ledger = Ledger.open(tmp_path, NAMES)
    enter(ledger, tmp_path, 0)
    ledger.failed(NAMES[1], "the server hangs")
    before = lines(tmp_path)
    again = Ledger.open(tmp_path, NAMES)
    assert finished(again) == [True, False, False] and again.records == ledger.records
    assert lines(tmp_path) == before
    assert [entry.reason for entry in read_ledger(tmp_path).entries] == ["", "the server hangs"]


def test_a_crash_of_the_simulation_is_driven_again(tmp_path):
    ledger = Ledger.open(tmp_path, NAMES[:1])
    log = drive(tmp_path, 0, seconds=5.0)
    ledger.finish(NAMES[0], judged_record(log, NAMES[0], CRASHED), CRASHED.reason)
    assert not ledger.finished(NAMES[0])
    [record] = ledger.records
    assert record.score_route == 19.5  # driven so far counts
    assert json.loads((tmp_path / "results.json").read_text())["entry_status"] == "Crashed"
    enter(ledger, tmp_path, 0)
    assert ledger.finished(NAMES[0]) and len(ledger.records) == 1


@pytest.mark.parametrize("size", [0, 1, 40])
def test_a_truncated_results_file_is_written_again(tmp_path, size):
    enter(Ledger.open(tmp_path, NAMES), tmp_path, 0)
    whole = (tmp_path / "results.json").read_bytes()
    (tmp_path / "results.json").write_bytes(whole[:size])
    assert finished(Ledger.open(tmp_path, NAMES)) == [True, False, False]
    assert (tmp_path / "results.json").read_bytes() == whole


def test_a_ledger_cut_at_any_byte_loses_no_finished_route(tmp_path):
    ledger = Ledger.open(tmp_path, NAMES)
    enter(ledger, tmp_path, 0)
    enter(ledger, tmp_path, 1)
    whole = (tmp_path / LEDGER_NAME).read_bytes()
    results = (tmp_path / "results.json").read_bytes()
    for size in [*range(0, len(whole), 97), len(whole) - 1]:
        (tmp_path / LEDGER_NAME).write_bytes(whole[:size])
        assert finished(Ledger.open(tmp_path, NAMES)) == [True, True, False], size
        assert (tmp_path / LEDGER_NAME).read_bytes() == whole, size
        assert (tmp_path / "results.json").read_bytes() == results


def test_a_route_whose_log_is_whole_is_not_driven_again(tmp_path):
    """Killed between the end of a log and its line in the ledger."""
    Ledger.open(tmp_path, NAMES)
    drive(tmp_path, 0, outcome=DONE)
    drive(tmp_path, 1, seconds=4.0)
    drive(tmp_path, 2, seconds=4.0, outcome=CRASHED)
    ledger = Ledger.open(tmp_path, NAMES)
    assert finished(ledger) == [True, False, False]
    assert ledger.records[0].status == "Perfect"


def test_a_line_in_the_middle_that_is_broken_is_made_good(tmp_path):
    ledger = Ledger.open(tmp_path, NAMES)
    enter(ledger, tmp_path, 0)
    enter(ledger, tmp_path, 1)
    rows = (tmp_path / LEDGER_NAME).read_text().splitlines()
    (tmp_path / LEDGER_NAME).write_text("\n".join([rows[0], "\0" * 50, rows[2]]) + "\n")
    again = Ledger.open(tmp_path, NAMES)
    assert again.broken_lines == 1 and finished(again) == [True, True, False]
    assert read_ledger(tmp_path).broken == 0


def test_other_routes_are_refused(tmp_path):
    Ledger.open(tmp_path, NAMES)
    with pytest.raises(ValueError, match="is of 3 routes from RouteScenario_7_rep0 on, this run drives 2"):
        Ledger.open(tmp_path, NAMES[1:])


def test_a_log_of_another_route_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is of route RouteScenario_7_rep1, expected RouteScenario_7_rep0"):
        judged_record(drive(tmp_path, 1), NAMES[0], DONE)


def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch):
    ledger = Ledger.open(tmp_path, NAMES)
    enter(ledger, tmp_path, 0)
    before = (tmp_path / LEDGER_NAME).read_bytes()
    really_write = os.write

    def half(handle: int, data: bytes) -> int:
        return really_write(handle, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space left") as caught:
        ledger.failed(NAMES[1], "the server hangs")
    assert caught.value.errno == errno.ENOSPC
    assert (tmp_path / LEDGER_NAME).read_bytes() == before


def test_a_failed_write_leaves_the_old_results(tmp_path, monkeypatch):
    ledger = Ledger.open(tmp_path, NAMES)
    enter(ledger, tmp_path, 0)
    before = read_records(tmp_path / "results.json")

    def full_disk(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        enter(ledger, tmp_path, 1)
    monkeypatch.undo()
    assert read_records(tmp_path / "results.json") == before
    assert finished(Ledger.open(tmp_path, NAMES)) == [True, True, False]
