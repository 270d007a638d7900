import json

import numpy as np
import pytest

from drive_agent.data.expansion import read_drivable_area
from tests.unit.data.expansion import LOCATION, box, write_expansion


def blob(draw, x_m, y_m, radius_m):
    """A ring of 40 corners that bulges in and out."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    far = radius_m * draw.uniform(0.6, 1.0, 40)
    return np.stack([x_m + far * np.cos(angle), y_m + far * np.sin(angle)], axis=-1)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Overlapping blobs, one with two holes, an island in a hole, and two areas of which one has two polygons."""
    draw = np.random.default_rng(4)
    holed = [blob(draw, 500, 400, 90), blob(draw, 480, 400, 20), blob(draw, 530, 410, 15)]
    areas = [
        [holed, [blob(draw, 600, 430, 80)]],
        [[blob(draw, 480, 400, 8)]],
        [[box(300.0, 300.0, 50.0, 40.0)]],
    ]
    root = tmp_path_factory.mktemp("nuscenes")
    write_expansion(root, areas)
    return root


def test_the_area_is_that_of_the_genuine_map_api(root):
    pytest.importorskip("nuscenes", reason="the devkit is the extra 'nuscenes'")
    from nuscenes.map_expansion.map_api import NuScenesMap

    genuine, area = NuScenesMap(str(root), LOCATION), read_drivable_area(root, LOCATION)
    points = np.random.default_rng(5).uniform((280, 280), (700, 540), (1500, 2))
    expected = [genuine.explorer.record_on_point(x, y, "drivable_area") != "" for x, y in points]
    assert 0.2 < np.mean(expected) < 0.8
    assert area.holds(points).tolist() == expected


def test_what_is_kept_near_a_way_decides_as_the_whole_and_knows_nothing_beyond(root):
    area = read_drivable_area(root, LOCATION)
    near = area.near(np.array([[500.0, 400.0], [520.0, 420.0]]), 25.0)
    assert len(near.edges) < len(area.edges)
    points = np.random.default_rng(6).uniform((475, 375), (545, 445), (500, 2))
    assert near.holds(points).tolist() == area.holds(points).tolist()
    assert not near.holds(np.array([[310.0, 310.0]])).any()
    assert area.holds(np.array([[310.0, 310.0]])).all()


def test_a_city_without_an_expansion_is_one_line_with_the_remedy(root):
    with pytest.raises(
        FileNotFoundError, match=r"singapore-queenstown\.json is not there; unpack nuScenes' map"
    ):
        read_drivable_area(root, "singapore-queenstown")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda layers: layers.pop("version"), "of version 1.0, expected 1.3"),
        (lambda layers: layers.pop("node"), "has no 'node'"),
        (lambda layers: layers["polygon"][0]["exterior_node_tokens"].append("lost"), "has no 'lost'"),
        (lambda layers: layers["node"][0].update(x="east"), "could not convert"),
        (lambda layers: layers["node"][0].update(x=float("nan")), "a node that is nowhere"),
        (lambda layers: layers.update(drivable_area=7), "not iterable"),
    ],
)
def test_a_damaged_expansion_is_one_line(tmp_path, spoil, message):
    file = write_expansion(tmp_path, [[[box(0.0, 0.0, 9.0, 9.0)]]])
    layers = json.loads(file.read_text())
    spoil(layers)
    file.write_text(json.dumps(layers))
    with pytest.raises(ValueError, match=message) as caught:
        read_drivable_area(tmp_path, LOCATION)
    assert "\n" not in str(caught.value) and "again" in str(caught.value)


def test_a_file_cut_off_is_one_line(tmp_path):
    file = write_expansion(tmp_path, [[[box(0.0, 0.0, 9.0, 9.0)]]])
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ValueError, match="does not read as a map expansion"):
        read_drivable_area(tmp_path, LOCATION)
