"""Which job an idle place takes next. Knows nothing of processes, results or the ledger.

Loading a town costs a server about as much as driving half a minute, so a place stays in its town while there is anything left
to drive there; within a town the longest routes come first, so that all places end at about the same time. Routes that
have to be driven again come last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from drive_agent.drive.jobs import Job


class Agenda:
    """Jobs that nobody drives at present."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._fresh: dict[str, deque[Job]] = {}
        for job in sorted(jobs, key=way_m, reverse=True):
            self._fresh.setdefault(job.spec.town, deque()).append(job)
        self._again: deque[Job] = deque()
        self._towns: dict[int, str] = {}  # place -> where it drove last

    def __bool__(self) -> bool:
        return bool(self._fresh or self._again)

    def take(self, place: int) -> Job:
        """The next job of a place (its number). Raises IndexError when nothing is left."""
        town = self._town_for(place)
        if town is None:
            job = self._again.popleft()
            self._towns[place] = job.spec.town
            return job
        self._towns[place] = town
        jobs = self._fresh[town]
        job = jobs.popleft()
        if not jobs:
            del self._fresh[town]
        return job

    def put_back(self, job: Job) -> None:
        """It was not begun: its place is lost."""
        self._fresh.setdefault(job.spec.town, deque()).appendleft(job)

    def again(self, job: Job) -> None:
        """It was spoiled and comes again, after all others."""
        self._again.append(job)

    def _town_for(self, place: int) -> str | None:
        """Its own town, else that with most to drive for each place that would then be in it."""
        if self._towns.get(place) in self._fresh:
            return self._towns[place]
        others = [town for other, town in self._towns.items() if other != place]
        return max(
            self._fresh,
            key=lambda town: sum(map(way_m, self._fresh[town])) / (1 + others.count(town)),
            default=None,
        )


def way_m(job: Job) -> float:
    """About how long its route is: straight from each point that it names to the next."""
    points = np.asarray(job.spec.keypoints)[:, :2]
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
