"""A drive judged live and judged from its log gives the same."""

from drive_agent.log.schema import Outcome, ScenarioEvent
from drive_agent.log.store import Episode, EpisodeWriter
from drive_agent.score.judge import RouteJudge, judge_episode
from drive_agent.score.rules import BENCH2DRIVE
from drive_agent.types import Collision, LightState
from tests.worlds import EGO_LANE_Y, cruise, header, straight_route, street, truth


def eventful():
    """A drive in which nearly everything happens, with what the director reports."""
    lights = {"s1": LightState.RED}
    others = {5: (50.0, 1.75, 16.0)}
    for now in cruise(8.0, 27.0, others=others, lights=lights):
        x = now.ego[0]
        y = EGO_LANE_Y - 4.0 if 60 < x < 75 else EGO_LANE_Y
        hits = (Collision(5, "vehicle.tesla.model3", 10.0),) if 30 < x < 33 else ()
        done = (ScenarioEvent(now.time_us, "A_1", "timeout"),) if now.frame_id == 120 else ()
        yield truth(now.frame_id, x, y, speed_mps=8.0, others=others, lights=lights, collisions=hits), done


def test_live_and_from_the_log_are_the_same(tmp_path):
    route, road_map = straight_route(200), street(stop_m=100.0)
    live = RouteJudge(route, road_map)
    told = []
    with EpisodeWriter(tmp_path / "log.mcap", header(route), road_map) as log:
        for now, done in eventful():
            log.write(now, None, done)
            told += live.update(now, done)
            if live.ended:
                break
        log.finish(Outcome("Completed", "", 1.0, live.simulated_s))
    with Episode.open(tmp_path / "log.mcap") as episode:
        again = judge_episode(episode)
    assert len({event.kind for event in live.events}) == 5
    assert again.events == live.events
    assert (
        (again.ended, again.completion_percent) == (live.ended, live.completion_percent) == ("completed", 100)
    )
    assert again.simulated_s == live.simulated_s
    assert [(e.kind, e.time_us) for e in told] == [(e.kind, e.time_us) for e in live.events]


def test_a_log_can_be_judged_by_other_rules(tmp_path):
    route, road_map = straight_route(200), street()
    with EpisodeWriter(tmp_path / "log.mcap", header(route), road_map) as log:
        for k in range(61 * 20 + 5):
            log.write(truth(k, 5.0), None)
    with Episode.open(tmp_path / "log.mcap") as episode:
        assert judge_episode(episode).ended is None
        assert judge_episode(episode, BENCH2DRIVE).ended == "blocked"


def test_finishing_before_the_first_tick_reports_nothing():
    judge = RouteJudge(straight_route(200), street())
    assert judge.finish() == () and judge.simulated_s == 0.0 and judge.completion_percent == 0.0
