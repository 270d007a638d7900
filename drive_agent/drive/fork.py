"""Drive on from a moment of a log: the world up to there again, with the logged commands, then another driver or world.

The route is started anew with its seed and every tick before the fork gets the command that the log holds; cameras rest
meanwhile, and the driver lives through what was decided, so that at the fork its state is that of then. On the embedded
server this is exact, and checked tick by tick. CARLA's own server repeats a start less well: `Rerun.deviation_m` says how
well. What the fork changes, nothing (a test of exactness) included, is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from drive_agent.config import ConfigError, DriveConfig
from drive_agent.drive.carla import CarlaEnv
from drive_agent.drive.env import Driver, Ground, Listener
from drive_agent.drive.loop import run_episode
from drive_agent.drive.provenance import git_hash, run_header
from drive_agent.drive.roster import make_driver
from drive_agent.drive.servers import start_server
from drive_agent.drive.world import open_env
from drive_agent.log.encode import from_plain
from drive_agent.log.records import decision_of
from drive_agent.log.schema import Outcome, RunHeader, ScenarioEvent
from drive_agent.log.store import Episode, EpisodeWriter
from drive_agent.types import Briefing, Command, Decision, SensorPacket, Truth
from scenarios.own import load_own_types
from scenarios.routes import RouteSpec

WAKE_TICKS = 6  # before the fork the cameras are listened to again: a stream takes a moment to come


@dataclass(frozen=True)
class Changes:
    """What is different in the world from the fork on."""

    weather: Mapping[str, float] = field(default_factory=dict)  # CARLA's weather parameters by their names
    without: tuple[int, ...] = ()  # actors of the log that are gone


@dataclass(frozen=True)
class Past:
    """All of a log before the fork: what was decided, and where everyone was, by time."""

    decisions: Mapping[int, Decision]
    truths: Mapping[int, Truth]
    fork_us: int
    commit: str  # of the code that drove

    def is_over(self, time_us: int) -> bool:
        return time_us >= self.fork_us


def read_past(episode: Episode, at_s: float) -> Past:
    """The ticks before `at_s` seconds after the first one. Raises ValueError for a time that the log does not have."""
    truths = list(episode.truths())
    if not truths:
        raise ValueError(f"{episode.path} has no tick to fork at; drive it again")
    fork_us = truths[0].time_us + round(at_s * 1e6)
    if not truths[0].time_us < fork_us <= truths[-1].time_us:
        last_s = (truths[-1].time_us - truths[0].time_us) / 1e6
        raise ValueError(
            f"at={at_s:g}: the drive of {episode.path} lasts {last_s:.2f} s; give a time in it, after 0"
        )
    past = {truth.time_us: truth for truth in truths if truth.time_us < fork_us}
    decisions = {time_us: decision_of(record, episode.image) for time_us, record in _until(episode, fork_us)}
    missing = [time_us for time_us in past if time_us not in decisions]
    if missing:
        raise ValueError(f"{episode.path} has no decision at {missing[0]} us: only whole logs can be forked")
    return Past(decisions, past, fork_us, episode.header.git_hash)


def _until(episode: Episode, end_us: int) -> Iterable:
    for time_us, record in episode.ticks():
        if time_us >= end_us:
            return
        yield time_us, record


class RecallingDriver(Driver, Protocol):
    """A driver that can be brought to the state which a past drive had."""

    def recall(self, packet: SensorPacket, truth: Truth, decided: Decision) -> None:
        """Live through a tick that was decided before (`decided`, maybe by another driver), as if having decided so."""
        ...


class ForkedDriver:
    """Says what the log says until the fork, and what the driver says from there on."""

    def __init__(self, driver: RecallingDriver, past: Past) -> None:
        self._driver = driver
        self._past = past

    def brief(self, briefing: Briefing, ground: Ground) -> None:
        self._driver.brief(briefing, ground)

    def step(self, packet: SensorPacket, truth: Truth) -> Decision:
        if self._past.is_over(truth.time_us):
            return self._driver.step(packet, truth)
        decided = self._past.decisions[truth.time_us]
        self._driver.recall(packet, truth, decided)
        return decided


class Rerun:
    """The environment until the fork and after it: cameras rest until shortly before, changes come with the fork.

    `deviation_m` is the largest distance of anyone from where the log saw them, over all ticks before the fork.
    """

    def __init__(self, env: CarlaEnv, past: Past, changes: Changes, *, exact: bool) -> None:
        self._env, self._past, self._changes, self._exact = env, past, changes, exact
        self._times = sorted(past.decisions)
        self._tick = 0
        self.deviation_m = 0.0

    def reset(self, spec: RouteSpec, seed: int) -> tuple[Briefing, Ground]:
        return self._env.reset(spec, seed)

    def observe(self) -> SensorPacket:
        packet = self._env.observe()
        if self._past.is_over(self._env.truth().time_us):
            return packet
        if self._tick == 0 and len(self._times) > WAKE_TICKS:
            self._env.doze()
        return replace(packet, images={})

    def truth(self) -> Truth:
        """The ground truth. Raises RuntimeError where an exact world is not as the log saw it."""
        truth = self._env.truth()
        if not self._past.is_over(truth.time_us):
            self._compare(truth)
        return truth

    def scenario_events(self) -> tuple[ScenarioEvent, ...]:
        return self._env.scenario_events()

    def apply(self, command: Command) -> None:
        self._tick += 1
        to_go = len(self._times) - self._tick
        if to_go == WAKE_TICKS:
            self._env.wake()
        if to_go == 0:
            self._env.change(dict(self._changes.weather), self._ids_now())
        self._env.apply(command)

    def _compare(self, now: Truth) -> None:
        then = self._past.truths.get(now.time_us)
        if then is None:
            raise RuntimeError(
                f"the world has a tick at {now.time_us} us which the log has not: another tick_s drove it"
            )
        if self._exact and not np.array_equal(then.actors, now.actors):
            raise RuntimeError(
                f"the world at {now.time_us / 1e6:.2f} s is not the logged one ({_difference(then, now)}): the log was"
                f" driven at commit {self._past.commit[:10] or 'unknown'}, this is {git_hash()[:10] or 'unknown'}, or on"
                " another machine; fork it there, or give exact=false to drive on nevertheless"
            )
        if then.actors.shape == now.actors.shape:
            apart = np.linalg.norm(then.actors[:, :2] - now.actors[:, :2], axis=1)
            self.deviation_m = max(self.deviation_m, float(apart.max()))
        else:
            self.deviation_m = float("inf")

    def _ids_now(self) -> tuple[int, ...]:
        """The actors that shall go, by their ids in this world: both worlds met everyone in the same order."""
        then, now = self._past.truths[self._times[-1]], self._env.truth()
        unknown = set(self._changes.without) - set(then.ids)
        if unknown:
            raise ValueError(
                f"without={sorted(unknown)}: nobody of that id is there at the fork, only {then.ids[1:]}"
            )
        return tuple(now.ids[then.ids.index(actor)] for actor in self._changes.without)


def _difference(then: Truth, now: Truth) -> str:
    if then.actors.shape != now.actors.shape:
        return f"{len(now.ids)} actors instead of {len(then.ids)}"
    row = int(np.abs(then.actors - now.actors).max(1).argmax())
    apart_m = float(np.linalg.norm(then.actors[row, :3] - now.actors[row, :3]))
    return f"{then.infos[then.ids[row]].type_id} is {apart_m:.3g} m away"


@dataclass(frozen=True)
class Forked:
    """What came of it."""

    outcome: Outcome
    deviation_m: float


def fork(
    log: Path,
    at_s: float,
    config: DriveConfig,
    out: Path,
    changes: Changes = Changes(),
    listeners: tuple[Listener, ...] = (),
    *,
    exact: bool = True,
) -> Forked:
    """Drive the route of `log` on from `at_s` under `config`; the new log, whole from the start, is `out`.

    Raises ValueError for a log or a time that cannot be forked, RuntimeError where `exact` is asked for and not there.
    """
    with Episode.open(log) as episode:
        header, past = episode.header, read_past(episode, at_s)
    spec = spec_of(header, log)
    if config.scenarios is not None:
        load_own_types(config.scenarios)
    driver = make_driver(config)
    if not isinstance(getattr(driver, "recall", None), Callable):
        raise ConfigError(f"model.kind={config.model.kind} cannot take over under way: choose another model")
    server = start_server(config.carla, config.runner, 0, spec.town, config.seed)
    try:
        env = open_env(config, server.host, server.port, 0)
        rerun = Rerun(env, past, changes, exact=exact)

        def open_log(briefing: Briefing, ground: Ground) -> EpisodeWriter:
            del briefing
            head = run_header(
                spec.id,
                header.repetition,
                spec.town,
                header.seed,
                ground,
                config,
                header.scenario_types,
                spec,
            )
            return EpisodeWriter(out, head, ground.road_map)

        outcome = run_episode(rerun, ForkedDriver(driver, past), spec, header.seed, open_log, listeners)
        env.close()
    finally:
        server.stop()
    return Forked(outcome, rerun.deviation_m)


def spec_of(header: RunHeader, log: Path) -> RouteSpec:
    """The route as it was asked for. Raises ValueError for a log that does not hold it."""
    if not header.route_spec:
        raise ValueError(
            f"{log} does not hold its route's description (a Leaderboard drive, an import without routes=, log schema 1);"
            " drive it again"
        )
    return from_plain(RouteSpec, header.route_spec)
