"""Draws are repeatable and balanced; disturbances do what they are called."""

import numpy as np
import pytest

from drive_agent.data.shards import DriveDataset, ShardWriter
from drive_agent.models.embedded.tokenizer import DriveTokenizer, build_tokenizer
from drive_agent.train.batch import CLEAN, Batches, Disturbance, make_batch, sampling_weights
from tests.unit.train.shards import frame, write_shard

TOKENIZER = DriveTokenizer(build_tokenizer())


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> DriveDataset:
    return DriveDataset([write_shard(tmp_path_factory.mktemp("data") / "a", frames=48)])


def test_a_step_is_drawn_alike_every_time(dataset: DriveDataset) -> None:
    first, second = (Batches(dataset, TOKENIZER, 4, Disturbance()).draw(1, 0, 7) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first.patches, second.patches, strict=True))
    assert (first.number_ids == second.number_ids).all()
    other_worker = Batches(dataset, TOKENIZER, 4, Disturbance()).draw(1, 1, 7)
    assert not np.array_equal(other_worker.labels["speed_mps"], first.labels["speed_mps"])


def test_rare_lights_are_drawn_to_their_share(tmp_path) -> None:
    rng = np.random.default_rng(0)
    writer = ShardWriter(tmp_path / "a")
    lights = [1] * 6 + [2] * 2 + [3] * 12 + [0] * 80
    for light in lights:
        writer.add(**{**frame(rng), "light": light, "gap_m": 99.0, "target_speed_mps": 5.0, "speed_mps": 5.0})
    writer.close()
    weights = sampling_weights(DriveDataset([tmp_path / "a"]))
    shares = [weights[np.array(lights) == k].sum() for k in range(4)]
    np.testing.assert_allclose(shares, [0.6, 0.16, 0.08, 0.16], atol=1e-9)
    assert weights.sum() == pytest.approx(1.0)


def test_what_a_model_drove_itself_into_is_drawn_three_times_as_often(tmp_path) -> None:
    for name, driver in (("a", "expert"), ("b", "run/2_drive/weights")):
        writer = ShardWriter(tmp_path / name)
        writer.add(**frame(np.random.default_rng(0)))
        writer.close(driver=driver)
    np.testing.assert_allclose(sampling_weights(DriveDataset([tmp_path])), [0.25, 0.75])


def test_without_disturbance_inputs_are_as_stored(dataset: DriveDataset) -> None:
    index = np.arange(6)
    one, two = (make_batch(dataset, index, TOKENIZER, np.random.default_rng(k), CLEAN) for k in (1, 2))
    assert all((a == b).all() for a, b in zip(one.patches, two.patches, strict=True))
    assert (one.number_ids == two.number_ids).all()


def test_disturbed_speed_does_not_touch_the_truth(dataset: DriveDataset) -> None:
    always = Disturbance(0, 0, 0, 0, speed=1.0, targets_m=0)
    clean = make_batch(dataset, np.arange(16), TOKENIZER, np.random.default_rng(0), CLEAN)
    batch = make_batch(dataset, np.arange(16), TOKENIZER, np.random.default_rng(0), always)
    assert (batch.number_ids[:, 0] != clean.number_ids[:, 0]).float().mean() > 0.7
    assert (batch.number_ids[:, 1:] == clean.number_ids[:, 1:]).all()
    assert (batch.speed_mps == clean.speed_mps).all()


def test_without_motion_both_slots_hold_the_current_picture(dataset: DriveDataset) -> None:
    batch = make_batch(dataset, np.array([1, 2]), TOKENIZER, np.random.default_rng(0), motion=False)
    rows = batch.patches[0].view(2, -1, 3, 2, 14, 14)
    assert (rows[:, :, :, 0] == rows[:, :, :, 1]).all()


def test_a_blind_batch_holds_nothing_of_the_pictures(dataset: DriveDataset) -> None:
    batch = make_batch(dataset, np.array([1, 2]), TOKENIZER, np.random.default_rng(0), blind=True)
    assert (batch.patches[0] == batch.patches[0][:1, :1]).all()
