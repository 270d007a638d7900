"""Judges one drive of one route, tick by tick: live to end it, and again from its log, with the same result.

Puts the criteria together in the Leaderboard's order. Knows nothing of scores, files or servers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from drive_agent.log.schema import ScenarioEvent
from drive_agent.log.store import Episode
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.score.criteria.conduct import Blocked, Collision
from drive_agent.score.criteria.lane_keeping import OutsideRouteLanes
from drive_agent.score.criteria.route import DenseRoute, InRoute, MinimumSpeed, RouteCompletion, RouteTimeout
from drive_agent.score.criteria.signals import RedLight, StopSign
from drive_agent.score.criteria.tick import Criterion, EgoTick, ego_tick
from drive_agent.score.events import OUTSIDE_LANES, SCENARIO_TIMEOUT, YIELD, Event
from drive_agent.score.rules import LEADERBOARD_2, Rules
from drive_agent.types import Truth


class RouteJudge:
    """Feed it every tick's truth in order, until `ended` says why the route is over.

    `ended` is None, "completed", "route_deviation", "blocked", "timeout", or "tick_runtime" under rules that have one.
    """

    def __init__(self, route: Route, road_map: RoadMap, rules: Rules = LEADERBOARD_2) -> None:
        dense = DenseRoute(route)
        self._map = road_map
        self._rules = rules
        self._completion = RouteCompletion(dense)
        self._outside = OutsideRouteLanes(dense, road_map)
        self._speed = MinimumSpeed(dense, rules.speed_checkpoints, every=rules.every_speed)
        self._in_route = InRoute(dense)
        self._blocked = Blocked(rules.blocked_s)
        self._timeout = RouteTimeout(dense)
        self._criteria: tuple[Criterion, ...] = (
            self._completion,
            self._outside,
            Collision(),
            RedLight(road_map),
            StopSign(road_map),
            self._speed,
            self._in_route,
            self._blocked,
            self._timeout,
        )
        self._events: list[Event] = []
        self._ticks = 0
        self._last: EgoTick | None = None
        self._first_s = 0.0
        self._closed = False
        self.route_length_m = dense.length_m
        self.ended: str | None = None

    @property
    def completion_percent(self) -> float:
        """Share of the route that was driven, 0 to 100, in steps of 0.01; 100 only when the goal was reached."""
        return self._completion.percent

    @property
    def simulated_s(self) -> float:
        """How long the drive took, its first tick included, as the Leaderboard's clock counts."""
        if self._last is None or self._ticks < 2:
            return 0.0
        return round((self._last.time_s - self._first_s) * self._ticks / (self._ticks - 1), 6)

    @property
    def events(self) -> tuple[Event, ...]:
        """All events so far in order of time; the one about outside lanes has its value of now."""
        now = self._outside.event
        return tuple(now if now and event.kind == OUTSIDE_LANES else event for event in self._events)

    def update(self, truth: Truth, scenario_events: Iterable[ScenarioEvent] = ()) -> tuple[Event, ...]:
        """Judge one tick; returns what is new. Raises RuntimeError after the end."""
        return self.look(ego_tick(truth, self._map), scenario_events)

    def look(self, tick: EgoTick, scenario_events: Iterable[ScenarioEvent] = ()) -> tuple[Event, ...]:
        """`update` for who has taken the ego out of the tick already."""
        if self._closed:
            raise RuntimeError(f"the route has ended ({self.ended}), a further tick cannot be judged")
        self._last = tick
        if not self._ticks:
            self._first_s = tick.time_s
        self._ticks += 1
        new = [event for done in scenario_events for event in self._take(tick, done)]
        new += [event for criterion in self._criteria for event in criterion.update(tick)]
        self.ended = self._why_ended()
        if self.ended is not None:
            new += self._close(tick)
        self._events += new
        return tuple(new)

    def finish(self) -> tuple[Event, ...]:
        """Close a route that was broken off from outside (an exception, a stop); returns what is new."""
        if self._closed or self._last is None:
            return ()
        new = self._close(self._last)
        self._events += new
        return tuple(new)

    def _close(self, tick: EgoTick) -> list[Event]:
        self._closed = True
        broken_off = self.ended in (None, "tick_runtime")
        return self._speed.finish(tick, closings=1 if broken_off else 2)

    def _why_ended(self) -> str | None:
        if self._completion.completed:
            return "completed"
        if self._blocked.blocked:
            return "blocked"
        if self._in_route.deviated:
            return "route_deviation"
        if self._timeout.timed_out:
            return "timeout"
        limit = self._rules.max_ticks
        return "tick_runtime" if limit is not None and self._ticks > limit else None

    def _take(self, tick: EgoTick, done: ScenarioEvent) -> list[Event]:
        """What the director reports: two kinds of events, and tests that its scenarios switch."""
        match done.what:
            case "timeout":
                return [tick.event(SCENARIO_TIMEOUT, "Agent timed out a scenario", other_id=done.scenario)]
            case "not_yielded":
                return [
                    tick.event(YIELD, "Agent failed to yield to an emergency vehicle", other_id=done.scenario)
                ]
            case "blocked_test_off" | "blocked_test_on":
                self._blocked.switch(tick.time_s, active=done.what.endswith("on"))
            case "wrong_lane_test_off" | "wrong_lane_test_on":
                self._outside.switch_wrong_lane(active=done.what.endswith("on"))
            case "started" | "ended":
                pass
            case _:
                raise ValueError(f"unknown scenario event {done.what!r} at {done.time_us} us")
        return []


def judge_episode(episode: Episode, rules: Rules = LEADERBOARD_2) -> RouteJudge:
    """Judge a drive again from its log; a log that ends early is closed where it ends."""
    return judge_again(episode, episode.truths(), (rules,))[0]


def judge_again(
    episode: Episode,
    truths: Iterable[Truth],
    rules: Sequence[Rules],
    watches: Sequence[Callable[[Truth], None]] = (),
) -> tuple[RouteJudge, ...]:
    """Judge a drive under several sets of rules in one pass over its truths.

    `watches`, one for each set of rules, see every tick up to the one that ends the route under these.
    """
    judges = tuple(RouteJudge(episode.route, episode.road_map, each) for each in rules)
    pending = sorted(episode.scenario_events(), key=lambda done: done.time_us, reverse=True)
    for truth in truths:
        due = []
        while pending and pending[-1].time_us <= truth.time_us:
            due.append(pending.pop())
        tick = ego_tick(truth, episode.road_map)
        for number, judge in enumerate(judges):
            if judge.ended is None:
                if watches:
                    watches[number](truth)
                judge.look(tick, due)
        if all(judge.ended is not None for judge in judges):
            break
    for judge in judges:
        judge.finish()
    return judges
