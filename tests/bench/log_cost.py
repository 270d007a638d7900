"""What a log costs: a drive's own log written again from memory, which leaves only the writing; and what judging costs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

from drive_agent.log.records import decision_of
from drive_agent.log.schema import Outcome
from drive_agent.log.store import Episode, EpisodeWriter
from drive_agent.rig import front_rig
from drive_agent.score.judged import judge_log
from drive_agent.types import Decision

_ROUNDS = 3
_OWN = {mount.name for mount in front_rig().cameras}


@dataclass(frozen=True)
class LogCost:
    """`write_s` is processor time of writing the whole drive; the size counts six cameras, not the model's own two."""

    write_s: float
    ms_per_tick: float
    drive_wall_s: float
    mb_per_minute: float


def cost_of_log(log: Path, again: Path) -> LogCost:
    """Write the drive of `log` to `again`, a few times; the best time counts, since others use the machine too."""
    with Episode.open(log) as episode:
        truths = list(episode.truths())
        decisions = {time_us: decision_of(record, episode.image) for time_us, record in episode.ticks()}
        header, road_map, outcome = episode.header, episode.road_map, episode.outcome
    assert outcome is not None
    spent = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        with EpisodeWriter(again, header, road_map) as writer:
            for truth in truths:
                writer.write(truth, decisions[truth.time_us])
            writer.finish(outcome)
        spent.append(time.process_time() - began)
    with EpisodeWriter(again, header, road_map) as writer:
        for truth in truths:
            writer.write(truth, _without_own_pictures(decisions[truth.time_us]))
        writer.finish(outcome)
    minutes = (truths[-1].time_us - truths[0].time_us) / 60e6
    size_mb = again.stat().st_size / 1e6
    return LogCost(min(spent), min(spent) / len(truths) * 1e3, outcome.wall_s, size_mb / minutes)


def judging_s(log: Path, again: Path, seconds: float = 600.0) -> float:
    """Processor time of judging a drive of ten minutes: that of `log`, every tick of it held as often as it takes."""
    with Episode.open(log) as episode, EpisodeWriter(again, episode.header, episode.road_map) as writer:
        truths = list(episode.truths())
        tick_us = truths[1].time_us - truths[0].time_us
        held = math.ceil(seconds * 1e6 / tick_us / len(truths))
        for k in range(held * len(truths)):
            now = truths[k // held]
            writer.write(replace(now, time_us=truths[0].time_us + k * tick_us), None)
    spent = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        judge_log(again, Outcome("Completed", "", 0.0, 0.0))
        spent.append(time.process_time() - began)
    return min(spent)


def _without_own_pictures(decision: Decision) -> Decision:
    frame, prompt = decision.frame, decision.prompt
    if frame is None or prompt is None:
        return decision
    others = (
        {name: image for name, image in part.items() if name not in _OWN}
        for part in (frame.cameras, frame.previous)
    )
    cameras, previous = others
    return replace(
        decision,
        frame=replace(frame, cameras=cameras, previous=previous),
        prompt=replace(prompt, images=(), previous_images=()),
    )
