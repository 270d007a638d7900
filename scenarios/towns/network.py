"""From a plan to roads: streets trimmed at their junctions, the connections across, signals, signs and crosswalks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from scenarios.towns.curves import rounded
from scenarios.towns.junctions import furnish, junction_links, place_arms
from scenarios.towns.plan import TownPlan
from scenarios.towns.roads import LANE_M, SHOULDER_M, SPEED_LIMIT, Arm, Junction, Network, Road, Signal

STUB_M = 12.0  # a street is straight this far from a junction, so that crosswalk and stop line lie square
MIN_BEND_RADIUS_M = 12.0
FIRST_JUNCTION_ID = 10_000
FIRST_SIGNAL_ID = 1_000


def build_network(plan: TownPlan) -> Network:
    """Lay the plan out. Raises ValueError, naming the node, where streets meet too sharply to turn."""
    arms = {name: place_arms(plan, name) for name in plan.nodes}
    junction_ids = {name: FIRST_JUNCTION_ID + k for k, name in enumerate(plan.nodes)}
    streets = [_street_road(plan, k, arms, junction_ids) for k in range(len(plan.streets))]
    road_ids, signal_ids = itertools.count(len(streets) + 1), itertools.count(FIRST_SIGNAL_ID)
    junctions = []
    for name, node in plan.nodes.items():
        phases = furnish(node, arms[name], streets, signal_ids)
        links = junction_links(node, arms[name], junction_ids[name], streets, road_ids)
        junctions.append(Junction(junction_ids[name], name, links, phases))
    streets = [_with_speed_signs(road, signal_ids) for road in streets]
    return Network(plan, tuple(streets), tuple(junctions))


def _street_road(plan: TownPlan, index: int, arms: dict[str, list[Arm]], junctions: dict[str, int]) -> Road:
    street = plan.streets[index]
    start = next(arm for arm in arms[street.start] if arm.street == index and arm.at_start)
    end = next(arm for arm in arms[street.end] if arm.street == index and not arm.at_start)
    points = [start.mouth[:2], *plan.polyline(street)[1:-1], end.mouth[:2]]
    line = rounded(points, [via.radius_m for via in street.via], STUB_M)
    if line.smallest_radius_m() < MIN_BEND_RADIUS_M:
        raise ValueError(
            f"{plan.name}: street {street.start}-{street.end} has a bend of radius {line.smallest_radius_m():.1f} m, "
            f"expected {MIN_BEND_RADIUS_M:g} m or more: move its vias apart"
        )
    return Road(
        id=index + 1,
        line=line,
        lanes=street.lanes,
        speed_kmh=street.speed_kmh,
        z_start_m=plan.nodes[street.start].z_m,
        z_end_m=plan.nodes[street.end].z_m,
        junction_start=junctions[street.start],
        junction_end=junctions[street.end],
    )


def _with_speed_signs(road: Road, signal_ids: Iterator[int]) -> Road:
    """A speed-limit sign in each direction, a little after the junction."""
    t_m = road.lanes * LANE_M + SHOULDER_M + 0.6
    forward = tuple(-k for k in range(1, road.lanes + 1))
    backward = tuple(range(1, road.lanes + 1))
    signs = (
        Signal(next(signal_ids), SPEED_LIMIT, STUB_M, -t_m, forward, road.speed_kmh),
        Signal(next(signal_ids), SPEED_LIMIT, road.line.length_m - STUB_M, t_m, backward, road.speed_kmh),
    )
    return replace(road, signals=(*road.signals, *signs))
