import numpy as np
import pytest

from drive_agent.score.openloop import score_plans
from tests.unit.score.openloop.synthetic import LIDAR_Q, LIDAR_T, make_cases

FLAT_Q = np.array([2**-0.5, 0, 0, -(2**-0.5)])  # x right, y forward, no tilt


def standing(plans: list[float], boxes: list[tuple[float, ...]], names: list[str], **changes) -> dict:
    """Straight drives at 4 m/s whose plan goes at `plans` m/s, with standing boxes (x, y, width, length) in ego."""
    count, agents = len(plans), len(boxes)
    times = np.arange(1, 7) * 0.5
    pose = np.zeros((count, 7, 3))
    pose[:, 1:, 0] = 4 * times
    box = np.zeros((count, agents, 7, 5))
    box[..., :4] = np.array(boxes).reshape(1, agents, 1, 4)
    straight = np.stack([np.zeros(6), times], axis=-1)
    cases = {
        "ego_pose": pose,
        "gt_lidar": np.stack([4 * straight] * count),
        "pred_lidar": np.stack([speed * straight for speed in plans]),
        "mask": np.ones((count, 6), bool),
        "boxes": box,
        "box_class": np.tile(np.arange(agents), (count, 1)),
        "class_names": names,
        "box_ok": np.ones((count, agents, 7), bool),
        "box_visibility": np.full((count, agents, 7), 4),
        "lidar2ego_t": np.array([0.94, 0, 1.84]),
        "lidar2ego_q": FLAT_Q,
        "global_pose": np.zeros((count, 3)),
    }
    return cases | changes


def test_l2_at_the_step_or_as_mean_up_to_it():
    """Plan 2 m/s faster: error t * 2, so 2, 4, 6 m at the steps, and means over 1..2, 1..4, 1..6 half seconds."""
    scores = score_plans(standing([6.0], [], []))
    for name in ("uniad", "exact"):
        assert scores[name]["L2"] == pytest.approx({"1s": 2.0, "2s": 4.0, "3s": 6.0, "avg": 4.0})
    for name in ("stp3", "vad", "bevplanner"):
        assert scores[name]["L2"] == pytest.approx({"1s": 1.5, "2s": 2.5, "3s": 3.5, "avg": 2.5})


def test_a_collision_counts_at_mean_or_any():
    """A car 16 to 18 m ahead of the lidar: at 6 m/s the ego box reaches it at 2.5 s (front at 17.5) and 3 s only."""
    car = [(17.94, 0.0, 2.0, 2.0)]
    scores = {
        name: row["obj_box_col"] for name, row in score_plans(standing([6.0, 4.0], car, ["car"])).items()
    }
    assert scores["uniad"] == pytest.approx({"1s": 0, "2s": 0, "3s": 1 / 2, "avg": 1 / 6})
    assert scores["vad"] == pytest.approx({"1s": 0, "2s": 0, "3s": 2 / 6 / 2, "avg": 1 / 18})
    assert scores["stp3"] == pytest.approx(scores["vad"])
    for name in ("bevplanner", "exact"):
        assert scores[name] == pytest.approx({"1s": 0, "2s": 0, "3s": 1 / 2, "avg": 1 / 6})


@pytest.mark.parametrize(
    ("kind", "hit"),
    [
        ("bicycle", {"uniad", "stp3", "vad", "bevplanner_tool", "exact"}),
        ("pedestrian", {"stp3", "vad", "bevplanner", "exact"}),
        ("vehicle.emergency.police", {"stp3", "vad", "exact"}),
        ("human.pedestrian.stroller", {"stp3", "vad", "exact"}),
        ("vehicle.bus.bendy", {"uniad", "stp3", "vad", "bevplanner", "bevplanner_tool", "exact"}),
        ("traffic_cone", set()),
        ("animal", set()),
    ],
)
def test_who_counts(kind, hit):
    scores = score_plans(standing([6.0], [(18.94, 0.0, 1.0, 1.0)], [kind]))
    assert {name for name, row in scores.items() if row["obj_box_col"]["3s"] > 0} == hit


def test_a_missing_future_is_zero_for_uniad_and_left_out_elsewhere():
    mask = np.ones((2, 6), bool)
    mask[1, 2:] = False
    gt = np.stack([np.stack([np.zeros(6), np.arange(1, 7) * 2.0], axis=-1)] * 2) * mask[..., None]
    cases = standing([6.0, 6.0], [(18.94, 0.0, 2.0, 2.0)], ["car"], mask=mask, gt_lidar=gt)
    scores = score_plans(cases)
    assert scores["uniad"]["L2"] == pytest.approx({"1s": 2.0, "2s": 2.0, "3s": 3.0, "avg": 7 / 3})
    assert scores["uniad"]["obj_box_col"]["3s"] == pytest.approx(1 / 2)
    assert scores["exact"]["L2"] == pytest.approx({"1s": 2.0, "2s": 4.0, "3s": 6.0, "avg": 4.0})
    assert scores["exact"]["obj_box_col"]["3s"] == 1.0
    assert scores["vad"]["L2"]["3s"] == pytest.approx(3.5)


def test_what_the_recorded_path_hits_does_not_count():
    """A car on the true path: every protocol excuses the step, ours only that car."""
    two = [
        (12.94, 0.0, 2.0, 2.0),
        (21.94, 0.0, 2.0, 2.0),
    ]  # truth ends at 12 m ahead of the lidar, the plan at 20
    scores = score_plans(standing([20 / 3], two, ["car", "truck"]))
    assert scores["uniad"]["obj_box_col"]["3s"] == 0
    assert scores["exact"]["obj_box_col"]["3s"] == 1


def test_the_published_box_does_not_turn_and_ours_does():
    """A quarter turn right, 10 m ahead and 10 m aside; a car is beside where the turned box ends, within 2 m ahead."""
    path = np.array([[0, 4], [0, 8], [2, 10], [5, 10], [8, 10], [10, 10]], float)  # lidar: right, forward
    car = [(10.94, -13.0, 0.6, 0.6)]  # 3 m to the right of the last point, that is ahead after the turn
    cases = standing([4.0], car, ["car"], pred_lidar=path[None])
    scores = score_plans(cases)
    assert scores["uniad"]["obj_box_col"]["3s"] == 0
    assert scores["bevplanner"]["obj_box_col"]["3s"] == 1
    assert (
        scores["exact"]["obj_box_col"]["3s"] == 0
    )  # the front is 2.54 m ahead of the lidar, the car from 2.7 m on
    assert (
        score_plans(cases | {"boxes": cases["boxes"] + [0, 0.3, 0, 0, 0]})["exact"]["obj_box_col"]["3s"] == 1
    )


def test_stp3_forgets_who_was_hidden_now():
    hidden = np.full((1, 1, 7), 4)
    hidden[..., 0] = 1
    cases = standing([6.0], [(18.94, 0.0, 2.0, 2.0)], ["car"], box_visibility=hidden)
    assert score_plans(cases)["stp3"]["obj_box_col"]["3s"] == 0
    assert score_plans(cases)["uniad"]["obj_box_col"]["3s"] == 1
    seen = cases | {"seen_before": np.ones((1, 1), bool)}
    assert score_plans(seen)["stp3"]["obj_box_col"]["3s"] > 0


def test_vad_knows_only_who_is_there_now_without_a_gap():
    there = np.ones((2, 1, 7), bool)
    there[0, 0, 0] = there[1, 0, 3] = False
    cases = standing([6.0, 6.0], [(18.94, 0.0, 2.0, 2.0)], ["car"], box_ok=there)
    assert score_plans(cases)["vad"]["obj_box_col"]["3s"] == 0
    assert score_plans(cases)["uniad"]["obj_box_col"]["3s"] == 1


def test_a_curb_beside_the_plan_is_touched():
    """A line 2 m to the left, along the street; the plan drifts onto it at the end, the truth does not."""
    curb = np.array([[-20.0, 2.0], [40.0, 2.0]])
    path = np.stack([-np.array([0, 0, 0, 0, 0.5, 1.5]), np.arange(1, 7) * 2.0], axis=-1)
    cases = standing([4.0], [], [], pred_lidar=path[None], boundaries=[[curb]])
    assert score_plans(cases)["bevplanner"]["ccr"] == pytest.approx({"1s": 0, "2s": 0, "3s": 1, "avg": 1 / 3})
    assert "ccr" not in score_plans(standing([4.0], [], []))["bevplanner"]


def test_optional_arrays_change_nothing_when_they_say_nothing():
    cases = make_cases(12, 8, seed=1)
    count, agents = cases["box_class"].shape
    said = {
        "box_z": np.zeros((count, agents, 7)),
        "has_history": np.ones(count, bool),
        "lidar2ego_t": np.tile(LIDAR_T, (count, 1)),
        "lidar2ego_q": np.tile(LIDAR_Q, (count, 1)),
        "box_visibility": cases["box_visibility"].astype(str),
    }
    assert score_plans(cases | said) == score_plans(cases)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": np.ones((2, 5))}, r"mask has shape \(2, 5\), expected \(2, 6\)"),
        ({"class_names": []}, "box_class holds 0 to 0, but there are 0 names"),
        ({"bxes": 1}, "unknown arrays bxes"),
        ({"boundaries": [[]]}, "boundaries of 1 samples, expected 2"),
    ],
)
def test_bad_cases_are_refused_in_one_line(change, message):
    with pytest.raises(ValueError, match=message):
        score_plans(standing([4.0, 4.0], [(1.0, 2.0, 1.0, 1.0)], ["car"]) | change)


def test_missing_arrays_are_named():
    with pytest.raises(ValueError, match="cases lack gt_lidar"):
        score_plans({k: v for k, v in standing([4.0], [], []).items() if k != "gt_lidar"})


# What the published scorers themselves say of make_cases(100, 24, seed=11), run on their own label and metric code
# (OpenDriveLab/UniAD dd161b2, OpenDriveLab/ST-P3 6b11e13, hustvl/VAD 1688c4b, NVlabs/BEV-Planner 01c28d6).
PUBLISHED = {
    "uniad": ((3.270631313, 8.402206421, 14.41397953), (8 / 100, 11 / 100, 12 / 100)),
    "stp3": ((2.484146595, 4.96502018, 8.113986015), (0.090909086, 0.11363636, 0.106060602)),
    "vad": ((2.484146652, 4.965020386, 8.113985529), (0.085227273, 0.099431818, 0.115530306)),
    "bevplanner": ((2.484146711, 4.965020415, 8.113985644), (16 / 88, 31 / 88, 41 / 88)),
    "bevplanner_tool": ((2.484146711, 4.965020415, 8.113985644), (15 / 88, 32 / 88, 42 / 88)),
}


def test_equal_to_the_published_scorers():
    scores = score_plans(make_cases(100, 24, seed=11))
    for protocol, (errors_m, rates) in PUBLISHED.items():
        found = scores[protocol]
        assert [found["L2"][t] for t in ("1s", "2s", "3s")] == pytest.approx(errors_m, abs=1e-6)
        assert [found["obj_box_col"][t] for t in ("1s", "2s", "3s")] == pytest.approx(rates, abs=1e-7)
