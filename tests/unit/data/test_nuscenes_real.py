"""One real key frame of nuScenes through the devkit; skipped where that published material is not beside the checkout."""

from pathlib import Path

import numpy as np
import pytest

from drive_agent.data.nuscenes import NuScenesFolder
from drive_agent.data.resight import Resighter
from drive_agent.openloop.perception import true_boxes
from drive_agent.rig import front_rig
from drive_agent.score.openloop.labels import truth_arrays

ROOT = Path(__file__).parents[4] / "shared" / "data" / "nuscenes" / "v1.0-one-sample"
pytestmark = pytest.mark.skipif(not ROOT.exists(), reason=f"needs the published key frame in {ROOT.name}")
pytest.importorskip("nuscenes", reason="the devkit is the extra 'nuscenes'")


@pytest.fixture(scope="module")
def clip():
    return NuScenesFolder(ROOT).clip("scene-0061")


def test_its_boxes_and_cameras_are_those_published(clip):
    [frame] = clip.frames
    assert clip.location == "singapore-onenorth"
    assert len(frame.boxes.instances) == 69
    assert len(frame.cameras) == 6
    assert {(shot.width, shot.height) for shot in frame.cameras} == {(1600, 900)}
    truth = truth_arrays(clip)
    assert truth["mask"].tolist() == [[False] * 6]
    assert np.linalg.norm(truth["boxes"][0, :, 0, :2], axis=1).max() < 150


def test_the_boxes_that_detections_are_scored_by_are_those_of_the_genuine_devkit(clip):
    """Classes, places, sizes and headings after its filters of class, distance, points and bicycle racks."""
    from nuscenes.eval.common.config import config_factory
    from nuscenes.eval.common.loaders import add_center_dist, filter_eval_boxes, load_gt_of_sample_tokens
    from nuscenes.eval.detection.data_classes import DetectionBox
    from nuscenes.nuscenes import NuScenes

    tables, [frame] = NuScenes("v1.0-mini", str(ROOT), verbose=False), clip.frames
    genuine = load_gt_of_sample_tokens(tables, [frame.token], DetectionBox)
    ranges = config_factory("detection_cvpr_2019").class_range
    genuine = filter_eval_boxes(tables, add_center_dist(tables, genuine), ranges)[frame.token]
    ours = true_boxes(truth_arrays(clip), 0).within_range()
    assert len(genuine) > 30
    assert ours.classes.tolist() == [box.detection_name for box in genuine]
    np.testing.assert_allclose(ours.sizes, [box.size for box in genuine])
    world = np.array([box.translation for box in genuine]) - frame.ego_to_world[:3, 3]
    np.testing.assert_allclose(ours.centers, (world @ frame.ego_to_world[:3, :3])[:, :2], atol=1e-9)
    assert np.isnan(ours.velocities_mps).all() and set(ours.attributes) == {""}  # of one frame nobody knows


def test_the_small_models_cameras_see_the_street(clip):
    """The middle of the wide camera shows what the middle of CAM_FRONT shows; above and below is what no camera saw."""
    [frame] = clip.frames
    picture = Resighter(front_rig().cameras).pictures(frame.cameras, frame.token)["wide"]
    assert picture.shape == (112, 224, 3)
    seen = picture.any(axis=2)
    assert seen[40:70].mean() > 0.99
    assert 0.7 < seen.mean() < 0.95
    from drive_agent.data.resight import decoded

    front = decoded(next(s for s in frame.cameras if s.name == "CAM_FRONT"), frame.token)
    horizon = picture[54:58, 108:116].reshape(-1, 3).mean(axis=0)
    there = front[380:520, 730:870].reshape(-1, 3).mean(axis=0)
    assert np.abs(horizon - there).max() < 40
