import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from drive_agent.openloop.plan_files import read_pickle, read_plans

PATHS = {"a": np.arange(12.0).reshape(6, 2), "b": np.zeros((6, 2))}


class Trap:
    """What a hostile pickle holds: a call."""

    def __reduce__(self):
        return (os.mkdir, ("made_by_a_pickle",))


def written(folder, ending):
    path = folder / f"plans{ending}"
    if ending == ".json":
        path.write_text(json.dumps({token: points.tolist() for token, points in PATHS.items()}))
    elif ending == ".npz":
        np.savez(path, **PATHS)
    else:
        path.write_bytes(pickle.dumps(PATHS))
    return path


@pytest.mark.parametrize("ending", [".json", ".npz", ".pkl"])
def test_every_kind_of_file_gives_the_same_plans(tmp_path, ending):
    found = read_plans(written(tmp_path, ending))
    assert found.keys() == PATHS.keys()
    for token, points in PATHS.items():
        np.testing.assert_array_equal(found[token], points)


def test_npz_with_a_list_of_tokens(tmp_path):
    np.savez(tmp_path / "p.npz", tokens=np.array(["a", "b"]), paths=np.stack(list(PATHS.values())))
    np.testing.assert_array_equal(read_plans(tmp_path / "p.npz")["a"], PATHS["a"])


def test_headings_and_a_batch_axis_are_dropped(tmp_path):
    np.savez(tmp_path / "p.npz", a=np.concatenate([PATHS["a"], np.ones((6, 1))], axis=1)[None])
    np.testing.assert_array_equal(read_plans(tmp_path / "p.npz")["a"], PATHS["a"])


@pytest.mark.parametrize(
    "value", [Trap(), {"a": Trap()}, {"a": [Path("x")]}, {"a": np.array([Trap()], object)}]
)
def test_a_pickle_that_wants_more_than_arrays_is_refused_before_it_acts(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.pkl").write_bytes(pickle.dumps(value))
    with pytest.raises(ValueError, match="which is refused"):
        read_plans(tmp_path / "p.pkl")
    assert not (tmp_path / "made_by_a_pickle").exists()


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_of_every_pickle_protocol(tmp_path, protocol):
    value = {"a": [np.float64(1.5), np.arange(3), b"bytes", "text", None, (1, 2)]}
    (tmp_path / "p.pkl").write_bytes(pickle.dumps(value, protocol))
    found = read_pickle(tmp_path / "p.pkl")["a"]
    np.testing.assert_array_equal(found[1], np.arange(3))
    assert found[:1] + found[2:] == value["a"][:1] + value["a"][2:]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.json", b"{", "is damaged"),
        ("p.npz", b"no zip", "is damaged"),
        ("p.csv", b"", "ends in '.csv', expected one of .json, .npz"),
        ("p.json", b"[1]", "holds a list, expected token -> 6 x 2 path"),
        ("p.json", b'{"a": [[1, 2]]}', r"'a' has shape \(1, 2\), expected \(6, 2\)"),
        ("p.json", b'{"a": "x"}', "'a' holds no numbers"),
        ("p.json", b'{"a": [[0, 1e300],[1,1],[1,1],[1,1],[1,1],[1,1]]}', "no metres within 3 s"),
        ("p.json", b'{"a": [[NaN, 1],[1,1],[1,1],[1,1],[1,1],[1,1]]}', "no metres within 3 s"),
        ("p.pkl", b"\x80\x04garbage", "is not a pickle of arrays"),
    ],
)
def test_bad_files_are_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_plans(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="is not there"):
        read_plans(tmp_path / "none.json")


def test_real_plans_of_a_published_planner_load():
    path = Path(__file__).parents[4] / "shared/data/nuscenes/agent_driver/pred_trajs_dict.pkl"
    if not path.exists():
        pytest.skip(f"needs the published file {path.name}")
    plans = read_plans(path)
    ends = np.array([plan[-1] for plan in plans.values()])
    assert len(plans) == 6019
    assert ends[:, 1].mean() == pytest.approx(15.7, abs=0.1)  # forward; the lidar frame of the file
