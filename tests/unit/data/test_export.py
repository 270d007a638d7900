import json

import numpy as np
import pytest

from drive_agent.data.export import VERSION, export_run
from drive_agent.data.nuscenes import NuScenesFolder
from drive_agent.data.runs import RunFolder, seen_shares
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M
from drive_agent.score.openloop.labels import truth_arrays
from tests.unit.data.recorded import FIRST_PICTURE, picture, write_drive
from tests.worlds import TICK_US

pytest.importorskip("nuscenes", reason="the devkit is the extra 'nuscenes'")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_drive(tmp_path_factory.mktemp("run"), turn=True)


@pytest.fixture(scope="module")
def exported(run):
    export_run(run, run / "nuscenes")
    return run / "nuscenes"


def test_key_frames_are_half_a_second_apart_where_pictures_are(run):
    clip = RunFolder(run).clip("7_rep0")
    times = [frame.time_us for frame in clip.frames]
    assert times[0] == FIRST_PICTURE * TICK_US
    assert set(np.diff(times)) == {500_000}
    assert all(frame.cameras[0].read() == picture(frame.time_us).jpeg for frame in clip.frames)


def test_the_ego_frame_is_the_rear_axle_and_boxes_stand_on_the_ground(run):
    frame = RunFolder(run).clip("7_rep0").frames[0]
    yaw = 0.01 * FIRST_PICTURE
    x_m = 10 + 6 * 0.05 * sum(np.cos(0.01 * tick) for tick in range(FIRST_PICTURE))
    expected = x_m - REAR_AXLE_TO_ORIGIN_M * np.cos(yaw)
    assert frame.ego_to_world[0, 3] == pytest.approx(expected)
    assert frame.boxes.categories == ("vehicle.car",)
    assert frame.boxes.centers[0] == pytest.approx([40.3, 1.75, 0.74])
    assert frame.boxes.sizes[0] == pytest.approx([2.16, 4.8, 1.48])


def test_what_is_exported_is_read_back_identical(run, exported):
    ours, theirs = RunFolder(run).clip("7_rep0"), NuScenesFolder(exported).clip("7_rep0")
    assert len(ours.frames) == len(theirs.frames)
    for a, b in zip(ours.frames, theirs.frames, strict=True):
        assert (a.token, a.time_us) == (b.token, b.time_us)
        assert a.boxes.instances == b.boxes.instances
        assert a.boxes.categories == b.boxes.categories
        assert a.boxes.attributes == b.boxes.attributes
        for name in ("centers", "sizes", "axes", "visibility", "points"):
            np.testing.assert_allclose(getattr(a.boxes, name), getattr(b.boxes, name), rtol=0, atol=1e-12)
        np.testing.assert_allclose(a.ego_to_world, b.ego_to_world, rtol=0, atol=1e-12)
        for shot, other in zip(a.cameras, b.cameras, strict=True):
            assert shot.read() == other.read()
            np.testing.assert_allclose(shot.intrinsic, other.intrinsic)
            np.testing.assert_allclose(shot.camera_to_ego, other.camera_to_ego, rtol=0, atol=1e-12)
    a, b = truth_arrays(ours), truth_arrays(theirs)
    for name, array in a.items():
        if array.dtype.kind == "f":
            np.testing.assert_allclose(array, b[name], rtol=0, atol=1e-9, err_msg=name)
        else:
            assert (array == b[name]).all(), name


def test_the_devkit_loads_links_and_draws_it(exported, tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    from nuscenes.nuscenes import NuScenes

    tables = NuScenes(VERSION, str(exported), verbose=False)
    [scene] = tables.scene
    token, count = scene["first_sample_token"], 0
    while token:
        sample = tables.get("sample", token)
        token, count = sample["next"], count + 1
    assert count == scene["nbr_samples"] == len(tables.sample)
    first = tables.get("sample", scene["first_sample_token"])
    speed = tables.box_velocity(first["anns"][0])
    assert speed[0] == pytest.approx(2.0)  # the car drives 0.1 m a tick of 0.05 s
    ours = truth_arrays(NuScenesFolder(exported).clip("7_rep0"))
    for k, frame in enumerate(tables.sample):
        turn = ours["global_pose"][k, 2]
        genuine = np.array([tables.box_velocity(token)[:2] for token in frame["anns"]])
        own = ours["box_velocity"][k, : len(genuine)] @ [
            [np.cos(turn), np.sin(turn)],
            [-np.sin(turn), np.cos(turn)],
        ]
        np.testing.assert_allclose(own, genuine, rtol=0, atol=1e-9)
    assert [tables.get("attribute", t)["name"] for t in _attributes(tables, first)] == ["vehicle.moving"]
    file = tmp_path / "front.png"
    tables.render_sample_data(first["data"]["CAM_FRONT"], out_path=str(file), verbose=False)
    assert file.stat().st_size > 5_000
    _, boxes, _ = tables.get_sample_data(first["data"]["CAM_FRONT"])
    assert len(boxes) == 1  # the car ahead is in the picture


def _attributes(tables, sample):
    return tables.get("sample_annotation", sample["anns"][0])["attribute_tokens"]


def test_the_map_picture_is_white_under_the_wheels(exported):
    from nuscenes.nuscenes import NuScenes

    tables = NuScenes(VERSION, str(exported), verbose=False)
    mask = tables.map[0]["mask"]
    for pose in tables.ego_pose[:4]:  # later the bend leaves the street
        x, y, _ = pose["translation"]
        assert mask.is_on_mask(np.array([x]), np.array([y])).all()
    assert not mask.is_on_mask(np.array([x]), np.array([y + 15.0])).any()


def test_exporting_twice_is_refused(run, exported):
    with pytest.raises(ValueError, match="already there"):
        export_run(run, exported)


def test_a_car_behind_a_car_is_hidden():
    """Seen from the origin along x: the second car exactly behind the first, the third beside them."""
    lidar = np.eye(4)
    centers = np.array([[10.0, 0, 1], [20.0, 0, 1], [20.0, 15, 1]])
    sizes = np.tile([2.0, 4.0, 1.5], (3, 1))
    axes = np.tile([1.0, 0, 0], (3, 1))
    assert seen_shares(lidar, centers, sizes, axes).tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: (root / VERSION / "sample.json").unlink(), "lacks sample.json"),
        (lambda root: (root / VERSION / "scene.json").unlink(), "no v1.0-... folder"),
        (
            lambda root: next((root / "samples" / "CAM_FRONT").iterdir()).unlink(),
            "is missing: the tables name it",
        ),
    ],
)
def test_what_is_missing_is_named_in_one_line(run, tmp_path, spoil, message):
    export_run(run, tmp_path / "nuscenes")
    spoil(tmp_path / "nuscenes")
    with pytest.raises(ValueError, match=message) as caught:
        for frame in NuScenesFolder(tmp_path / "nuscenes").clip("7_rep0").frames:
            for shot in frame.cameras:
                shot.read()
    assert "\n" not in str(caught.value)


def test_a_broken_table_is_one_line(exported, tmp_path, run):
    export_run(run, tmp_path / "nuscenes")
    log = tmp_path / "nuscenes" / VERSION / "map.json"
    rows = json.loads(log.read_text())
    rows[0]["log_tokens"] = []
    log.write_text(json.dumps(rows))
    with pytest.raises(ValueError, match="does not load") as caught:
        NuScenesFolder(tmp_path / "nuscenes")
    assert "\n" not in str(caught.value)
