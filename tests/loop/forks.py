"""How exact forks are: every route of a run forked at random moments with nothing changed, and every question asked again.

    python -m tests.loop.forks runs/NAME [moments=4] [seed=0]

A fork is exact when poses of everybody, pictures, commands and the score are those of the drive, bit for bit. Needs no more
than the run: the embedded server drives each fork from its start, so a fork costs about a drive.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from drive_agent.log.store import Episode
from drive_agent.score.formula import score
from drive_agent.score.judged import judge_log, logs_in

CONSOLE = Console(width=100, highlight=False)


@dataclass(frozen=True)
class Drive:
    """What has to come out the same."""

    poses: list[np.ndarray]  # of everybody at each tick
    pictures: list[bytes]
    commands: list
    score: float

    @property
    def duration_s(self) -> float:
        return len(self.poses) * 0.05

    def differences(self, other: Drive) -> list[str]:
        """The parts in which two drives are not the same to the last bit."""
        same_way = len(self.poses) == len(other.poses) and all(map(np.array_equal, self.poses, other.poses))
        same = {
            "trajectories": same_way,
            "pictures": self.pictures == other.pictures,
            "commands": self.commands == other.commands,
            "score": self.score == other.score,
        }
        return [name for name, alike in same.items() if not alike]


def drive_of(log: Path) -> Drive:
    """A drive out of its log."""
    judged = judge_log(log)
    with Episode.open(log) as episode:
        return Drive(
            [truth.actors for truth in episode.truths()],
            [jpeg for camera in episode.cameras for _, jpeg in episode.images(camera)],
            [record.command for _, record in episode.ticks()],
            score("2.1", judged.completion_percent, judged.events).driving,
        )


def _replay(*words: str) -> str:
    command = [sys.executable, "-m", "drive_agent", "replay", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def check_run(run: Path, moments: int, seed: int) -> int:
    """Print a line a fork and a line a route's questions; how many of them were not exact."""
    draw, wrong, logs = random.Random(seed), 0, list(logs_in(run))
    if not logs:
        raise SystemExit(f"{run} holds no drives, expected a run folder with routes/*/log.mcap")
    for log in logs:
        drive, route = drive_of(log), log.parent.name
        for at_s in sorted(draw.uniform(0.05, drive.duration_s - 0.1) for _ in range(moments)):
            with tempfile.TemporaryDirectory() as folder:
                _replay("fork", str(run), f"route={route}", f"at={at_s:.2f}", f"out={folder}/fork")
                different = drive.differences(drive_of(next(Path(folder).glob("fork/routes/*/log.mcap"))))
            wrong += bool(different)
            CONSOLE.print(
                f"{route}  fork at {at_s:7.2f} s  {'differs: ' + ', '.join(different) if different else 'exact'}",
            )
        answers = json.loads(_replay("ask", str(run), f"route={route}", "format=json"))
        same = sum(answer["identical"] for answer in answers)
        wrong += same != len(answers)
        CONSOLE.print(f"{route}  asked again: {same} of {len(answers)} replies identical")
    return wrong


if __name__ == "__main__":
    folder, *settings = sys.argv[1:] or sys.exit(__doc__)
    given = {"moments": 4, "seed": 0} | {
        key: int(value) for key, value in (word.split("=") for word in settings)
    }
    sys.exit(1 if check_run(Path(folder), given["moments"], given["seed"]) else 0)
