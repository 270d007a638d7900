"""Logs in the formats of other tools."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from foxglove_schemas_protobuf.FrameTransforms_pb2 import FrameTransforms
from foxglove_schemas_protobuf.Quaternion_pb2 import Quaternion
from foxglove_schemas_protobuf.SceneUpdate_pb2 import SceneUpdate
from mcap.reader import make_reader

from drive_agent.log.store import Episode
from drive_agent.rig import nuscenes_rig
from replay.exports import EXPORTS, _harmless
from replay.foxglove import _quaternion


def matrix_of(turn: Quaternion) -> np.ndarray:
    w, x, y, z = turn.w, turn.x, turn.y, turn.z
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@pytest.mark.parametrize("mount", nuscenes_rig().cameras, ids=lambda mount: mount.name)
def test_turns_of_cameras_are_theirs(mount):
    np.testing.assert_allclose(
        matrix_of(_quaternion(mount.ego_to_camera.T)), mount.ego_to_camera.T, atol=1e-12
    )


def test_foxglove_gets_pictures_transforms_and_scenes(log_path, tmp_path):
    [path] = EXPORTS["foxglove"](log_path, tmp_path)
    with path.open("rb") as file:
        messages = list(make_reader(file).iter_messages())
    names = {channel.topic: schema.name for schema, channel, _ in messages}
    assert names["/camera/wide/image"] == "foxglove.CompressedImage"
    assert names["/tf"] == "foxglove.FrameTransforms" and names["/truth"] == "foxglove.SceneUpdate"
    assert names["/camera/wide/calibration"] == "foxglove.CameraCalibration"
    with Episode.open(log_path) as episode:
        truths = list(episode.truths())
    moved = [
        FrameTransforms.FromString(m.data).transforms[0]
        for _, channel, m in messages
        if channel.topic == "/tf"
    ]
    assert len(moved) == len(truths) and moved[10].child_frame_id == "ego"
    assert moved[10].translation.x == pytest.approx(truths[10].ego[0] - 1.43)
    scene = next(SceneUpdate.FromString(m.data) for _, channel, m in messages if channel.topic == "/truth")
    assert len(scene.entities[0].cubes) == 2 and scene.entities[0].cubes[0].size.x == pytest.approx(4.9)


def test_tables_hold_every_tick_and_event(log_path, tmp_path):
    ticks, events = EXPORTS["csv"](log_path, tmp_path)
    rows = list(csv.DictReader(ticks.open()))
    assert len(rows) == 120 and float(rows[5]["speed_mps"]) == 8.0
    assert rows[20]["sees_light"] == "red" and rows[20]["road_users_seen"] == "1"
    assert "red_light" in [row["kind"] for row in csv.DictReader(events.open())]


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3"])
def test_what_a_model_said_is_no_formula(text):
    assert _harmless(text) == "'" + text


@pytest.mark.parametrize("cell", ["-1.5", "+2", "plain", 3, -4.5, ""])
def test_numbers_and_plain_words_stay(cell):
    assert _harmless(cell) == cell
