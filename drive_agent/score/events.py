"""What can go wrong on a route, as values, in the Leaderboard's own words.

`kind` is the key of the Leaderboard's results file. Messages are those of carla-simulator/scenario_runner's criteria
(branch leaderboard-2.1), letter for letter, because other people's tools read numbers out of them; places in messages
are therefore in CARLA's axes (y and yaw negated). Knows nothing of how events are found or what they cost.
"""

from __future__ import annotations

from dataclasses import dataclass

COLLISION_LAYOUT = "collisions_layout"
COLLISION_PEDESTRIAN = "collisions_pedestrian"
COLLISION_VEHICLE = "collisions_vehicle"
RED_LIGHT = "red_light"
STOP = "stop_infraction"
OUTSIDE_LANES = "outside_route_lanes"
MIN_SPEED = "min_speed_infractions"
YIELD = "yield_emergency_vehicle_infractions"
SCENARIO_TIMEOUT = "scenario_timeouts"
ROUTE_DEVIATION = "route_dev"
BLOCKED = "vehicle_blocked"
ROUTE_TIMEOUT = "route_timeout"

KINDS = (  # in the order of the results file
    COLLISION_LAYOUT,
    COLLISION_PEDESTRIAN,
    COLLISION_VEHICLE,
    RED_LIGHT,
    STOP,
    OUTSIDE_LANES,
    MIN_SPEED,
    YIELD,
    SCENARIO_TIMEOUT,
    ROUTE_DEVIATION,
    BLOCKED,
    ROUTE_TIMEOUT,
)


@dataclass(frozen=True)
class Event:
    """One entry of the results file's infractions, with when and where (world frame) it happened.

    `value` is the percentage that outside-lanes and minimum-speed events are scored by, 0 for all others.
    """

    kind: str
    time_us: int
    x_m: float
    y_m: float
    z_m: float
    message: str
    value: float = 0.0
    other_id: str = ""  # actor or OpenDRIVE signal that the event is about


def place_text(x_m: float, y_m: float, z_m: float) -> str:
    """A world position as the Leaderboard prints it: CARLA's axes, three decimals."""
    return f"(x={round(x_m, 3)}, y={round(0.0 - y_m, 3)}, z={round(z_m, 3)})"
