"""Where in a town a scenario type can be played: conditions on a `Setting` that the types' site functions are made of.

A site function looks at a setting and returns the parameters (as elements of a route file) that the scenario needs
there, or None where it does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from drive_agent.types import Maneuver
from scenarios.setting import Crossing, Setting
from scenarios.spots import Spot

Elements = dict[str, dict[str, str]]
Site = Callable[[Setting, np.random.Generator], Elements | None]

STRAIGHT_RAD = 0.35  # a road that turns less over the scenario counts as straight
WIDE_M, WIDE_RAD = 10, 0.05  # and so does one that nowhere turns more over so many metres: a radius of 200 m


def open_road(setting: Setting, way_m: float) -> bool:
    """No junction within so many metres after the trigger, on a road that hardly turns, and the route goes on so far."""
    crossing = setting.junction
    if setting.left_m < way_m or (crossing is not None and crossing.begin_m < setting.trigger_m + way_m):
        return False
    at = (setting.stations_m >= setting.trigger_m) & (setting.stations_m <= setting.trigger_m + way_m)
    headings = np.unwrap(setting.route.headings[at])
    if setting.here.lane.is_junction:
        return False
    turns = np.abs(headings[WIDE_M:] - headings[:-WIDE_M])
    return float(np.ptp(headings)) < STRAIGHT_RAD or float(turns.max(initial=0.0)) < WIDE_RAD


def follows_lane(setting: Setting, way_m: float) -> bool:
    """The route changes no lane within so many metres after the trigger."""
    at = (setting.stations_m >= setting.trigger_m) & (setting.stations_m <= setting.trigger_m + way_m)
    kinds = {m for m, here in zip(setting.route.maneuvers, at, strict=True) if here}
    return kinds.isdisjoint((Maneuver.CHANGE_LANE_LEFT, Maneuver.CHANGE_LANE_RIGHT))


def single_lane(spot: Spot) -> bool:
    """One lane for each direction."""
    opposite = spot.opposite()
    return len(spot.same_direction()) == 1 and opposite is not None and len(opposite.same_direction()) == 1


def junction_ahead(
    setting: Setting, maneuver: Maneuver | None = None, within_m: tuple[float, float] = (20.0, 60.0)
) -> Crossing | None:
    """The next junction of the route if it is so near and is passed so; None otherwise."""
    crossing = setting.junction
    if crossing is None or setting.here.lane.is_junction:
        return None
    gap_m = crossing.begin_m - setting.trigger_m
    if not within_m[0] <= gap_m <= within_m[1] or crossing.end_m + 30.0 > setting.stations_m[-1]:
        return None
    return crossing if maneuver is None or crossing.maneuver == maneuver else None


def place(spot: Spot) -> dict[str, str]:
    """A spot as the attributes of a place element, in CARLA's axes."""
    x_m, y_m, z_m = spot.point
    return {"x": f"{x_m:.1f}", "y": f"{-y_m:.1f}", "z": f"{z_m:.1f}"}


def value(number: float | str) -> dict[str, str]:
    """A value element's attributes."""
    return {"value": number if isinstance(number, str) else f"{number:g}"}


def interval(low: float, high: float) -> dict[str, str]:
    """An interval element's attributes."""
    return {"from": f"{low:g}", "to": f"{high:g}"}


def with_values(**values: Mapping[str, str]) -> Elements:
    """Elements of a route file by name."""
    return {name: dict(attributes) for name, attributes in values.items()}
