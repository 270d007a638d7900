"""What is kept beside a log: as good as the log itself, and never older than it or than the code that judges."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from drive_agent.log.encode import dumps, to_plain
from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.score import verdict as verdicts
from drive_agent.score.judged import judge_log
from drive_agent.score.ledger import judged_record
from drive_agent.score.rules import BENCH2DRIVE, LEADERBOARD_2
from drive_agent.score.run import score_run
from drive_agent.score.summary import summarise
from drive_agent.score.verdict import VERDICT_NAME, appraise, keep, keep_all, kept, stale_logs, verdict_of
from drive_agent.types import Collision, Command, ControlTerms, Decision, LightState, Plan, Reply, Scene
from tests.worlds import cruise, header, straight_route, street, truth

DONE = Outcome("Completed", "", 30.0, 25.0)
TERMS = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)
CRASH_AT = 100  # the place and time of a collision are those of the tick before it is reported


def drive(run: Path, *, repetition: int = 0, outcome: Outcome | None = DONE, seconds: float = 30.0) -> Path:
    """200 m at 8 m/s with a car that is hit after 5 s; a model is asked each tenth tick, nothing is decided at first."""
    path = run / "routes" / f"7_rep{repetition}" / "log.mcap"
    with EpisodeWriter(path, header(straight_route(200), "7", repetition), street()) as log:
        for now in cruise(8.0, seconds, others={5: (50.0, 1.75, 16.0)}):
            tick = now.frame_id
            hits = (Collision(5, "vehicle.tesla.model3", 1.0),) if tick == CRASH_AT + 1 else ()
            now = truth(tick, now.ego[0], speed_mps=8.0, others={5: (50.0, 1.75, 16.0)}, collisions=hits)
            plan = Plan(
                now.time_us,
                np.array([[1.0, 0.0], [9.0, 0.0]]),
                np.array([3.0]),
                np.array([7.0]),
                "on it goes",
            )
            asked = Decision(
                Command(0.5, 0.125, 0.0), TERMS, TERMS, "too_close" if tick == CRASH_AT else "", plan,
                reply=Reply("text"), scene=Scene((), LightState.RED, 0.9, None), timings_ms={"model": float(tick)},
            )  # fmt: skip
            silent = Decision(Command(0.0, 0.0, 0.0), TERMS, TERMS, "", None, timings_ms={"control": 0.1})
            log.write(now, None if tick < 5 else asked if tick % 10 == 0 else silent)
        if outcome is not None:
            log.finish(outcome)
    return path


def damage(log: Path, **fields: object) -> None:
    path = log.with_name(VERDICT_NAME)
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_what_is_kept_is_what_was_found(tmp_path):
    log = drive(tmp_path)
    found = appraise(log)
    keep(log, found)
    again = kept(log)
    assert again is not None and dumps(to_plain(again)) == dumps(to_plain(found))
    assert again.leaderboard == judge_log(log) and again.under(BENCH2DRIVE) == judge_log(
        log, None, BENCH2DRIVE
    )
    assert again.ticks.timings_ms["model"] == found.ticks.timings_ms["model"]
    assert [path.name for path in log.parent.iterdir() if path.suffix == ".part"] == []


def test_its_course_tells_what_a_page_shows(tmp_path):
    found = appraise(drive(tmp_path))
    course, ticks = found.course, len(found.course.times_us)
    assert course.track.shape == (ticks, 2) and course.speeds_mps.shape == course.steers.shape == (ticks,)
    assert np.isnan(course.steers[:4]).all() and course.steers[9] == 0.125 and course.steers[10] == 0.0
    assert np.isnan(course.targets_mps[10]) and course.targets_mps[9] == 0.0
    assert course.model_ms[0] == 10.0 and course.times_us[9] == course.model_us[0]
    [note] = [
        note
        for note, event in zip(course.notes, found.leaderboard.events, strict=True)
        if event.kind == "collisions_vehicle"
    ]
    assert (note.light, note.gap_m, note.guard, note.reason) == (
        LightState.RED,
        None,
        "too_close",
        "on it goes",
    )
    assert note.planned_mps == 7.0 and note.speed_mps == pytest.approx(8.0)


def test_another_log_another_code_or_a_damaged_file_count_as_nothing(tmp_path, monkeypatch):
    log = drive(tmp_path)
    keep(log, appraise(log))
    whole = log.with_name(VERDICT_NAME).read_bytes()
    for text in (whole[:-40], b"", b"[]", b"{}", b"\0\1"):
        log.with_name(VERDICT_NAME).write_bytes(text)
        assert kept(log) is None, text[:9]
    for name in ("course", "leaderboard"):
        log.with_name(VERDICT_NAME).write_bytes(whole)
        damage(log, **{name: {"times_us": 3}})
        assert kept(log) is None, name
    log.with_name(VERDICT_NAME).write_bytes(whole)
    assert kept(log) is not None
    with monkeypatch.context() as patch:
        patch.setattr(verdicts, "scorer_version", lambda: "of tomorrow")
        assert kept(log) is None
    drive(tmp_path, seconds=10.0)
    assert kept(log) is None and verdict_of(log).leaderboard.completion_percent < 50.0


def test_a_log_that_does_not_say_how_it_ended_is_judged_but_not_kept(tmp_path):
    log = drive(tmp_path, outcome=None, seconds=10.0)
    with pytest.raises(ValueError, match="was interrupted"):
        appraise(log)
    record = judged_record(log, "RouteScenario_7_rep0", Outcome("Failed - Simulation crashed", "", 1.0, 1.0))
    assert record.status == "Failed - Simulation crashed" and not log.with_name(VERDICT_NAME).exists()


def test_entering_a_route_keeps_its_verdict_and_the_summary_is_made_of_it(tmp_path):
    log = drive(tmp_path)
    fresh = summarise(tmp_path)
    assert stale_logs(tmp_path) == [log]
    judged_record(log, "RouteScenario_7_rep0", DONE)
    assert stale_logs(tmp_path) == [] and summarise(tmp_path) == fresh
    damage(
        log,
        leaderboard=json.loads(log.with_name(VERDICT_NAME).read_text())["leaderboard"] | {"status": "Forged"},
    )
    assert summarise(tmp_path)["routes"][0]["status"] == "Forged"
    assert score_run(tmp_path)["routes"][0]["status"] == "Completed"  # scores come from raw events alone


def test_all_stale_logs_of_a_run_are_judged_on_all_processors(tmp_path):
    drive(tmp_path, repetition=0)
    drive(tmp_path, repetition=1, seconds=10.0)
    drive(tmp_path, repetition=2, outcome=None, seconds=5.0)
    before = summarise(tmp_path)
    assert len(list(keep_all(stale_logs(tmp_path)))) == 3
    assert [log.parent.name for log in stale_logs(tmp_path)] == ["7_rep2"]
    assert summarise(tmp_path) == before


def test_a_drive_that_ended_before_its_first_tick_has_an_empty_course(tmp_path):
    log = drive(tmp_path, seconds=0.0)
    assert len(appraise(log).course.times_us) == 0 and appraise(log).leaderboard.completion_percent == 0.0


def test_the_version_names_the_code(monkeypatch, tmp_path):
    (tmp_path / "score").mkdir()
    module = tmp_path / "score" / "a.py"
    monkeypatch.setattr(verdicts, "_PACKAGE", tmp_path)
    seen = set()
    for text in ("x = 1\n", "x = 2\n", "x = 1\n"):
        module.write_text(text)
        seen.add(verdicts.scorer_version.__wrapped__())
    assert len(seen) == 2


def test_under_names_both_sets_of_rules(tmp_path):
    found = appraise(drive(tmp_path))
    assert found.under(LEADERBOARD_2) is found.leaderboard and found.under(BENCH2DRIVE) is found.bench2drive
