"""Traffic lights as the driver of their approach sees them."""

import math

import numpy as np
import pytest

from drive_agent.sim.render import labels
from drive_agent.sim.render.camera import Buffers, Camera
from drive_agent.sim.render.renderer import Renderer
from drive_agent.sim.render.signals import LIGHT, approaches

RED, YELLOW, GREEN, OFF = range(4)


@pytest.fixture(scope="module")
def renderer(town) -> Renderer:
    return Renderer(town)


@pytest.fixture(scope="module")
def controlled(town_map) -> list:
    return [approach for approach in approaches(town_map) if approach.kind == LIGHT]


def _view(
    approach, before_m: float, width: int = 224, fov_deg: float = 90.0, pitch_deg: float = 0.0
) -> Camera:
    x, y, z = approach.lanes[0].center - before_m * approach.lanes[0].forward
    return Camera(width, 112, fov_deg, x, y, z + 1.6, pitch_deg, math.degrees(approach.yaw_rad), 0.0)


def _glowing(picture: Buffers, state: int) -> int:
    """Pixels of lights that show a state's colour."""
    blue, green, red = (picture.bgra[..., k].astype(int) for k in range(3))
    rules = {
        RED: (red > 150) & (green < 110) & (blue < 110),
        YELLOW: (red > 150) & (green > 120) & (blue < 110),
        GREEN: (green > 150) & (red < 110),
    }
    return int((rules[state] & (picture.tag == labels.TRAFFIC_LIGHT)).sum())


def test_every_light_of_the_map_has_a_head(town, controlled) -> None:
    assert {light.signal_id for light in town.lights} == {approach.signal_id for approach in controlled}
    for light in town.lights:
        assert (town.mesh.objects == light.object_id).sum() > 50


@pytest.mark.parametrize("before_m", [2.0, 10.0, 20.0, 30.0])
def test_the_state_is_seen_from_the_lane(renderer, controlled, before_m: float) -> None:
    """Wide and narrow camera together, over all approaches: the shown colour is there and no other is as strong."""
    narrow = {"width": 112, "fov_deg": 23.0, "pitch_deg": 4.0}
    for state in (RED, YELLOW, GREEN):
        renderer.set_lights({approach.signal_id: state for approach in controlled})
        for approach in controlled:
            pictures = renderer.render([_view(approach, before_m), _view(approach, before_m, **narrow)], [])
            shown = sum(_glowing(picture, state) for picture in pictures)
            others = sum(
                _glowing(picture, other)
                for picture in pictures
                for other in (RED, YELLOW, GREEN)
                if other != state
            )
            assert shown >= 3, f"signal {approach.signal_id} at {before_m} m"
            assert others <= shown / 2


def test_the_state_fills_several_pixels_of_the_wide_camera_at_the_stop_line(renderer, controlled) -> None:
    renderer.set_lights({approach.signal_id: RED for approach in controlled})
    for approach in controlled:
        assert _glowing(renderer.render([_view(approach, 2.0)], [])[0], RED) >= 6


def test_lights_that_are_off_show_nothing(renderer, controlled) -> None:
    renderer.set_lights({approach.signal_id: OFF for approach in controlled})
    picture = renderer.render([_view(controlled[0], 10.0)], [])[0]
    assert sum(_glowing(picture, state) for state in (RED, YELLOW, GREEN)) == 0


def test_a_light_is_set_alone(renderer, controlled) -> None:
    renderer.set_lights({approach.signal_id: OFF for approach in controlled})
    renderer.set_lights({controlled[0].signal_id: GREEN})
    assert _glowing(renderer.render([_view(controlled[0], 10.0)], [])[0], GREEN) >= 4


def test_a_light_is_not_seen_from_behind(renderer, controlled, town) -> None:
    first = controlled[0]
    renderer.set_lights({approach.signal_id: OFF for approach in controlled} | {first.signal_id: RED})
    light = next(light for light in town.lights if light.signal_id == first.signal_id)
    x, y = np.array([light.x, light.y]) + 10.0 * first.lanes[0].forward[:2]
    behind = Camera(224, 112, 90.0, x, y, light.z + 1.6, 0.0, math.degrees(first.yaw_rad) + 180.0, 0.0)
    picture = renderer.render([behind], [])[0]
    assert (picture.instance == light.object_id).sum() > 20
    assert _glowing(picture, RED) == 0


def test_lights_are_seen_by_night_and_in_the_rain(renderer, controlled) -> None:
    renderer.set_lights({approach.signal_id: RED for approach in controlled})
    for weather in (
        [10, 0, 0, 0, 0, -40, 2, 0.7, 0.1, 0, 1, 0.03, 0.03, 0],
        [90, 90, 80, 0, 0, 40, 10, 0.7, 0.1, 90, 1, 0.03, 0.03, 0],
    ):
        renderer.set_weather(weather)
        assert _glowing(renderer.render([_view(controlled[0], 10.0)], [])[0], RED) >= 4
    renderer.set_weather([-1.0] * 14)
