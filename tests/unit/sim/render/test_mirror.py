"""Wet ground mirrors what stands on it, in the right place, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.camera import Buffers, Camera, DrawnActor
from drive_agent.sim.render.mesh import Mesh, box
from drive_agent.sim.render.renderer import Renderer
from drive_agent.sim.render.vehicle_lights import BRAKE

_DRY = [0.0, 0.0, 0.0, 0.0, 45.0, 60.0, 0.0, 0.0, 0.1, 0.0, 1.0, 0.03, 0.0331, 0.0]
_WET = [*_DRY[:9], 100.0, *_DRY[10:]]
_WET_NIGHT = [*_WET[:5], -40.0, *_WET[6:]]
_ROWS = slice(55, 70)  # of the ground just before the box

World, Front = Callable[..., Renderer], Callable[..., Camera]


def _red_box(x: float = 10.0) -> Mesh:
    return box((1.0, 4.0, 2.0), (x, 0.0, 1.0), (0.9, 0.02, 0.02), labels.BUILDINGS).numbered(-1)


def _picture(renderer: Renderer, camera: Camera, weather: list[float], *actors: DrawnActor) -> Buffers:
    renderer.set_weather(weather)
    return renderer.render([camera], actors)[0]


def _redness(picture: Buffers) -> np.ndarray:
    return picture.bgra[..., 2].astype(int) - picture.bgra[..., 1]


def test_a_thing_on_a_wet_road_is_mirrored_under_it(world: World, front: Front) -> None:
    wet = _picture(world(_red_box()), front(), _WET)
    under = (wet.tag == labels.ROADS)[_ROWS]
    assert np.median(_redness(wet)[_ROWS, 70:90][under[:, 70:90]]) > 12
    assert np.median(_redness(wet)[_ROWS, :30][under[:, :30]]) < 0  # the sky is blue


def test_a_dry_road_mirrors_nothing(world: World, front: Front) -> None:
    dry = _picture(world(_red_box()), front(), _DRY)
    assert abs(np.median(_redness(dry)[_ROWS, 70:90])) < 4


def test_only_the_ground_changes(world: World, front: Front) -> None:
    with_box, without = _picture(world(_red_box()), front(), _WET), _picture(world(), front(), _WET)
    far_aside = np.s_[:, :20]  # no ray from there meets the box
    for name in ("bgra", "depth_m", "tag"):
        assert np.array_equal(getattr(with_box, name)[far_aside], getattr(without, name)[far_aside])
    sky = with_box.tag == labels.SKY
    assert np.array_equal(with_box.bgra[sky], without.bgra[sky])


def test_the_mirror_image_is_as_far_below_the_foot_as_the_thing_is_above(world: World, front: Front) -> None:
    wet = _picture(world(_red_box()), front(), _WET)
    dark = _picture(world(), front(), _WET)
    column = 80
    box_rows = np.nonzero(wet.tag[:, column] == labels.BUILDINGS)[0]
    gained = (_redness(wet) - _redness(dark))[:, column] * (wet.tag[:, column] == labels.ROADS)
    mirrored = np.nonzero(gained > 0.4 * gained.max())[0]
    assert mirrored[0] == pytest.approx(box_rows[-1] + 1, abs=1)
    assert len(mirrored) == pytest.approx(len(box_rows), rel=0.3)  # the camera is level


def test_brake_lights_shine_on_a_wet_road_at_night(
    world: World, front: Front, actor: Callable[..., DrawnActor]
) -> None:
    renderer, rows = world(), slice(54, 70)
    braking = _picture(renderer, front(), _WET_NIGHT, actor(light_flags=BRAKE))
    coasting = _picture(renderer, front(), _WET_NIGHT, actor())
    road = (braking.tag == labels.ROADS)[rows]
    gained = (_redness(braking) - _redness(coasting))[rows][road]
    assert (gained > 15).sum() > 20
    assert gained.min() > -5


def test_a_lamp_seen_in_the_air_does_not_draw_a_line_down_to_the_camera(world: World, front: Front) -> None:
    """Ground whose mirrored ray passes under a thing sees past it."""
    hanging = box((0.2, 0.6, 0.3), (10.0, 0, 1.2), (0.9, 0.02, 0.02), labels.STATIC, materials.SIGN)
    wet = _picture(world(hanging.numbered(-1)), front(), _WET)
    foot = np.nonzero(wet.tag[:, 80] == labels.STATIC)[0][-1]
    mirrored = np.nonzero(_redness(wet)[foot + 1 :, 80] > 12)[0]
    assert len(mirrored) < 12
    assert mirrored[0] > 4  # the gap under it mirrors the sky


def test_pictures_do_not_hang_on_the_number_of_threads_nor_on_what_was_drawn_before(
    world: World, front: Front, actor: Callable[..., DrawnActor]
) -> None:
    cameras, actors = [front(), front(yaw_deg=20.0)], [actor(light_flags=1 | 8)]
    pictures = []
    for threads in (1, 2):
        renderer = world(_red_box(14.0), threads=threads)
        renderer.set_weather(_WET)
        for _ in range(2):
            pictures.append(np.stack([picture.bgra for picture in renderer.render(cameras, actors)]))
    assert all(np.array_equal(pictures[0], other) for other in pictures[1:])
