"""The event camera's arithmetic, on pictures that a test can compute by hand."""

from __future__ import annotations

import numpy as np
import pytest

from drive_agent.sim.event_camera import MOST_EVENTS, EventCamera, EventSettings

GREY = EventSettings(10.0, 20.0, 0.0, 0.0, 0, False, 0.001)
MS = 1_000_000


def picture(*levels: int) -> np.ndarray:
    """One row of grey pixels."""
    image = np.zeros((1, len(levels), 4), np.uint8)
    image[0, :, :3] = np.array(levels)[:, None]
    return image


def seen(camera: EventCamera, time_ms: int, *levels: int, seed: int = 0) -> list[tuple]:
    events = camera.see(picture(*levels), time_ms * MS, np.random.default_rng(seed))
    return [(int(e["x"]), round(int(e["t_ns"]) / MS, 3), int(e["positive"])) for e in events]


def test_crossings_come_at_their_times_in_order() -> None:
    camera = EventCamera(GREY)
    assert seen(camera, 0, 100, 100, 100) == []
    # up by way of 110, 120 and 130, down by way of 80 and 60
    assert [x for x, _, _ in seen(camera, 40, 135, 100, 55)] == [0, 2, 0, 0, 2]
    assert seen(camera, 80, 135, 100, 55) == []


def test_what_is_left_over_counts_next_time() -> None:
    camera = EventCamera(GREY)
    seen(camera, 0, 100)
    assert seen(camera, 10, 108) == []
    [(_, time_ms, positive)] = seen(camera, 20, 116)
    assert positive == 1
    assert time_ms == pytest.approx(12.5, abs=0.1)


def test_noise_is_repeated_by_its_seed() -> None:
    noisy = EventSettings(10.0, 20.0, 5.0, 5.0, 0, False, 0.001)
    runs = []
    for seed in (1, 1, 2):
        camera = EventCamera(noisy)
        seen(camera, 0, *range(0, 200, 10), seed=seed)
        runs.append(seen(camera, 50, *range(200, 0, -10), seed=seed))
    assert runs[0] == runs[1] != runs[2]


def test_a_flood_is_cut_off() -> None:
    camera = EventCamera(EventSettings(0.01, 0.01, 0.0, 0.0, 0, False, 0.001))
    dark, bright = np.zeros((40, 40, 4), np.uint8), np.full((40, 40, 4), 255, np.uint8)
    camera.see(dark, 0, np.random.default_rng(0))
    assert len(camera.see(bright, 50 * MS, np.random.default_rng(0))) == MOST_EVENTS
