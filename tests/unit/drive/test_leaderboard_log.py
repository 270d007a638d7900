"""A route inside the evaluator leaves a log that judges as it was judged, however the route ended."""

from __future__ import annotations

import io
from collections.abc import Iterable
from types import SimpleNamespace

import pytest
from rich.console import Console

from drive_agent.config import DriveConfig, build, compose
from drive_agent.drive.env import Ground
from drive_agent.drive.leaderboard_log import RouteLog, RunLog
from drive_agent.drive.leaderboard_route import EvaluatedRoute
from drive_agent.drive.loop import AGENT_CRASHED, SIMULATION_CRASHED
from drive_agent.drive.provenance import read_config
from drive_agent.log.store import Episode
from drive_agent.score.judged import judge_log
from drive_agent.types import Command, ControlTerms, Decision, Truth
from tests.worlds import cruise, straight_route, street

TERMS = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)
DECISION = Decision(Command(1.0, 0.0, 0.0), TERMS, TERMS, "", None)


class Timeout:
    """An evaluator's criterion."""

    name = "ParkedObstacle_1"

    def __init__(self) -> None:
        self.events: list[str] = []


Timeout.__name__ = "ScenarioTimeoutTest"


@pytest.fixture
def criterion() -> Timeout:
    return Timeout()


@pytest.fixture
def run(tmp_path) -> RunLog:
    config = build(DriveConfig, compose("drive", ["model=scripted", f"out={tmp_path / 'run'}"]))
    return RunLog(config, Console(file=io.StringIO(), highlight=False))


def begun(run: RunLog, criterion: Timeout) -> RouteLog:
    scenario = SimpleNamespace(
        config=SimpleNamespace(name="RouteScenario_3", repetition_index=1),
        scenario_configurations=[SimpleNamespace(type="ParkedObstacle")],
        get_criteria=lambda: [criterion],
    )
    return run.begin(EvaluatedRoute(scenario), Ground(street(200), straight_route(60)))


def driven(log: RouteLog, truths: Iterable[Truth]) -> None:
    for truth in truths:
        log.write(truth, DECISION)
        if log.ended:
            return


def test_a_completed_route_is_logged_with_its_scenarios(run, criterion):
    log = begun(run, criterion)
    driven(log, cruise(10.0, 2.0))
    criterion.events.append("Agent timed out a scenario")
    driven(log, cruise(10.0, 20.0, start_m=20.0, first_tick=41))
    assert log.ended
    log.close()
    log.close()
    path = run.folder / "routes" / "3_rep1" / "log.mcap"
    judged = judge_log(path)
    assert (judged.route_id, judged.status) == ("RouteScenario_3_rep1", "Completed")
    [event] = judged.events
    assert (event.kind, event.time_us) == ("scenario_timeouts", 40 * 50_000)
    with Episode.open(path) as episode:
        assert episode.header.scenario_types == ("ParkedObstacle",)
        assert episode.outcome is not None and episode.outcome.status == "Completed"
    assert read_config(run.folder / "config.yaml").model.kind == "scripted"


def test_what_the_last_tick_of_the_evaluator_brought_is_logged_too(run, criterion):
    log = begun(run, criterion)
    driven(log, cruise(10.0, 20.0))
    criterion.events.append("Agent timed out a scenario")
    log.close()
    [event] = judge_log(run.folder / "routes" / "3_rep1" / "log.mcap").events
    assert event.kind == "scenario_timeouts"


def test_an_agent_that_failed_and_a_route_broken_off_are_told_apart(run, criterion):
    log = begun(run, criterion)
    driven(log, cruise(10.0, 2.0))
    log.close(ValueError("no such\ncamera"))
    judged = judge_log(run.folder / "routes" / "3_rep1" / "log.mcap")
    assert (judged.status, judged.reason) == (AGENT_CRASHED, "no such camera")
    again = begun(run, criterion)  # the evaluator drives the route once more: the log is replaced
    driven(again, cruise(10.0, 1.0))
    again.close()
    judged = judge_log(run.folder / "routes" / "3_rep1" / "log.mcap")
    assert judged.status == SIMULATION_CRASHED and judged.simulated_s == 1.0
