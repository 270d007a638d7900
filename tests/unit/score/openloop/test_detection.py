"""Against the genuine devkit's evaluation, on made-up boxes of every kind that its rules tell apart."""

import numpy as np
import pytest

from drive_agent.score.openloop.detection import ERRORS, RANGE_M, BoxSet, detection_scores

ATTRIBUTES = {
    "pedestrian": ("pedestrian.moving", "pedestrian.standing"), "bicycle": ("cycle.with_rider",),
    "motorcycle": ("cycle.with_rider", "cycle.without_rider"), "traffic_cone": ("",), "barrier": ("",),
}  # fmt: skip
VEHICLE = ("vehicle.moving", "vehicle.parked", "vehicle.stopped")


def boxes(draw, count):
    classes = draw.choice(list(RANGE_M), count, p=[0.3, 0.1, 0.05, 0, 0.05, 0.2, 0.1, 0.1, 0.05, 0.05])
    attributes = [
        "" if draw.random() < 0.05 else draw.choice(ATTRIBUTES.get(name, VEHICLE)) for name in classes
    ]
    velocities = draw.normal(0, 5, (count, 2))
    velocities[draw.random(count) < 0.1] = np.nan
    return BoxSet(
        classes, draw.uniform(-45, 45, (count, 2)), draw.uniform(0.5, 5, (count, 3)), draw.uniform(-4, 4, count),
        velocities, np.array(attributes), np.zeros(count),
    )  # fmt: skip


def seen(draw, true):
    """Most of the true boxes, roughly, some twice, with equal scores among them; and false alarms."""
    rows = draw.choice(len(true.scores), int(0.9 * len(true.scores)))
    own, false = true.of(rows), boxes(draw, 6)
    count = len(rows)
    noisy = BoxSet(
        own.classes, own.centers + draw.normal(0, 0.8, (count, 2)), own.sizes * draw.uniform(0.8, 1.2, (count, 3)),
        own.yaws + draw.normal(0, 0.5, count), np.nan_to_num(own.velocities_mps) + draw.normal(0, 1, (count, 2)),
        np.where(draw.random(count) < 0.8, own.attributes, "vehicle.parked"), np.round(draw.random(count), 1),
    )  # fmt: skip
    names = vars(noisy)
    joined = [np.concatenate([getattr(noisy, name), getattr(false, name)]) for name in names]
    told = BoxSet(*joined)
    return BoxSet(
        *(getattr(told, name) for name in list(names)[:4]), np.nan_to_num(told.velocities_mps), told.attributes,
        np.where(told.scores == 0, 0.35, told.scores),
    )  # fmt: skip


def by_the_devkit(told, true):
    from nuscenes.eval.common.config import config_factory
    from nuscenes.eval.common.data_classes import EvalBoxes
    from nuscenes.eval.detection.data_classes import DetectionBox
    from nuscenes.eval.detection.evaluate import DetectionEval

    def genuine(samples):
        found = EvalBoxes()
        for number, one in enumerate(samples):
            rows = [
                DetectionBox(
                    str(number), (*one.centers[k], 0.0), tuple(one.sizes[k]),
                    (np.cos(one.yaws[k] / 2), 0.0, 0.0, np.sin(one.yaws[k] / 2)), tuple(one.velocities_mps[k]),
                    (*one.centers[k], 0.0), -1, str(one.classes[k]), float(one.scores[k]), str(one.attributes[k]),
                )
                for k in range(len(one.scores))
            ]  # fmt: skip
            rows = [row for row in rows if row.ego_dist < RANGE_M[row.detection_name]]
            found.add_boxes(str(number), rows)
        return found

    scorer = DetectionEval.__new__(DetectionEval)  # its constructor reads boxes from files
    scorer.cfg, scorer.verbose = config_factory("detection_cvpr_2019"), False
    scorer.pred_boxes, scorer.gt_boxes = genuine(told), genuine(true)
    return scorer.evaluate()[0].serialize()


@pytest.mark.parametrize("seed", range(4))
def test_every_figure_is_that_of_the_genuine_devkit(seed):
    pytest.importorskip("nuscenes", reason="the devkit is the extra 'nuscenes'")
    draw = np.random.default_rng(seed)
    true = [boxes(draw, 60) for _ in range(12)]
    told = [seen(draw, one) for one in true]
    ours, theirs = detection_scores(told, true), by_the_devkit(told, true)
    assert 0.05 < ours["mAP"] < 0.9
    assert ours["mAP"] == pytest.approx(theirs["mean_ap"], abs=1e-9)
    assert ours["NDS"] == pytest.approx(theirs["nd_score"], abs=1e-9)
    keys = ("trans_err", "scale_err", "orient_err", "vel_err", "attr_err")
    for error, key in zip(ERRORS, keys, strict=True):
        assert ours[f"m{error}"] == pytest.approx(theirs["tp_errors"][key], abs=1e-9)
        for name, row in ours["classes"].items():
            expected = theirs["label_tp_errors"][name][key]
            assert (
                row[error] is None if np.isnan(expected) else row[error] == pytest.approx(expected, abs=1e-9)
            )
    for name, row in ours["classes"].items():
        assert row["AP"] == pytest.approx(theirs["mean_dist_aps"][name], abs=1e-9)


def test_nobody_told_and_nobody_there_is_no_error():
    nobody = boxes(np.random.default_rng(0), 0)
    scores = detection_scores([nobody], [nobody])
    assert (scores["mAP"], scores["NDS"], scores["mATE"]) == (0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="boxes of 1 samples were told, expected those of 2"):
        detection_scores([nobody], [nobody, nobody])
