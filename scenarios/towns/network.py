"""From a plan to roads: streets trimmed at their junctions, the connections across, signals, signs and crosswalks."""

from __future__ import annotations

import itertools

from scenarios.towns import crossings, flows, roundabouts
from scenarios.towns.plan import TownPlan
from scenarios.towns.roads import Network
from scenarios.towns.streets import lay_street, with_speed_signs

FIRST_JUNCTION_ID = 10_000
FIRST_SIGNAL_ID = 1_000
_BUILDERS = {"flow": flows, "roundabout": roundabouts}


def build_network(plan: TownPlan) -> Network:
    """Lay the plan out. Raises ValueError, naming the node or street, where streets meet or bend too sharply."""
    builders = {name: _BUILDERS.get(node.control, crossings) for name, node in plan.nodes.items()}
    junction_ids = itertools.count(FIRST_JUNCTION_ID)
    arms = {name: builder.place_arms(plan, name, junction_ids) for name, builder in builders.items()}
    roads = {}
    for k, street in enumerate(plan.streets, start=1):
        start = next(arm for arm in arms[street.start] if arm.road_id == k and arm.at_start)
        end = next(arm for arm in arms[street.end] if arm.road_id == k and not arm.at_start)
        roads[k] = lay_street(plan, street, start, end)
    road_ids, signal_ids = itertools.count(len(roads) + 1), itertools.count(FIRST_SIGNAL_ID)
    junctions = []
    for name, builder in builders.items():
        junctions += builder.lay(name, plan.nodes[name], arms[name], roads, road_ids, signal_ids)
    for k, street in enumerate(plan.streets, start=1):
        roads[k] = with_speed_signs(roads[k], street, signal_ids)
    return Network(plan, tuple(roads.values()), tuple(junctions))
