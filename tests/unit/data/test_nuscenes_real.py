"""One real key frame of nuScenes through the devkit; skipped where that published material is not beside the checkout."""

from pathlib import Path

import numpy as np
import pytest

from drive_agent.data.nuscenes import NuScenesFolder
from drive_agent.data.resight import Resighter
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
