"""Bench2Drive's five abilities: the share of successful routes among those whose scenario tests the ability.

Source: Thinklab-SJTU/Bench2Drive, tools/ability_benchmark.py. For traffic signs an unsuccessful route still counts when
the ego came 8 m past the begin of the first junction without running a light or a stop sign; where that begin is not
known (official result files carry no map) the figure is given as bounds. Routes without a record leave the count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drive_agent.score.events import RED_LIGHT, STOP
from drive_agent.score.formula import is_success
from drive_agent.score.judged import JudgedRoute
from scenarios.abilities import ABILITIES

SIGNS = "Traffic_Signs"


@dataclass(frozen=True)
class Share:
    """Successes among routes, between `low` and `high` where some routes cannot be decided."""

    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The share, None where only bounds are known."""
        return self.low if self.low == self.high else None


def abilities(routes: Sequence[JudgedRoute]) -> dict[str, Share]:
    """Ability -> share, for those that some route tests; and "mean" over all five when all are tested."""
    shares: dict[str, Share] = {}
    for name, types in ABILITIES.items():
        tested = [route for route in routes if types & set(route.scenario_types)]
        if tested:
            passed = [_passed(route, name) for route in tested]
            low = sum(outcome is True for outcome in passed) / len(tested)
            high = sum(outcome is not False for outcome in passed) / len(tested)
            shares[name] = Share(low, high)
    if len(shares) == len(ABILITIES):
        shares["mean"] = Share(
            float(np.mean([share.low for share in shares.values()])),
            float(np.mean([share.high for share in shares.values()])),
        )
    return shares


def _passed(route: JudgedRoute, ability: str) -> bool | None:
    """None when it hangs on where the first junction begins, and that is not known."""
    if is_success(route.status, route.events):
        return True
    if ability != SIGNS or any(event.kind in (RED_LIGHT, STOP) for event in route.events):
        return False
    if route.past_junction_share is None:
        return None if route.completion_percent > 0.0 else False
    return route.completion_percent / 100.0 > route.past_junction_share
