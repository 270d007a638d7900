"""Every infraction of a drive with the score that it alone cost: from the verdict that is kept beside its log, else judged now.

Done in a process of its own, so that the page can be shown meanwhile.
"""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from threading import Lock

from drive_agent.log import schema
from drive_agent.log.store import Episode
from drive_agent.offspring import process_pool
from drive_agent.score.events import Event
from drive_agent.score.formula import score
from drive_agent.score.judge import judge_episode
from drive_agent.score.verdict import kept
from replay.captions import MILD, title


class Losses:
    """`judged` of logs, in the background; kept until a log grows."""

    def __init__(self) -> None:
        self._pool = process_pool(1)
        self._pool.submit(int)  # the process starts before anybody asks
        self._lock = Lock()
        self._known: dict[Path, tuple[int, Future[dict]]] = {}

    def begin(self, path: Path) -> Future[dict]:
        """Have a log judged, unless it is or was just now."""
        size = path.stat().st_size
        with self._lock:
            known = self._known.get(path)
            if known is None or known[0] != size:
                known = self._known[path] = (size, self._pool.submit(judged, path))
            return known[1]

    def of(self, path: Path) -> dict:
        """See `judged`; waits for it. Raises ValueError for a file that is no log."""
        return self.begin(path).result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def judged(path: Path) -> dict:
    """Score, completion and events of a log under Leaderboard 2.1; `loss` is the score that an event alone costs.

    No score and completion for what was recorded and only watched by the model: they would be those of a human. None either
    for a recording whose route nobody gave: the way that was driven is its route.
    """
    with Episode.open(path) as episode:
        start_us = next((truth["time_us"] for truth in episode.raw(schema.TRUTH)), 0)
        verdict = kept(path)
        found = judge_episode(episode) if verdict is None else verdict.leaderboard
        outcome = episode.outcome
        is_watched = outcome is not None and outcome.reason == schema.OPEN_LOOP
        is_aimless = (
            outcome is not None and outcome.status == schema.RECORDED and not episode.header.route_spec
        )
        directed = [
            {"t": (done.time_us - start_us) / 1e6, "scenario": done.scenario, "what": done.what}
            for done in episode.scenario_events()
        ]
    percent, events, is_scored = found.completion_percent, found.events, not (is_watched or is_aimless)
    driving = score("2.1", percent, events).driving
    return {
        "completion": percent if is_scored else None,
        "score": driving if is_scored else None,
        "directed": directed,
        "events": [_event(event, start_us, score("2.1", percent, _without(events, k)).driving - driving)
                   for k, event in enumerate(events)],
    }  # fmt: skip


def _without(events: tuple[Event, ...], place: int) -> list[Event]:
    return [event for k, event in enumerate(events) if k != place]


def _event(event: Event, start_us: int, loss: float) -> dict:
    return {
        "t": (event.time_us - start_us) / 1e6, "kind": event.kind, "title": title(event.kind), "mild": event.kind in MILD,
        "message": event.message, "x": event.x_m, "y": event.y_m, "other": event.other_id, "loss": round(loss, 2),
    }  # fmt: skip
