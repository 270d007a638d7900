"""Every infraction with the score that it alone cost."""

from __future__ import annotations

import os
import shutil

import pytest

from drive_agent.log.schema import OPEN_LOOP, RECORDED, Outcome
from drive_agent.score.formula import score
from drive_agent.score.judged import judge_log
from drive_agent.score.verdict import appraise, keep
from replay.viewer.losses import Losses, judged


def test_a_loss_is_the_score_without_that_event(log_path):
    said, events = judged(log_path), judge_log(log_path).events
    assert len(said["events"]) == len(events) == 1
    for k, told in enumerate(said["events"]):
        others = [event for number, event in enumerate(events) if number != k]
        without = score("2.1", said["completion"], others).driving
        assert told["loss"] == pytest.approx(without - said["score"], abs=0.006)


def test_a_kept_verdict_is_shown_as_it_would_be_judged(log_path, monkeypatch, tmp_path):
    log = shutil.copy(log_path, tmp_path / "log.mcap")
    keep(log, appraise(log))
    fresh = judged(log_path)
    monkeypatch.setattr("replay.viewer.losses.judge_episode", None)  # nobody judges
    assert judged(log) == fresh


@pytest.mark.parametrize(
    ("outcome", "is_scored"),
    [
        (Outcome("Completed", "", 3.0, 6.0), True),
        (Outcome("Completed", OPEN_LOOP, 3.0, 6.0), False),
        (Outcome(RECORDED, "", 3.0, 6.0), False),  # of a route that nobody gave
        (None, True),
    ],
)
def test_what_has_no_aim_has_no_score(outcome, is_scored, drive_writer, tmp_path):
    said = judged(drive_writer(tmp_path / "log.mcap", pictures=False, outcome=outcome))
    assert (said["score"] is not None) == (said["completion"] is not None) == is_scored
    assert said["events"]


def test_a_log_is_judged_again_when_it_has_grown(log_path, tmp_path):
    whole, growing = log_path.read_bytes(), tmp_path / "log.mcap"
    growing.write_bytes(whole[: len(whole) // 2])
    losses = Losses()
    try:
        first = losses.of(growing)
        assert losses.begin(growing) is losses.begin(growing)
        growing.write_bytes(whole)
        second = losses.of(growing)
    finally:
        losses.close()
    assert first["completion"] < second["completion"] and second == judged(log_path)


def test_a_file_that_is_no_log_is_told_to_whoever_asks(tmp_path):
    path = tmp_path / "log.mcap"
    path.write_bytes(b"no log at all")
    losses = Losses()
    try:
        with pytest.raises(ValueError, match="no MCAP file"):
            losses.of(path)
        os.truncate(path, 0)
        with pytest.raises(ValueError, match="is empty"):
            losses.of(path)
    finally:
        losses.close()
