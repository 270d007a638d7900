from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.types import ObjectKind
from replay import palette
from replay.birdseye import BirdsEye, sideways_view, upward_view
from replay.episode import Pose, Timeline
from replay.map_picture import MapPicture
from tests.worlds import straight_route, street

POSES = st.builds(Pose, st.floats(40, 160), st.floats(-12, 12), st.floats(-3.2, 3.2))


def near(pixel: np.ndarray, color: palette.Color, tolerance: int = 6) -> bool:
    return bool(np.abs(pixel.astype(int) - color).max() <= tolerance)


@pytest.fixture(scope="module")
def timeline(log_path: Path) -> Timeline:
    return Timeline(log_path)


@given(pose=POSES)
def test_views_put_the_ego_in_place_and_forward_ahead(pose: Pose) -> None:
    for view, ahead, left in (
        (upward_view(400, 400, 5.0), (0, -50), (-50, 0)),
        (sideways_view(800, 400, 5.0), (50, 0), (0, -50)),
    ):
        points = pose.to_world(np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]))
        affine = view.to_pixels(pose)
        here, front, side = points @ affine[:, :2].T + affine[:, 2]
        assert here == pytest.approx((view.ego_column, view.ego_row))
        assert front - here == pytest.approx(ahead, abs=1e-6)
        assert side - here == pytest.approx(left, abs=1e-6)


@pytest.fixture(scope="module")
def picture() -> MapPicture:
    return MapPicture(street(200.0), straight_route(180).points, 8.0, 60.0)


@settings(max_examples=30, deadline=None)
@given(pose=POSES, x_m=st.floats(-8, 8))
def test_the_map_lies_where_the_road_is_from_every_pose(picture: MapPicture, pose: Pose, x_m: float) -> None:
    view = upward_view(400, 400, 6.0)
    affine = view.to_pixels(pose)
    image = picture.view(np.array([pose.x_m, pose.y_m]), affine, view.width, view.height)
    lane, verge = np.array([[pose.x_m + x_m, 1.75], [pose.x_m + x_m, 6.0]]) @ affine[:, :2].T + affine[:, 2]
    for (column, row), color in ((lane, palette.ROAD), (verge, palette.GROUND)):
        if 0 < round(column) < 400 and 0 < round(row) < 400:
            assert near(image[round(row), round(column)], color)


@pytest.mark.parametrize("speed_mps", [0.0, 0.5, 11.0, 30.0])
def test_plans_that_end_before_or_beyond_their_path_are_drawn(timeline: Timeline, speed_mps: float) -> None:
    moment = timeline.moments[100]
    assert moment.plan is not None
    plan = replace(moment.plan, speeds_mps=np.full(6, speed_mps))
    birdseye = BirdsEye(timeline.road_map, timeline.header.route.points, upward_view(424, 428))
    image = birdseye.draw(replace(moment, plan=plan, scene=None), timeline.track[:1])
    bare = birdseye.draw(replace(moment, plan=None, scene=None), timeline.track[:1])
    assert (image != bare).any()


def test_cars_and_what_the_model_sees_are_drawn_in_place(timeline: Timeline) -> None:
    view = upward_view(424, 428, 4.0)
    moment = timeline.moments[100]
    birdseye = BirdsEye(timeline.road_map, timeline.header.route.points, view)
    image = birdseye.draw(replace(moment, scene=None, plan=None), timeline.track[:101])
    affine = view.to_pixels(moment.pose)

    def pixel(x_m: float, y_m: float) -> np.ndarray:
        column, row = affine[:, :2] @ (x_m, y_m) + affine[:, 2]
        return image[round(row), round(column)]

    assert near(pixel(moment.truth.actors[1, 0] - 1.0, -1.75), palette.KIND_COLORS[ObjectKind.VEHICLE])
    assert near(pixel(moment.truth.ego[0], -1.75), palette.EGO)
    assert near(pixel(40.0, -2.6), palette.STOP)  # the red light's line
    said = birdseye.draw(moment, timeline.track[:101])
    rows, columns = np.nonzero((said != image).any(-1))
    assert abs(columns.mean() - view.ego_column) < 3
    assert rows.max() < view.ego_row and rows.min() > view.ego_row - 36 * view.px_per_m
    assert (np.abs(said.astype(int) - palette.SEEN).max(-1) < 40).sum() > 20
