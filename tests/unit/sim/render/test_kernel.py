import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.sim.render.kernel import F32, ceil_int, floor_int
from drive_agent.sim.render.noise import cell_hash

NUMBER = st.floats(-1e6, 1e6, width=32)


@given(NUMBER)
def test_rounding_agrees_with_math(value: float) -> None:
    assert floor_int.py_func(F32(value)) == math.floor(value)
    assert ceil_int.py_func(F32(value)) == math.ceil(value)


@given(st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_noise_is_smooth_between_cells_and_within_its_range(x: int, y: int) -> None:
    with np.errstate(over="ignore"):
        here = cell_hash.py_func(F32(x), F32(y), 0)
        assert 0.0 <= here <= 1.0
