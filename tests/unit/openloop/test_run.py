import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from pyarrow import parquet
from rich.console import Console

from drive_agent.__main__ import main
from drive_agent.agent.agent import Agent, AgentConfig
from drive_agent.agent.dialogue import Understood
from drive_agent.agent.prompt import build_prompt
from drive_agent.ask import Edit, ask_all
from drive_agent.config import ConfigError
from drive_agent.data.export import export_run
from drive_agent.data.runs import RunFolder
from drive_agent.log.store import Episode
from drive_agent.openloop import read_config, run_openloop
from drive_agent.openloop.baselines import constant_turn_rate, constant_velocity, ego_mlp, go_straight
from drive_agent.openloop.outputs import print_table
from drive_agent.openloop.perception import told_boxes, true_boxes
from drive_agent.openloop.planned import Planned, lidar_path, poses_of
from drive_agent.rig import nuscenes_rig
from drive_agent.score.openloop.labels import command, truth_arrays
from drive_agent.score.planned import DRIVABLE, OFF_ROAD_M, plan_poses
from drive_agent.types import Forecast, LightState, ObjectKind, Plan, PlanError, Reply, Scene, SceneObject
from replay.openloop_page import write_openloop_page
from replay.viewer.losses import judged
from tests.unit.data.expansion import LOCATION, write_expansion
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


def test_sub_scores_in_navsims_style_are_there_for_every_planner(scored):
    rows = {
        name: row["pdms_style"]
        for name, row in json.loads((scored / "openloop.json").read_text())["planners"].items()
    }
    assert rows["human"]["plans"] == 12
    assert rows["human"]["progress"] == pytest.approx(1.0) and rows["human"]["no_collision"] == 1.0
    assert rows["human"]["pdms_style"] > rows["ego_mlp"]["pdms_style"]
    assert 0.0 <= rows["go_straight"]["drivable_area"] <= 1.0


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
        assert theirs[planner]["pdms_style"] == pytest.approx(row["pdms_style"], abs=1e-9)


@pytest.fixture
def in_boston(run, tmp_path):
    """The run as a folder of nuScenes that tells nothing of the street, as its own drives do."""
    pytest.importorskip("nuscenes", reason="the devkit is the extra 'nuscenes'")
    root = tmp_path / "nuscenes"
    tables = export_run(run, root)
    maps = json.loads((tables / "map.json").read_text())
    [offset_m] = [row.pop("world_offset_m") for row in maps if row.pop("road_map")]
    (tables / "map.json").write_text(json.dumps(maps))
    logs = [row | {"location": LOCATION} for row in json.loads((tables / "log.json").read_text())]
    (tables / "log.json").write_text(json.dumps(logs))
    return root, offset_m


def test_the_map_expansion_gives_the_sub_scores_that_the_runs_own_map_gives(run, scored, in_boston, tmp_path):
    """The street as drivable polygons, one a lane, as wide as our own rule takes them."""
    root, offset_m = in_boston
    lanes = []
    for lane in RunFolder(run).road_map("7_rep0").lanes:
        if lane.kind in DRIVABLE:
            aside = np.stack([-np.sin(lane.heading), np.cos(lane.heading)], axis=-1)
            aside *= (lane.width / 2 + OFF_ROAD_M)[:, None]
            center = lane.center[:, :2] + offset_m[:2]
            lanes.append([np.concatenate([center - aside, (center + aside)[::-1]])])
    write_expansion(root, [lanes])
    out = run_openloop(read_config(words(root, tmp_path / "results")), SILENT)
    ours, theirs = (json.loads((out / "openloop.json").read_text())["planners"] for out in (scored, out))
    assert any(0 < row["pdms_style"]["drivable_area"] < 1 for row in ours.values())
    for planner, row in ours.items():
        assert theirs[planner]["pdms_style"] == pytest.approx(row["pdms_style"], abs=1e-9)


def test_without_the_map_expansion_the_sub_scores_are_absent_with_the_reason(in_boston, tmp_path, capsys):
    assert main(["openloop", *words(in_boston[0], tmp_path / "results", "baselines=[human]")]) == 0
    printed = capsys.readouterr().out
    assert "without 2 scene(s)" in printed and "unpack nuScenes' map expansion v1.3" in printed
    result = json.loads((tmp_path / "results" / "openloop.json").read_text())
    assert result["planners"]["human"]["pdms_style"] is None
    assert list(result["scenes_without_map"].values()) == [2]
    assert "unpack nuScenes" in (tmp_path / "results" / "openloop.html").read_text()


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


def test_vads_loader_keeps_the_classes_of_the_detection_task_only(run):
    clip = RunFolder(run).clip("8_rep0")
    police = tuple(
        replace(f, boxes=replace(f.boxes, categories=("vehicle.emergency.police",) * len(f.boxes.categories)))
        for f in clip.frames
    )
    assert truth_arrays(clip)["loaded_by_vad"].any()
    assert not truth_arrays(replace(clip, frames=police))["loaded_by_vad"].any()


def test_truth_is_kept_and_the_data_not_opened_again(run, scored, monkeypatch):
    monkeypatch.setattr("drive_agent.openloop.truth.RunFolder", None)
    out = run_openloop(read_config(words(run, scored, "resume=true", "baselines=[human]")), SILENT)
    assert list(json.loads((out / "openloop.json").read_text())["planners"]) == ["human"]


def test_plans_are_scored_without_torch_and_without_the_devkit(run, scored, tmp_path):
    """With the truth that the first call kept: in a fresh process, as the command runs."""
    tokens = [frame.token for frame in RunFolder(run).clip("7_rep0").frames]
    (tmp_path / "p.json").write_text(
        json.dumps({token: [[0.0, 3.0 * k] for k in range(1, 7)] for token in tokens})
    )
    more = [f"plans={tmp_path}/p.json", f"cache={scored.parent}/cache", "baselines=[human]"]
    code = (
        "import sys; from drive_agent.__main__ import main; assert main(sys.argv[1:]) == 0; "
        "assert not {'torch', 'nuscenes', 'carla'} & set(sys.modules)"
    )
    call = ["openloop", *words(run, tmp_path / "out"), *more]
    subprocess.run([sys.executable, "-c", code, *call], check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "out" / "openloop.html").exists()


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
    assert "pdms_style: sub-scores" in printed and max(map(len, printed.splitlines()[:-1])) <= 80
    assert main(["openloop", "data=/nowhere"]) == 2


class Seer:
    """A model in words of its own: it sees the car ahead and goes straight on at 6 m/s, or falls silent."""

    cameras = (nuscenes_rig()["CAM_FRONT"],)

    def __init__(self) -> None:
        self.asked = 0

    def answer(self, prompt):
        self.asked += 1
        return Reply(text="" if self.asked == 3 else f"{len(prompt.images)} picture")


class Talk:
    """How one speaks with it."""

    def ask(self, frame, cameras):
        return build_prompt(frame, cameras)

    def understand(self, reply, frame):
        if not reply.text:
            return Understood(PlanError("silence"))
        ahead = SceneObject(ObjectKind.VEHICLE, 0.9, 31.5 - 4.0 * frame.time_us / 1e6, 3.5, 0.0, 2.0)
        positions = np.array([[[ahead.x_m + 2.0 * t, 3.5] for t in (1.0, 2.0, 3.0)]])
        plan = Plan(frame.time_us, np.array([[10.0, 0.0], [30.0, 0.0]]), np.array([3.0]), np.array([6.0]))
        return Understood(plan, Scene((ahead,), LightState.NONE, 0.0, None), Forecast(positions))


def test_all_that_a_model_is_asked_and_says_is_logged_scored_and_can_be_asked_again(
    run, tmp_path, monkeypatch, capsys
):
    seer = Seer()
    monkeypatch.setattr("drive_agent.openloop.asker.make_model", lambda config: seer)
    monkeypatch.setattr("drive_agent.openloop.asker.make_dialogue", lambda model: Talk())
    more = ("model=embedded", "model.rig=nuscenes", "baselines=[human]")
    out = run_openloop(read_config(words(run, tmp_path / "out", *more)), SILENT)
    log = out / "routes" / "7_rep0" / "log.mcap"
    assert judged(log)["score"] is None  # nobody drove
    with Episode.open(log) as episode:
        records = [record for _, record in episode.ticks()]
        assert episode.header.config["model"]["rig"] == "nuscenes"
        asked = list(ask_all(episode, Agent(Seer(), AgentConfig(), Talk()), Edit(), same_model=True))
    assert [record.reply.text for record in records[:3]] == ["1 picture", "1 picture", ""]
    assert records[2].plan_error is not None and records[2].plan_error.reason == "silence"
    assert len(asked) == 12 and all(one.identical for one in asked)
    planners = json.loads((out / "openloop.json").read_text())["planners"]
    row = planners["embedded"]
    assert (row["plans"], row["failed"]) == (24, 1)
    assert row["perception"]["detection"]["vehicles"]["found"] > 10
    assert row["perception"]["prediction"]["vehicles"]["min_fde_m"] < 1.0
    assert "light" not in row["perception"]
    detection = row["perception"]["nuscenes_detection"]
    # one of two cars, in one of two drives: a quarter of all boxes, half of what is told
    assert detection["classes"]["car"]["AP"] > 0.05 and detection["classes"]["car"]["ATE"] < 1.0
    assert detection["classes"]["car"]["AVE"] < 0.1  # the car drives at the 2 m/s that are told
    assert detection["mAP"] == pytest.approx(detection["classes"]["car"]["AP"] / 10)
    print_table(out, Console(width=80))
    assert "seen by embedded, nuScenes' metrics" in capsys.readouterr().out
    assert "by nuScenes' detection metrics: NDS" in write_openloop_page(out, 1).read_text()
    seer.asked = 0
    run_openloop(read_config(words(run, out, "resume=true", *more)), SILENT)
    assert seer.asked == 0


def test_who_stands_in_a_bicycle_rack_is_neither_asked_for_nor_a_false_alarm():
    """A rack around (10, 0), a bicycle in it, one beside it, and a car that no lidar ray met."""
    boxes = np.zeros((1, 4, 7, 5))
    boxes[0, :, 0] = [
        (10, 0, 3, 6, 0.0), (11, 1, 0.6, 1.7, 0.0), (10, 5, 0.6, 1.7, 0.0), (20, 0, 2, 4, 0.0)
    ]  # fmt: skip
    points = np.ones((1, 4, 7))
    points[0, 3] = 0
    truth = {
        "class_names": np.array(["static_object.bicycle_rack", "vehicle.bicycle", "vehicle.car"]),
        "box_class": np.array([[0, 1, 1, 2]]),
        "box_ok": np.ones((1, 4, 7), bool),
        "box_points": points,
        "boxes": boxes,
        "box_height": np.ones((1, 4)),
        "box_velocity": np.zeros((1, 4, 2)),
        "box_attribute": np.full((1, 4), ""),
    }
    assert true_boxes(truth, 0).centers.tolist() == [[10.0, 5.0]]
    things = tuple(SceneObject(ObjectKind.CYCLIST, 0.5, x, y, 0.0, 3.0) for x, y in ((11, 1), (10, 5)))
    told = told_boxes(Scene(things, LightState.NONE, 0.0, None), truth, 0)
    assert told.centers.tolist() == [[10.0, 5.0]] and told.attributes.tolist() == ["cycle.with_rider"]
    assert len(told_boxes(None, truth, 0).scores) == 0


def test_poses_follow_from_the_lidars_path():
    cases = make_cases(6, 2, 3)
    truth = {
        "mask": np.ones((6, 6), bool),
        "lidar2ego_t": np.tile(cases["lidar2ego_t"], (6, 1)),
        "lidar2ego_q": np.tile(cases["lidar2ego_q"], (6, 1)),
    }
    poses = cases["ego_pose"][:, 1:]
    path = lidar_path(truth, poses, np.arange(6))
    found = poses_of(truth, Planned("p", np.arange(6), path, None, np.zeros(6, bool)))
    assert np.abs(found[..., :2] - poses[..., :2]).max() < 0.25  # headings are guessed from steps


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
    poses = plan_poses(plan)
    driven = np.array([2, 4, 6, 8, 9.5, 10]) / 10
    np.testing.assert_allclose(poses[:, 0], 10 * np.sin(driven), atol=0.03)
    np.testing.assert_allclose(poses[:, 2], driven, atol=0.05)


def test_plans_follow_path_and_speeds():
    def ahead(path, times, speeds):
        return plan_poses(Plan(0, np.array(path), np.array(times), np.array(speeds)))[:, 0]

    np.testing.assert_allclose(ahead([[5.0, 0], [40, 0]], [1.0, 3], [4.0, 4]), [2, 4, 6, 8, 10, 12])
    np.testing.assert_allclose(ahead([[5.0, 0], [40, 0]], [1.0, 2], [4.0, 0]), [2, 4, 5.5, 6, 6, 6])
    np.testing.assert_allclose(
        ahead([[1.0, 0], [3, 0]], [1.0, 3], [4.0, 4])[-1], 12
    )  # beyond its end, straight on


def test_a_plan_to_stand_has_no_length():
    assert plan_poses(Plan(0, np.zeros((3, 2)), np.array([1.0]), np.array([0.0]))).tolist() == [[0.0] * 3] * 6


def test_commands_are_read_off_the_last_valid_step():
    path = np.zeros((4, 6, 2))
    path[0, :, 0], path[1, :, 0] = 2.0, -2.5
    path[2, :3, 0] = 3.0
    mask = np.ones((4, 6), bool)
    mask[2, 3:] = False
    mask[3] = False
    assert command(path, mask).tolist() == [0, 1, 0, 2]
