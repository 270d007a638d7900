"""Arithmetic that kernels share."""

from __future__ import annotations

import numpy as np

from drive_agent.sim.render.vectors import fading


def test_the_quick_exponential_is_one() -> None:
    values = np.linspace(0.0, 40.0, 401, dtype=np.float32)
    quick = np.array([fading(value) for value in values])
    assert np.abs(quick - np.exp(-values)).max() < 4e-6
