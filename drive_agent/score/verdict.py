"""What a log amounts to, kept beside it as `verdict.json`, so that tables and pages of a run need not read its logs.

Whoever has driven a route writes it. It holds for one log, byte for byte, and for one state of the code that judges; where
either has changed, or the file is missing or damaged, it is made anew from the log. `drive-agent score` never reads it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from drive_agent.log.encode import dumps, from_plain, loads, to_plain
from drive_agent.log.schema import Outcome
from drive_agent.log.store import Episode
from drive_agent.offspring import process_pool
from drive_agent.score.course import Course, course_of
from drive_agent.score.drive_record import DriveRecord
from drive_agent.score.judged import JudgedRoute, judge_drive, logs_in
from drive_agent.score.planned import Planned
from drive_agent.score.rules import BENCH2DRIVE, LEADERBOARD_2, Rules
from drive_agent.score.seen import Seen
from drive_agent.score.ticks import Ticks

VERDICT_NAME = "verdict.json"
_READ_BYTES = 1 << 20
_PACKAGE = Path(__file__).parents[1]
_ROOMS = ("score", "log")  # with the modules beside them, the code that a verdict hangs on


@dataclass(frozen=True)
class Verdict:
    """One drive, judged under both sets of rules, with its share in the run's figures."""

    scorer: str  # `scorer_version` of who judged
    log_digest: str
    leaderboard: JudgedRoute
    bench2drive: JudgedRoute
    ticks: Ticks
    seen: Seen
    planned: Planned
    course: Course
    truncated: str | None  # see `Episode.truncated`

    def under(self, rules: Rules) -> JudgedRoute:
        """The drive as these rules see it."""
        return self.bench2drive if rules == BENCH2DRIVE else self.leaderboard


def verdict_of(log: Path, outcome: Outcome | None = None) -> Verdict:
    """What is kept of a log, else judged now; `outcome` and errors as in `judge_log`. Writes nothing."""
    return kept(log) or appraise(log, outcome)


def appraise(log: Path, outcome: Outcome | None = None) -> Verdict:
    """Judge a log now: one pass over its ticks. `outcome` and errors as in `judge_log`."""
    digest = _digest(log)
    with Episode.open(log) as episode:
        drive = DriveRecord(episode)
        leaderboard, bench2drive = judge_drive(episode, drive.truths, (LEADERBOARD_2, BENCH2DRIVE), outcome)
        truncated = episode.truncated
    ticks, seen, planned = Ticks(), Seen(), Planned()
    for sums in (ticks, seen, planned):
        sums.add(drive)
    course = course_of(drive, leaderboard.events)
    return Verdict(
        scorer_version(), digest, leaderboard, bench2drive, ticks, seen, planned, course, truncated
    )


def kept(log: Path) -> Verdict | None:
    """The verdict that lies beside a log, None where there is none of this very log by today's code."""
    path = log.with_name(VERDICT_NAME)
    if not path.exists():
        return None
    try:
        plain = loads(path.read_bytes())
        if plain["scorer"] != scorer_version() or plain["log_digest"] != _digest(log):
            return None
        return from_plain(Verdict, plain)
    except (ValueError, TypeError, KeyError, AttributeError):  # damaged: as good as missing
        return None


def keep(log: Path, verdict: Verdict) -> None:
    """Write it beside its log, whole or not at all. One of a log that does not say itself how it ended is not kept."""
    if verdict.truncated is not None:
        return
    path = log.with_name(VERDICT_NAME)
    part = path.with_name(path.name + ".part")
    part.write_bytes(dumps(to_plain(verdict)))
    os.replace(part, path)


def stale_logs(run: Path) -> list[Path]:
    """The logs of a run that have no verdict by today's code."""
    return [log for log in logs_in(run) if log.is_file() and kept(log) is None]


def keep_all(logs: Sequence[Path]) -> Iterator[None]:
    """Judge logs on all processors and keep what is found, an item each; those that cannot be judged stay as they are."""
    with process_pool(min(os.cpu_count() or 1, len(logs))) as pool:
        yield from pool.map(_keep_anew, logs, chunksize=4)


def _keep_anew(log: Path) -> None:
    try:
        keep(log, appraise(log))
    except ValueError:  # cut off or unreadable: whoever asks for it is told why
        return


@cache
def scorer_version() -> str:
    """A digest of the code that reads and judges logs."""
    files = [*_PACKAGE.glob("*.py"), *(path for room in _ROOMS for path in (_PACKAGE / room).rglob("*.py"))]
    summed = hashlib.sha256()
    for path in sorted(files):
        summed.update(str(path.relative_to(_PACKAGE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return summed.hexdigest()[:16]


def _digest(log: Path) -> str:
    summed = hashlib.sha256()
    with log.open("rb") as file:
        while part := file.read(_READ_BYTES):
            summed.update(part)
    return summed.hexdigest()
