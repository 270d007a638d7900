"""Wet ground mirrors what stands on it, in the right place, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from drive_agent.sim.render import labels
from drive_agent.sim.render.camera import Buffers, Camera, DrawnActor
from drive_agent.sim.render.mesh import Mesh, box
from drive_agent.sim.render.renderer import Renderer
from drive_agent.sim.render.vectors import fading

_DRY = [0.0, 0.0, 0.0, 0.0, 45.0, 60.0, 0.0, 0.0, 0.1, 0.0, 1.0, 0.03, 0.0331, 0.0]
_WET = [*_DRY[:9], 100.0, *_DRY[10:]]
_ROWS = slice(55, 70)  # of the ground just before the box


def _red_box(x: float = 10.0) -> Mesh:
    return box((1.0, 4.0, 2.0), (x, 0.0, 1.0), (0.9, 0.02, 0.02), labels.BUILDINGS).numbered(-1)


def _picture(renderer: Renderer, camera: Camera, weather: list[float]) -> Buffers:
    renderer.set_weather(weather)
    return renderer.render([camera], [])[0]


def _redness(picture: Buffers) -> np.ndarray:
    return picture.bgra[..., 2].astype(int) - picture.bgra[..., 1]


def test_a_thing_on_a_wet_road_is_mirrored_under_it(
    world: Callable[..., Renderer], front: Callable[..., Camera]
) -> None:
    wet = _picture(world(_red_box()), front(), _WET)
    under = (wet.tag == labels.ROADS)[_ROWS]
    assert np.median(_redness(wet)[_ROWS, 70:90][under[:, 70:90]]) > 12
    assert np.median(_redness(wet)[_ROWS, :30][under[:, :30]]) < 0  # the sky is blue


def test_a_dry_road_mirrors_nothing(world: Callable[..., Renderer], front: Callable[..., Camera]) -> None:
    dry = _picture(world(_red_box()), front(), _DRY)
    assert abs(np.median(_redness(dry)[_ROWS, 70:90])) < 4


def test_only_the_ground_changes(world: Callable[..., Renderer], front: Callable[..., Camera]) -> None:
    with_box, without = _picture(world(_red_box()), front(), _WET), _picture(world(), front(), _WET)
    far_aside = np.s_[:, :20]  # no ray from there meets the box
    assert np.array_equal(with_box.bgra[far_aside], without.bgra[far_aside])
    for name in ("depth_m", "tag"):
        assert np.array_equal(getattr(with_box, name)[far_aside], getattr(without, name)[far_aside])


def test_the_mirror_image_is_as_far_below_the_foot_as_the_thing_is_above(
    world: Callable[..., Renderer], front: Callable[..., Camera]
) -> None:
    wet = _picture(world(_red_box()), front(), _WET)
    dark = _picture(world(), front(), _WET)
    column = 80
    box_rows = np.nonzero(wet.tag[:, column] == labels.BUILDINGS)[0]
    mirrored = np.nonzero(
        (_redness(wet) - _redness(dark))[:, column] * (wet.tag[:, column] == labels.ROADS) > 6
    )[0]
    assert mirrored[0] == pytest.approx(box_rows[-1] + 1, abs=1)
    assert len(mirrored) == pytest.approx(len(box_rows), rel=0.25)  # the camera is level


def test_pictures_do_not_hang_on_the_number_of_threads(
    world: Callable[..., Renderer], front: Callable[..., Camera], actor: Callable[..., DrawnActor]
) -> None:
    cameras, actors = [front(), front(yaw_deg=20.0)], [actor(light_flags=1 | 8)]
    pictures = []
    for threads in (1, 2):
        renderer = world(_red_box(14.0), threads=threads)
        renderer.set_weather(_WET)
        pictures.append([picture.bgra for picture in renderer.render(cameras, actors)])
    assert np.array_equal(*pictures)


def test_the_quick_exponential_is_one() -> None:
    values = np.linspace(0.0, 40.0, 401, dtype=np.float32)
    quick = np.array([fading(value) for value in values])
    assert np.abs(quick - np.exp(-values)).max() < 4e-6
