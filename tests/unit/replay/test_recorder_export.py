"""A log as a recording of CARLA's recorder: what both know comes back."""

from __future__ import annotations

import numpy as np
import pytest

from drive_agent.carla_recorder import read_recording
from drive_agent.log.recorded import ego_of, recorded_ticks
from drive_agent.log.store import Episode
from replay.exports import EXPORTS


def test_the_recording_holds_the_drive(log_path, tmp_path):
    [path] = EXPORTS["carla_recorder"](log_path, tmp_path / "out")
    assert path.name == f"RouteScenario_{log_path.parent.name}.log"
    with Episode.open(log_path) as episode:
        truths, road_map, town = list(episode.truths()), episode.road_map, episode.header.town
        commands = [record.command for _, record in episode.ticks()]
    recording = read_recording(path.read_bytes())
    assert recording.town == town and not recording.missing
    ego = ego_of(recording, truths[0].ids[0])
    ticks = list(recorded_ticks(recording, road_map, ego, lambda type_id: (1.0, 1.0, 1.0, 0.0)))
    assert len(ticks) == len(truths)
    for tick, truth, command in zip(ticks, truths, commands, strict=True):
        back = tick.truth
        assert back.time_us == truth.time_us - truths[0].time_us and back.ids == truth.ids
        assert np.abs(back.actors[:, :8] - truth.actors[:, :8]).max() < 1e-4
        assert back.lights == truth.lights and len(back.collisions) == len(truth.collisions)
        for actor in truth.ids:
            then, now = truth.infos[actor], back.infos[actor]
            assert (now.type_id, now.role, now.kind) == (then.type_id, then.role, then.kind)
            assert now.half_length_m == pytest.approx(then.half_length_m, abs=1e-6)
        assert tick.command is not None
        assert (tick.command.throttle, tick.command.steer) == pytest.approx(
            (command.throttle, command.steer), abs=1e-6
        )


def test_the_same_log_gives_the_same_file(log_path, tmp_path):
    [one], [two] = (EXPORTS["carla_recorder"](log_path, tmp_path / name) for name in ("a", "b"))
    assert one.read_bytes() == two.read_bytes()
