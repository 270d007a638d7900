"""Boxes in seen pixels: lifted to where their foot stands on the road, strange entries left out."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.agent.boxes_text import read_boxes, scene_pattern
from drive_agent.models.picture_size import resized
from drive_agent.rig import CameraMount
from drive_agent.types import LightState, ObjectKind

FRONT = CameraMount("front", 640, 360, math.radians(70), 1.7, 0.0, 1.5)
LEFT = CameraMount("left", 640, 360, math.radians(70), 1.5, 0.5, 1.5, yaw_rad=math.radians(55))
TOKENS = 150


def entry(mount: CameraMount, x_m: float, y_m: float, **changes: object) -> dict:
    """The entry of an object that stands at a place, as a model that sees the resized picture tells it."""
    pixels, _ = mount.project(np.array([[x_m, y_m, 0.0]]))
    u, v = pixels[0] * resized(640, 360, TOKENS) / (640, 360)
    box = [float(u) - 10, float(v) - 30, float(u) + 10, float(v)]
    return {
        "bbox_2d": box,
        "label": "car",
        "camera": mount.name,
        "moves": "stands",
        "speed_mps": 0.0,
    } | changes


def answer(*entries: object, light: str = "red") -> str:
    return f"Objects: {json.dumps(entries)}\nLight: {light}"


@given(st.floats(6.0, 60.0), st.floats(-0.4, 0.4), st.sampled_from([FRONT, LEFT]))
def test_a_foot_is_lifted_to_its_place(distance_m, bearing, mount):
    angle = mount.yaw_rad + bearing
    x_m, y_m = mount.x_m + distance_m * math.cos(angle), mount.y_m + distance_m * math.sin(angle)
    told = read_boxes(answer(entry(mount, x_m, y_m)), (FRONT, LEFT), TOKENS)
    assert told is not None
    [thing] = told[0].objects
    assert (thing.x_m, thing.y_m) == pytest.approx((x_m, y_m), rel=1e-3, abs=1e-3)


def test_motion_light_and_the_way_ahead_are_told():
    oncoming = entry(FRONT, 30.0, 4.0, moves="towards", speed_mps=5.0)
    person = entry(FRONT, 12.0, 0.5, label="person", moves="left", speed_mps=1.5)
    told = read_boxes(answer(oncoming, person, light="green"), (FRONT,), TOKENS)
    assert told is not None
    scene, forecast = told
    assert scene.light == LightState.GREEN and scene.lead_gap_m == pytest.approx(12.0, rel=1e-3)
    assert scene.objects[1].kind == ObjectKind.WALKER
    np.testing.assert_allclose(forecast.positions_ego[0, -1], (15.0, 4.0), rtol=1e-3)
    np.testing.assert_allclose(forecast.positions_ego[1, 0], (12.0, 2.0), rtol=1e-3)


def test_what_has_no_place_on_the_road_is_left_out():
    sky = entry(FRONT, 20.0, 0.0, bbox_2d=[10, 10, 20, 40])
    strange = [7, {}, entry(FRONT, 9.0, 0.0, label="cow"), entry(FRONT, 9.0, 0.0, camera="rear")]
    odd_box = entry(FRONT, 9.0, 0.0, bbox_2d=[1, 2, "three", 4])
    told = read_boxes(answer(sky, *strange, odd_box), (FRONT,), TOKENS)
    assert told is not None and told[0].objects == () and told[1].positions_ego.shape == (0, 3, 2)


@settings(max_examples=40)
@given(st.from_regex(scene_pattern(("front", "left")), fullmatch=True, alphabet=st.characters(codec="ascii")))
def test_whatever_the_pattern_allows_is_a_scene(text):
    assert read_boxes(text, (FRONT, LEFT), TOKENS) is not None


@given(st.text())
def test_any_other_text_is_no_scene(text):
    assert read_boxes(text, (FRONT,), TOKENS) is None


def test_camera_names_are_no_expressions():
    assert re.fullmatch(scene_pattern(("a.b",)), answer(light="red"))
    assert "a\\.b" in scene_pattern(("a.b",))
