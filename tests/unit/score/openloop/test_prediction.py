import numpy as np
import pytest

from drive_agent.score.openloop.prediction import (
    Detections,
    Predicted,
    end_to_end_scores,
    is_missed,
    min_ade,
    min_fde,
    nuscenes_scores,
    off_road_rate,
)

STRAIGHT = np.stack([np.arange(1.0, 13.0), np.zeros(12)], axis=-1)


def agent(*sideways, probabilities=None):
    """Modes beside the truth by so many metres, growing evenly to that at the end where a pair is given."""
    modes = np.array([STRAIGHT + [0.0, aside] for aside in sideways])
    return Predicted(modes, np.array(probabilities or np.ones(len(sideways))), STRAIGHT)


def test_only_the_most_probable_modes_count():
    two = agent(3.0, 0.5, probabilities=[0.6, 0.4])
    assert min_ade(two, 1) == pytest.approx(3.0)
    assert min_ade(two, 2) == pytest.approx(0.5)
    assert min_fde(two, 5) == pytest.approx(0.5)
    assert is_missed(two, 1)
    assert not is_missed(two, 2)
    assert is_missed(agent(2.0), 1)  # two metres are a miss


def test_means_over_agents():
    scores = nuscenes_scores([agent(1.0), agent(3.0)], ks=(1,))
    assert scores == pytest.approx({"minADE_1": 2.0, "minFDE_1": 2.0, "MissRate_2_1": 0.5})


def test_off_road_modes():
    assert off_road_rate(agent(0.0, 1.0, 5.0, 6.0), lambda points: np.abs(points[:, 1]) < 2) == 0.5


def test_equal_to_the_devkit():
    metrics = pytest.importorskip(
        "nuscenes.eval.prediction.metrics", reason="the devkit is the extra 'nuscenes'"
    )
    draw = np.random.default_rng(0)
    for _ in range(40):
        truth = draw.normal(0, 3, (12, 2))
        modes, probabilities = truth + draw.normal(0, 1.2, (6, 12, 2)), draw.random(6)
        mine = Predicted(modes, probabilities, truth)
        stacked = (modes[None], np.repeat(truth[None], 6, 0)[None], probabilities[None])
        for k in (1, 5):
            column = k - 1  # the devkit answers for 1 to m modes at once
            assert min_ade(mine, k) == pytest.approx(metrics.min_ade_k(*stacked)[0, column])
            assert min_fde(mine, k) == pytest.approx(metrics.min_fde_k(*stacked)[0, column])
            assert is_missed(mine, k) == bool(metrics.miss_rate_top_k(*stacked, 2.0)[0, column])


def detections(centers, futures_aside, scores=None):
    """Two true agents at (0, 0) and (20, 0), driving along x."""
    true_centers = np.array([[0.0, 0.0], [20.0, 0.0]])
    true_futures = true_centers[:, None] + STRAIGHT[None, :6]
    modes = np.array(
        [[np.array(c) + STRAIGHT[:6] + [0, aside]] for c, aside in zip(centers, futures_aside, strict=True)]
    )
    return Detections(
        np.array(centers, float), np.array(scores or np.ones(len(centers))), modes.reshape(-1, 1, 6, 2), true_centers,
        true_futures, np.ones((2, 6), bool),
    )  # fmt: skip


def test_hits_misses_and_false_positives():
    """One right, one matched but 3 m off, one that nobody is at: EPA = (1 - 0.5) / 2."""
    sample = detections([(0, 0), (20, 0), (50, 0)], [0.5, 3.0, 0.0])
    scores = end_to_end_scores([sample])
    assert scores == pytest.approx({"minADE": 1.75, "minFDE": 1.75, "MR": 0.5, "EPA": 0.25})


def test_two_detections_of_one_agent_are_one_and_a_false_positive():
    scores = end_to_end_scores([detections([(0, 0), (0.5, 0)], [0.0, 0.0], scores=[0.9, 0.8])])
    assert scores["EPA"] == pytest.approx((1 - 0.5) / 2)
    assert end_to_end_scores([detections([(0, 0), (0.5, 0)], [0, 0], scores=[0.9, 0.8])], 0.85)["EPA"] == 0.5


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"modes \(1, 6, 2\) do not fit a truth of \(12, 2\)"):
        min_ade(Predicted(np.zeros((1, 6, 2)), np.ones(1), STRAIGHT), 1)
    with pytest.raises(ValueError, match="at least one predicted agent"):
        nuscenes_scores([])
