import numpy as np
import pytest

from drive_agent.data.shards import CLASSES, encode_depth
from drive_agent.drive.cell_labels import bulb_cells, class_cells, decode_depth, depth_cells
from drive_agent.types import LightState


def test_depth_is_decoded_as_carla_encodes_it():
    metres = np.array([[0.5, 12.25], [99.0, 999.0]])
    value = np.round(metres / 1000 * (256**3 - 1)).astype(np.int64)
    bgra = np.stack([value >> 16 & 255, value >> 8 & 255, value & 255, np.full_like(value, 255)], -1)
    assert decode_depth(bgra.astype(np.uint8)) == pytest.approx(metres, abs=1e-3)


def test_depth_cells_are_the_mean_of_the_encoded_depth():
    depth_m = np.full((14, 7), 10.0)
    depth_m[7:] = 40.0
    assert depth_cells(depth_m).tolist() == [
        [int(encode_depth(np.array(10.0)))],
        [int(encode_depth(np.array(40.0)))],
    ]


def test_class_cells_are_histograms():
    tags = np.full((7, 14), 1, dtype=np.uint8)  # road
    tags[:, 7:] = 14  # car
    tags[0, 7:] = 24  # marking: 7 of 49 pixels
    cells = class_cells(tags)
    assert cells.shape == (1, 2, len(CLASSES))
    assert cells[0, 0, CLASSES.index("road")] == 255
    assert cells[0, 1, CLASSES.index("vehicle")] == 42 * 255 // 49
    assert cells[0, 1, CLASSES.index("marking")] == 7 * 255 // 49


def test_every_tag_has_a_class():
    assert class_cells(np.arange(49, dtype=np.uint8).reshape(7, 7)).sum() <= 255


@pytest.mark.parametrize(
    ("color", "state"),
    [
        ((240, 40, 30), LightState.RED),
        ((240, 190, 30), LightState.YELLOW),
        ((30, 230, 120), LightState.GREEN),
    ],
)
def test_bulbs_are_told_by_color_and_only_on_traffic_lights(color, state):
    rgb, tags = np.full((7, 14, 3), 20, dtype=np.uint8), np.full((7, 14), 3, dtype=np.uint8)
    rgb[2:4, 2:4] = rgb[2:4, 9:11] = color
    tags[:, :7] = 7
    assert bulb_cells(rgb, tags).tolist() == [[state, 0]]
