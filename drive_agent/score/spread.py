"""How sure a mean is: standard deviations and 95 % confidence intervals, over few samples too (Student's t)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom; beyond, an expansion around the normal one is exact to 1e-4
_T = (
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
    2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
    2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
)  # fmt: skip
_Z = 1.959964


@dataclass(frozen=True)
class Spread:
    """`std` and `ci95` (half the width of the interval) are None for a single sample, which tells nothing of either."""

    count: int
    mean: float
    std: float | None
    ci95: float | None


def spread(values: Sequence[float]) -> Spread:
    """Of independent samples, at least one."""
    count, mean = len(values), float(np.mean(values))
    if count == 1:
        return Spread(1, mean, None, None)
    std = float(np.std(values, ddof=1))
    return Spread(count, mean, std, t_quantile(count - 1) * std / math.sqrt(count))


def t_quantile(freedom: int) -> float:
    """The factor between standard error and half the width of a 95 % interval."""
    if freedom <= len(_T):
        return _T[freedom - 1]
    first = (_Z**3 + _Z) / (4 * freedom)
    second = (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / (96 * freedom**2)
    return _Z + first + second
