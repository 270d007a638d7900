"""What is written is read back, and what is wrong is named."""

import numpy as np
import pytest

from drive_agent.data.shards import (
    OBJECTS,
    DatasetError,
    DriveDataset,
    ShardWriter,
    encode_depth,
    find_shards,
    pack_objects,
)
from tests.unit.train.shards import frame, write_shard


def test_frames_come_back_as_they_were_written(tmp_path) -> None:
    rng = np.random.default_rng(3)
    rows = [frame(rng), frame(rng, previous=0)]
    writer = ShardWriter(tmp_path / "a")
    assert [writer.add(**row) for row in rows] == [0, 1]
    writer.close(town="T", seed=1)
    dataset = DriveDataset([tmp_path / "a"])
    back = dataset.rows(np.array([1, 0]))
    for name, value in rows[0].items():
        np.testing.assert_array_equal(back[name][1], np.asarray(value).astype(back[name].dtype))
    assert (back["wide_previous"][0] == back["wide_rgb"][1]).all()  # the frame before
    assert (back["wide_previous"][1] == back["wide_rgb"][1]).all()  # no frame before: itself
    assert dataset.shards[0].meta["town"] == "T"


def test_several_shards_are_one_table(tmp_path) -> None:
    for k in range(3):
        write_shard(tmp_path / f"s{k}", frames=4 + k, seed=k)
    dataset = DriveDataset([tmp_path])
    assert len(dataset) == 15
    speeds = dataset.column("speed_mps")
    np.testing.assert_array_equal(dataset.rows(np.arange(15))["speed_mps"], speeds)


def test_a_shard_under_way_is_not_found(tmp_path) -> None:
    (tmp_path / "x.partial").mkdir()
    (tmp_path / "x.partial" / "meta.json").write_text("{}")
    with pytest.raises(DatasetError, match="no shard"):
        find_shards([tmp_path])


def test_wrong_frames_are_refused(tmp_path) -> None:
    writer = ShardWriter(tmp_path / "a")
    row = frame(np.random.default_rng(0))
    with pytest.raises(DatasetError, match=r"\['gap_m'\]"):
        writer.add(**{name: value for name, value in row.items() if name != "gap_m"})
    with pytest.raises(DatasetError, match=r"path has shape \(3, 2\), expected \(10, 2\)"):
        writer.add(**{**row, "path": np.zeros((3, 2))})


def test_damaged_shards_are_refused(tmp_path) -> None:
    write_shard(tmp_path / "a", frames=4)
    np.save(tmp_path / "a" / "path.npy", np.zeros((4, 9, 2), dtype=np.float32))
    with pytest.raises(DatasetError, match=r"path\.npy holds float32 \(4, 9, 2\)"):
        DriveDataset([tmp_path / "a"])
    write_shard(tmp_path / "b", frames=4)
    np.save(tmp_path / "b" / "prev_index.npy", np.array([-1, 0, 1, 7], dtype=np.int32))
    with pytest.raises(DatasetError, match="row 7, expected -1..3"):
        DriveDataset([tmp_path / "b"])


def test_objects_are_packed_nearest_first_and_cut() -> None:
    rows = [(0, 60.0 - k, 0.0, *[0.0] * 10) for k in range(20)]
    packed = pack_objects(rows)
    assert packed[:, 1].tolist() == [41.0 + k for k in range(OBJECTS)]
    assert (pack_objects([])[:, 0] == -1).all()


def test_depth_labels_span_the_range() -> None:
    np.testing.assert_allclose(encode_depth(np.array([0.5, 2.0, 100.0, 1e4])), [0, 0, 255, 255])
