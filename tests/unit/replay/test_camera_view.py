from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drive_agent.rig import front_rig
from drive_agent.types import LightState
from replay.camera_view import CameraView
from replay.episode import Moment, Picture, Timeline
from replay.plans import colored_path

SCALE = 4


@pytest.fixture(scope="module")
def moment(log_path: Path) -> Moment:
    return Timeline(log_path).moments[104]


@pytest.fixture
def view() -> CameraView:
    mount = front_rig()["wide"]
    return CameraView(mount, mount.width * SCALE, mount.height * SCALE)


def drawn(view: CameraView, moment: Moment) -> np.ndarray:
    assert moment.plan_pose is not None
    return view.draw(Picture(moment.time_us, np.zeros((112, 224, 3), np.uint8), moment.plan_pose), moment)


def test_the_ribbon_covers_the_path_and_not_what_is_beside_it(view: CameraView, moment: Moment) -> None:
    image = drawn(view, replace(moment, scene=None))
    assert moment.plan is not None
    ahead = np.array([[9.0, 0.0, 0.0], [9.0, 2.5, 0.0], [9.0, -2.5, 0.0]])
    on, left, right = (front_rig()["wide"].project(ahead)[0] * SCALE).round().astype(int)
    color = np.array(colored_path(moment.plan, 0.5)[1][0])
    assert np.corrcoef(image[on[1], on[0]], color)[0, 1] > 0.99
    assert image[on[1], on[0]].max() > 60
    assert not image[left[1], left[0]].any() and not image[right[1], right[0]].any()


def test_objects_are_outlined_around_their_place(view: CameraView, moment: Moment) -> None:
    assert moment.scene is not None
    bare = replace(moment, plan=None, forecast=None, scene=replace(moment.scene, light=LightState.NONE))
    image = drawn(view, bare)
    rows, columns = np.nonzero(image.max(-1) > 80)
    pixels = front_rig()["wide"].project(np.array([[20.0, 0.0, 0.78]]))[0][0] * SCALE
    assert abs(columns.mean() - pixels[0]) < 25
    assert abs(rows.mean() - pixels[1]) < 40
    assert len(rows) < 0.05 * image.shape[0] * image.shape[1]


def test_a_plan_made_earlier_is_moved_to_the_picture(view: CameraView, moment: Moment) -> None:
    assert moment.plan_pose is not None
    later = replace(
        moment.plan_pose, y_m=moment.plan_pose.y_m + 2.0
    )  # the car is 2 m left of where it planned
    blank = np.zeros((112, 224, 3), np.uint8)
    image = view.draw(Picture(moment.time_us, blank, later), replace(moment, scene=None))
    column, row = (
        (front_rig()["wide"].project(np.array([[9.0, -2.0, 0.0]]))[0][0] * SCALE).round().astype(int)
    )
    assert image[row, column].max() > 60


def test_nothing_said_leaves_the_picture_alone(view: CameraView, moment: Moment) -> None:
    assert not drawn(view, replace(moment, plan=None, scene=None)).any()
