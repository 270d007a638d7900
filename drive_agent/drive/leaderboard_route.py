"""Which route the Leaderboard's evaluator runs, and what its scenarios do: for the log and the judge only.

The evaluator hands an agent neither; both are read, never written, where it keeps them: up the call stack from the agent.
The names here are those of leaderboard (branches leaderboard-2.0, -2.1, master) and scenario_runner 0.9.16.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from drive_agent.log.schema import ScenarioEvent

SWITCHES = {  # criterion -> its attribute that scenarios switch, what the log calls it
    "ActorBlockedTest": ("_active", "blocked_test"),
    "OutsideRouteLanesTest": ("_wrong_direction_active", "wrong_lane_test"),
}
VERDICTS = {"ScenarioTimeoutTest": "timeout", "YieldToEmergencyVehicleTest": "not_yielded"}
PREFIX = "RouteScenario_"


class EvaluatedRoute:
    """One route of the evaluator's, around its `RouteScenario`."""

    def __init__(self, scenario: Any) -> None:
        self._scenario = scenario
        self.id: str = scenario.config.name.removeprefix(PREFIX)
        self.repetition: int = scenario.config.repetition_index
        self.scenario_types = tuple(config.type for config in scenario.scenario_configurations)
        self._switched_on = {name: True for _, name in SWITCHES.values()}
        self._told: set[int] = set()

    def scenario_events(self, time_us: int) -> tuple[ScenarioEvent, ...]:
        """What is new since the last call, as having happened at the tick of `time_us`."""
        found: list[ScenarioEvent] = []
        for criterion in self._scenario.get_criteria():
            kind = type(criterion).__name__
            if kind in SWITCHES:
                found += self._switch(time_us, *SWITCHES[kind], criterion)
            elif kind in VERDICTS and criterion.events and id(criterion) not in self._told:
                self._told.add(id(criterion))
                found.append(ScenarioEvent(time_us, criterion.name, VERDICTS[kind]))
        return tuple(found)

    def _switch(self, time_us: int, attribute: str, test: str, criterion: Any) -> list[ScenarioEvent]:
        now = bool(getattr(criterion, attribute))
        if now == self._switched_on[test]:
            return []
        self._switched_on[test] = now
        return [ScenarioEvent(time_us, "", f"{test}_{'on' if now else 'off'}")]


def evaluated_route() -> EvaluatedRoute:
    """The route that the calling agent is set up for. Raises RuntimeError outside of the Leaderboard's evaluator."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        scenario = getattr(frame.f_locals.get("self"), "route_scenario", None)
        if scenario is not None:
            return EvaluatedRoute(scenario)
        frame = frame.f_back
    raise RuntimeError(
        "no evaluator above this agent: start it with the Leaderboard's leaderboard_evaluator.py"
    )
