"""From events and completion to scores, under each published version of the formula.

Versions "1.0", "2.0", "2.1" are those of the CARLA Leaderboard (branches leaderboard-1.0, -2.0, -2.1 of
carla-simulator/leaderboard, statistics_manager.py; its master branch still carries 2.0), "bench2drive" is
Thinklab-SJTU/Bench2Drive's. All take the same events, judged by the 2.x criteria.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from drive_agent.score import events as kinds
from drive_agent.score.events import Event

SCORE_DIGITS = 6

_LEADERBOARD_1 = {
    kinds.COLLISION_PEDESTRIAN: 0.50,
    kinds.COLLISION_VEHICLE: 0.60,
    kinds.COLLISION_LAYOUT: 0.65,
    kinds.RED_LIGHT: 0.70,
    kinds.STOP: 0.80,
}
_LEADERBOARD_2_0 = _LEADERBOARD_1 | {kinds.SCENARIO_TIMEOUT: 0.70, kinds.YIELD: 0.70}
_LEADERBOARD_2_1 = {
    kinds.COLLISION_PEDESTRIAN: 1.0,
    kinds.COLLISION_VEHICLE: 0.70,
    kinds.COLLISION_LAYOUT: 0.60,
    kinds.RED_LIGHT: 0.40,
    kinds.STOP: 0.25,
    kinds.SCENARIO_TIMEOUT: 0.40,
    kinds.YIELD: 0.40,
}


@dataclass(frozen=True)
class Formula:
    """`factors` multiply the penalty (or, when `additive`, add up in its denominator) once per event."""

    factors: Mapping[str, float]
    slow: float | None  # what driving at a standstill in flowing traffic costs, None: speed is not scored
    additive: bool = False


FORMULAS: Mapping[str, Formula] = MappingProxyType(
    {
        "1.0": Formula(_LEADERBOARD_1, slow=None),
        "2.0": Formula(_LEADERBOARD_2_0, slow=0.30),
        "2.1": Formula(_LEADERBOARD_2_1, slow=0.40, additive=True),
        "bench2drive": Formula(_LEADERBOARD_2_0, slow=None),
    }
)
VERSIONS = tuple(FORMULAS)


@dataclass(frozen=True)
class Scores:
    """Scores of one route: completion in percent, penalty in (0, 1], and their product, the driving score."""

    completion: float
    penalty: float
    driving: float


def score(version: str, completion_percent: float, events: Iterable[Event]) -> Scores:
    """Scores of one route under a version of the formula, rounded as the Leaderboard rounds them."""
    penalty_now = penalty(version, events)
    return Scores(
        completion=round(completion_percent, SCORE_DIGITS),
        penalty=round(penalty_now, SCORE_DIGITS),
        driving=round(max(completion_percent * penalty_now, 0.0), SCORE_DIGITS),
    )


def penalty(version: str, events: Iterable[Event]) -> float:
    """Infraction penalty of one route, in (0, 1]."""
    formula = formula_of(version)
    product, total = 1.0, 0.0
    for event in events:
        if event.kind == kinds.OUTSIDE_LANES:
            product *= 1 - event.value / 100
        elif event.kind == kinds.MIN_SPEED and formula.slow is not None and event.value < 100:
            lost = formula.slow * (1 - event.value / 100)
            product, total = (product, total + lost) if formula.additive else (product * (1 - lost), total)
        elif event.kind in formula.factors:
            factor = formula.factors[event.kind]
            product, total = (product, total + factor) if formula.additive else (product * factor, total)
    return product / (1 + total)


def formula_of(version: str) -> Formula:
    """The formula of a version; ValueError for an unknown one."""
    if version not in FORMULAS:
        raise ValueError(f"version={version}: expected one of {', '.join(VERSIONS)}")
    return FORMULAS[version]


def is_success(status: str, events: Iterable[Event]) -> bool:
    """Bench2Drive's success: the goal was reached and nothing happened but slow driving."""
    return status in ("Completed", "Perfect") and all(event.kind == kinds.MIN_SPEED for event in events)
