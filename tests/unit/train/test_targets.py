"""Labels land where pictures show what they speak of."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.models.embedded.config import GAPS_M, SPEEDS_MPS
from drive_agent.rig import CELL_PX, cell_grid, front_rig
from drive_agent.train.targets import (
    corridor_mask,
    lead_mask,
    object_targets,
    path_lines,
    soft_bins,
    soft_bins_or_none,
)
from drive_agent.types import PATH_STATIONS_M

WIDE, NARROW = front_rig().cameras
STRAIGHT = np.stack([PATH_STATIONS_M, np.zeros_like(PATH_STATIONS_M)], -1)[None].astype(np.float32)


@given(st.floats(0, 20))
def test_soft_bins_mean_the_value(value: float) -> None:
    target = soft_bins(torch.tensor([value]), SPEEDS_MPS, 1.0)
    assert abs(float(target.sum()) - 1) < 1e-5
    if 2 < value < 18:
        assert abs(float(target[0] @ torch.from_numpy(SPEEDS_MPS)) - value) < 0.01


def test_none_and_distances_do_not_leak_into_each_other() -> None:
    target = soft_bins_or_none(torch.tensor([5.0, 49.0, 99.0]), GAPS_M, 1.2)
    assert target[:2, -1].tolist() == [0.0, 0.0]
    assert target[2, -1] == 1.0
    assert target[2, :-1].sum() == 0.0


def test_the_corridor_lies_where_the_lane_is_seen() -> None:
    mask = corridor_mask(path_lines(STRAIGHT), WIDE)[0].reshape(cell_grid(WIDE))
    pixels, _ = WIDE.project(np.array([[12.0, 0.0, 0.0], [12.0, 5.0, 0.0], [12.0, 0.0, 3.0]]))
    on, beside, above = (mask[int(v // CELL_PX), int(u // CELL_PX)] for u, v in pixels)
    assert (on, beside, above) == (True, False, False)
    assert not mask[:8].any()  # nothing above the horizon


def test_the_lead_is_marked_at_its_place_only_when_there_is_one() -> None:
    lines = path_lines(np.repeat(STRAIGHT, 2, 0))
    for camera in (WIDE, NARROW):
        masks = lead_mask(lines, np.array([15.0, 99.0]), camera)
        assert not masks[1].any()
        mask = masks[0].reshape(cell_grid(camera))
        (u, v), _ = (a[0] for a in camera.project(np.array([[19.5, 0.0, 0.8]])))
        if camera is WIDE:
            assert mask[int(v // CELL_PX), int(u // CELL_PX)]
        assert mask.any()


def test_object_targets_peak_at_the_centre_and_hide_the_farther() -> None:
    objects = np.zeros((1, 16, 13), dtype=np.float32)
    objects[..., 0] = -1
    objects[0, 0, :7] = (0, 12.0, 0.0, 0.0, 3.0, 2.3, 0.9)
    objects[0, 1, :7] = (0, 12.6, 0.0, 0.0, 3.0, 2.3, 0.9)  # in the same cell
    objects[0, 2, :7] = (2, 15.0, 6.0, 0.0, 1.0, 0.3, 0.3)
    heat, values, index, counts = object_targets(objects, WIDE)
    assert counts[0, :4].tolist() == [True, False, True, False]
    assert (heat[0, ..., 0] == 1).sum() == 1
    assert heat[0].flatten(0, 1)[index[0, 2], 2] == 1
    assert heat[0, ..., 1].max() == 0
    assert np.isclose(float(values[0, 0, 0]), np.log((12.0 - WIDE.x_m) / 10))
