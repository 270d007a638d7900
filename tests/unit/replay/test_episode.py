from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drive_agent.score.events import RED_LIGHT
from replay.episode import Pose, Timeline
from tests.worlds import EGO_LANE_Y, TICK_US


@pytest.fixture(scope="module")
def timeline(log_path: Path) -> Timeline:
    return Timeline(log_path)


def test_one_moment_per_tick_with_the_rear_axle_pose(timeline: Timeline) -> None:
    assert len(timeline.moments) == 120
    assert timeline.duration_s == pytest.approx(119 * TICK_US / 1e6)
    first = timeline.moments[0]
    assert (first.pose.x_m, first.pose.y_m) == pytest.approx((10.4, EGO_LANE_Y))
    assert first.speed_mps == pytest.approx(8.0)


def test_what_the_model_said_is_carried_forward_with_the_pose_it_was_said_at(timeline: Timeline) -> None:
    moment = timeline.moments[8]  # tick 9; the model spoke at tick 5
    assert moment.record is not None and moment.record.scene is None
    assert moment.plan is not None and moment.plan.time_us == 5 * TICK_US
    assert moment.scene is not None and len(moment.scene.objects) == 1
    assert moment.plan_pose == timeline.moments[4].pose == moment.scene_pose
    assert moment.plan_pose.x_m < moment.pose.x_m


def test_who_takes_over_saw_nothing_of_it(forked_log_path: Path) -> None:
    moments = Timeline(forked_log_path).moments
    assert moments[58].scene is not None and moments[59].scene is None and moments[-1].scene is None
    assert moments[-1].plan is not None


def test_index_at_is_the_last_tick_not_after(timeline: Timeline) -> None:
    times = timeline.times_us
    assert [timeline.index_at(t) for t in (0, times[0], times[3] - 1, times[3], times[-1] + 10**9)] == [
        0,
        0,
        2,
        3,
        119,
    ]


def test_pictures_are_the_newest_of_their_time(timeline: Timeline) -> None:
    film = timeline.front
    assert film is not None and timeline.inset is not None
    assert film.index_at(timeline.times_us[0] - 1) is None
    index = film.index_at(9 * TICK_US)
    assert index is not None
    picture = film.picture(index)
    assert picture.time_us == 5 * TICK_US
    assert picture.rgb.shape == (112, 224, 3)
    assert picture.pose == timeline.moments[4].pose


def test_events_are_judged(timeline: Timeline) -> None:
    assert RED_LIGHT in [event.kind for event in timeline.events]


def test_a_cut_log_is_read_up_to_the_cut(cut_log_path: Path, timeline: Timeline) -> None:
    cut = Timeline(cut_log_path)
    assert cut.truncated is not None and 20 < len(cut.moments) < 120
    assert cut.moments[10].pose == timeline.moments[10].pose


def test_a_drive_without_pictures_has_no_front_camera(blind_log_path: Path) -> None:
    timeline = Timeline(blind_log_path)
    assert timeline.front is None and timeline.moments[0].scene is None


def test_pose_goes_there_and_back() -> None:
    pose = Pose(3.0, -2.0, 0.7)
    points = np.array([[1.0, 2.0], [-4.0, 0.5]])
    assert pose.from_world(pose.to_world(points)) == pytest.approx(points)
