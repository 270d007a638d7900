import json

import numpy as np
import pytest
from pyarrow import parquet
from rich.console import Console

from drive_agent.__main__ import main
from drive_agent.config import ConfigError
from drive_agent.data.export import export_run
from drive_agent.data.runs import RunFolder
from drive_agent.openloop import read_config, run_openloop
from drive_agent.openloop_baselines import constant_turn_rate, constant_velocity, ego_mlp, go_straight
from drive_agent.openloop_plan import lidar_path, waypoints
from drive_agent.score.openloop.labels import command, truth_arrays
from drive_agent.types import Plan
from tests.unit.data.recorded import write_drive
from tests.unit.score.openloop.synthetic import make_cases, path_of_lidar

SILENT = Console(quiet=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two routes: one straight, one in a bend."""
    run = tmp_path_factory.mktemp("run")
    write_drive(run, name="7_rep0")
    return write_drive(run, turn=True, name="8_rep0")


def words(run, out, *more):
    return [f"data={run}", f"out={out}", f"cache={out.parent}/cache", "workers=1", "logs=false", *more]


@pytest.fixture(scope="module")
def scored(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "results"
    return run_openloop(read_config(words(run, out)), SILENT)


def test_the_table_holds_every_baseline_under_every_protocol(scored):
    planners = json.loads((scored / "openloop.json").read_text())["planners"]
    assert list(planners) == ["go_straight", "constant_velocity", "constant_turn_rate", "ego_mlp", "human"]
    human = planners["human"]
    assert human["plans"] == 24
    assert human["protocols"]["uniad"]["L2"]["avg"] == pytest.approx(0.0, abs=1e-6)
    assert human["protocols"]["uniad"]["samples"] == 24
    assert human["protocols"]["vad"]["samples"] == 12
    assert human["protocols"]["stp3"]["samples"] == 8  # two key frames of past as well
    assert human["command"] is True
    assert planners["go_straight"]["command"] is False


def test_every_average_follows_from_the_parquet_rows(scored):
    rows = parquet.read_table(scored / "samples.parquet").to_pylist()
    planners = json.loads((scored / "openloop.json").read_text())["planners"]
    mine = [
        row for row in rows if (row["planner"], row["protocol"]) == ("go_straight", "vad") and row["used"]
    ]
    expected = np.mean([np.mean(row["l2_m"][:4]) for row in mine])
    assert planners["go_straight"]["protocols"]["vad"]["L2"]["2s"] == pytest.approx(expected)
    assert len(rows) == 24 * 5 * 6
    assert {row["command"] for row in rows} == {"forward", "left"}


def test_scoring_the_export_equals_scoring_the_log(run, scored, tmp_path):
    pytest.importorskip("nuscenes", reason="the devkit is the extra 'nuscenes'")
    export_run(run, tmp_path / "nuscenes")
    other = run_openloop(read_config(words(tmp_path / "nuscenes", tmp_path / "results")), SILENT)
    ours, theirs = (json.loads((out / "openloop.json").read_text())["planners"] for out in (scored, other))
    for planner, row in ours.items():
        for protocol, scores in row["protocols"].items():
            for metric in ("L2", "obj_box_col"):
                assert theirs[planner]["protocols"][protocol][metric] == pytest.approx(
                    scores[metric], abs=1e-6
                )


def test_plans_from_a_file_in_both_frames(run, tmp_path):
    clip = RunFolder(run).clip("8_rep0")
    truth = truth_arrays(clip)
    (tmp_path / "lidar.json").write_text(
        json.dumps(dict(zip(truth["tokens"].tolist(), truth["gt_lidar"].tolist(), strict=True)))
    )
    in_ego = truth["ego_pose"][:, 1:, :2] * truth["mask"][..., None]
    (tmp_path / "ego.json").write_text(
        json.dumps(dict(zip(truth["tokens"].tolist(), in_ego.tolist(), strict=True)))
    )
    for frame, tolerance_m in (("lidar", 1e-6), ("ego", 0.1)):  # headings are guessed from steps of the path
        more = (
            f"plans={tmp_path}/{frame}.json",
            f"plans_frame={frame}",
            "baselines=[]",
            "plans_command=false",
        )
        out = run_openloop(read_config(words(run, tmp_path / f"out_{frame}", *more)), SILENT)
        row = json.loads((out / "openloop.json").read_text())["planners"][frame]
        assert row["protocols"]["vad"]["L2"]["avg"] == pytest.approx(0.0, abs=tolerance_m)
        assert (row["plans"], row["without_plan"], row["command"], row["ego_status"]) == (12, 12, False, None)


def test_truth_is_kept_and_the_data_not_opened_again(run, scored, monkeypatch):
    monkeypatch.setattr("drive_agent.openloop_truth.RunFolder", None)
    out = run_openloop(read_config(words(run, scored, "resume=true", "baselines=[human]")), SILENT)
    assert list(json.loads((out / "openloop.json").read_text())["planners"]) == ["human"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["data=/nowhere"], "is no folder; give a nuScenes root"),
        ([], "data=None: expected a nuScenes root"),
        (["data=.", "command=past"], "expected none or future"),
        (["data=.", "baselines=[human,ego_mpl]"], "did you mean 'ego_mlp'"),
        (["data=.", "model.period_s=1"], "needs a model"),
        (["data=.", "outt=x"], "did you mean 'out'"),
    ],
)
def test_wrong_calls_are_one_line_with_the_remedy(wrong, message):
    with pytest.raises(ConfigError, match=message):
        run_openloop(read_config(wrong), SILENT)


def test_plans_for_other_samples_are_refused(run, tmp_path):
    (tmp_path / "p.json").write_text(json.dumps({"0": np.zeros((6, 2)).tolist()}))
    with pytest.raises(ConfigError, match="has 1 plans, none for a sample"):
        run_openloop(read_config(words(run, tmp_path / "o", f"plans={tmp_path}/p.json")), SILENT)


def test_results_are_not_overwritten(run, scored):
    with pytest.raises(ConfigError, match="already holds results"):
        run_openloop(read_config(words(run, scored)), SILENT)


def test_the_verb_prints_the_table(run, tmp_path, capsys):
    assert main(["openloop", *words(run, tmp_path / "o", "baselines=[human]")]) == 0
    printed = capsys.readouterr().out
    assert "uniad: at the step" in printed
    assert "human              24" in " ".join(printed.split("\n")) or "human" in printed
    assert main(["openloop", "data=/nowhere"]) == 2


def past(pose):
    """Truth of one sample with its last pose known."""
    known = np.zeros((1, 4), bool)
    known[0, -1] = True
    poses = np.zeros((1, 4, 3))
    poses[0, -1] = pose
    return {"past_pose": poses, "past_ok": known, "mask": np.ones((1, 6), bool)}


def test_baselines_extrapolate_the_last_half_second():
    """On a circle of 20 m at 0.25 rad a half second: the pose before lies at -20 sin, 20 (1 - cos)."""
    before = past([-20 * np.sin(0.25), 20 * (1 - np.cos(0.25)), -0.25])
    chord = 2 * 20 * np.sin(0.125)
    assert go_straight(before)[0, -1] == pytest.approx([6 * chord, 0, 0])
    ahead = constant_velocity(before)[0, 0]
    assert ahead == pytest.approx([20 * np.sin(0.25), -20 * (1 - np.cos(0.25)), 0])
    arc = constant_turn_rate(before)[0, -1]
    radius = chord / 0.25
    assert arc == pytest.approx([radius * np.sin(1.5), radius * (1 - np.cos(1.5)), 1.5])


def test_the_mlp_learns_to_go_on_and_repeats_itself():
    draw = np.random.default_rng(0)
    scenes = []
    for _ in range(6):
        speed = draw.uniform(1, 15, 40)
        poses, future = np.zeros((40, 4, 3)), np.zeros((40, 7, 3))
        poses[..., 0] = -speed[:, None] * np.array([2.0, 1.5, 1.0, 0.5])
        future[..., 0] = speed[:, None] * np.arange(7) * 0.5
        ones = {"past_ok": np.ones((40, 4), bool), "mask": np.ones((40, 6), bool)}
        scenes.append({"past_pose": poses, "ego_pose": future, **ones})
    plans = ego_mlp(scenes, seed=3)
    error = np.abs(plans[0][:, -1, 0] - scenes[0]["ego_pose"][:, -1, 0])
    assert error.mean() < 1.0
    np.testing.assert_array_equal(plans[4], ego_mlp(scenes, seed=3)[4])


def test_the_mlp_needs_two_scenes():
    with pytest.raises(ValueError, match="two scenes"):
        ego_mlp([past([0, 0, 0]) | {"ego_pose": np.zeros((1, 7, 3))}], seed=0)


def test_poses_become_the_path_of_the_lidar():
    cases = make_cases(8, 1, seed=5)
    truth = {
        "lidar2ego_t": np.tile(cases["lidar2ego_t"], (8, 1)),
        "lidar2ego_q": np.tile(cases["lidar2ego_q"], (8, 1)),
    }
    found = lidar_path(truth, cases["ego_pose"][:, 1:], np.arange(8))
    np.testing.assert_allclose(found, [path_of_lidar(pose) for pose in cases["ego_pose"]], atol=1e-9)


def test_waypoints_follow_path_and_speeds():
    """A quarter circle of 10 m radius to the left at 4 m/s, braking to 0 in the last second: 4, ..., 8, 9.5, 10 m."""
    angle = np.linspace(0.1, np.pi / 2, 40)
    path = 10 * np.stack([np.sin(angle), 1 - np.cos(angle)], axis=-1)
    plan = Plan(0, path, np.arange(1, 7) * 0.5, np.array([4.0, 4, 4, 4, 2, 0]))
    poses = waypoints(plan)
    driven = np.array([2, 4, 6, 8, 9.5, 10]) / 10
    np.testing.assert_allclose(poses[:, 0], 10 * np.sin(driven), atol=0.03)
    np.testing.assert_allclose(poses[:, 2], driven, atol=0.05)


def test_a_plan_to_stand_has_no_length():
    assert waypoints(Plan(0, np.zeros((3, 2)), np.array([1.0]), np.array([0.0]))).tolist() == [[0.0] * 3] * 6


def test_commands_are_read_off_the_last_valid_step():
    path = np.zeros((4, 6, 2))
    path[0, :, 0], path[1, :, 0] = 2.0, -2.5
    path[2, :3, 0] = 3.0
    mask = np.ones((4, 6), bool)
    mask[2, 3:] = False
    mask[3] = False
    assert command(path, mask).tolist() == [0, 1, 0, 2]
