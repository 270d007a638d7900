"""What the evaluator does not tell its agents is found up the call stack, and told once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from drive_agent.drive.leaderboard_route import EvaluatedRoute, evaluated_route


class ActorBlockedTest:
    def __init__(self) -> None:
        self._active = True
        self.events: list[str] = []


class OutsideRouteLanesTest:
    def __init__(self) -> None:
        self._wrong_direction_active = True
        self.events: list[str] = []


class ScenarioTimeoutTest:
    def __init__(self, name: str) -> None:
        self.name = name
        self.events: list[str] = []


class RouteScenario:
    """As far as the log needs the evaluator's."""

    def __init__(self) -> None:
        self.config = SimpleNamespace(name="RouteScenario_12", repetition_index=2)
        self.scenario_configurations = [
            SimpleNamespace(type="ParkedObstacle"),
            SimpleNamespace(type="ControlLoss"),
        ]
        self.criteria: list = [ActorBlockedTest(), OutsideRouteLanesTest()]

    def get_criteria(self) -> list:
        return self.criteria


class Evaluator:
    def __init__(self) -> None:
        self.route_scenario = RouteScenario()

    def set_up_agent(self) -> EvaluatedRoute:
        def agent() -> EvaluatedRoute:
            return evaluated_route()

        return agent()


def told(route: EvaluatedRoute, time_us: int) -> list[tuple[int, str, str]]:
    return [(event.time_us, event.scenario, event.what) for event in route.scenario_events(time_us)]


def test_the_route_is_found_up_the_stack():
    route = Evaluator().set_up_agent()
    assert (route.id, route.repetition) == ("12", 2)
    assert route.scenario_types == ("ParkedObstacle", "ControlLoss")


def test_outside_of_an_evaluator_there_is_none():
    with pytest.raises(RuntimeError, match="no evaluator above this agent"):
        evaluated_route()


def test_switches_and_verdicts_are_told_once_at_the_tick_before():
    scenario = RouteScenario()
    route = EvaluatedRoute(scenario)
    blocked, lanes = scenario.criteria
    assert told(route, 50_000) == []
    blocked._active = False
    lanes._wrong_direction_active = False
    assert told(route, 100_000) == [(100_000, "", "blocked_test_off"), (100_000, "", "wrong_lane_test_off")]
    late = ScenarioTimeoutTest("ParkedObstacle_1")  # scenarios are built while the route is driven
    scenario.criteria.append(late)
    assert told(route, 150_000) == []
    blocked._active = True
    late.events.append("Agent timed out a scenario")
    assert told(route, 200_000) == [
        (200_000, "", "blocked_test_on"),
        (200_000, "ParkedObstacle_1", "timeout"),
    ]
    assert told(route, 250_000) == []
