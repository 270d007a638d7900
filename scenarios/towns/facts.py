"""What a town has, read off its plan: for lists and for choosing a town for a purpose."""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.towns.network import build_network
from scenarios.towns.plan import TownPlan
from scenarios.towns.roads import Network, Road

HILLY_M = 3.0  # between the lowest and the highest junction


@dataclass(frozen=True)
class TownFacts:
    """`split` is "train" or "test", "" for a random town."""

    name: str
    character: str
    split: str
    length_km: float  # of streets, without junctions
    features: tuple[str, ...]


def facts_of(plan: TownPlan, character: str, split: str) -> TownFacts:
    """Length and features of a town."""
    network = build_network(plan)
    length_m = sum(road.line.length_m for road in network.streets)
    return TownFacts(plan.name, character, split, length_m / 1_000, _features(network))


def _features(network: Network) -> tuple[str, ...]:
    plan = network.plan
    controls = {node.control for node in plan.nodes.values()}
    profiles = {street.profile for street in plan.streets}
    heights_m = [node.z_m for node in plan.nodes.values()]
    has = {
        "lights": "signals" in controls,
        "protected left turns": any(_has_pocket(road) for road in network.streets),
        "stop signs": "stop" in controls,
        "yield signs": "yield" in controls,
        "roundabouts": "roundabout" in controls,
        "several lanes each way": any(street.lanes > 1 for street in plan.streets),
        "motorway": any(p.road_type == "motorway" for p in profiles),
        "ramps": any(street.one_way and street.profile.road_type == "motorway" for street in plan.streets),
        "parking lanes": any(p.parking_m for p in profiles),
        "bicycle lanes": any(p.biking_m for p in profiles),
        "oncoming lane for overtaking": any(p.may_overtake for p in profiles),
        "country roads": any(p.road_type == "rural" for p in profiles),
        "hills": max(heights_m) - min(heights_m) >= HILLY_M,
    }
    return tuple(feature for feature, is_there in has.items() if is_there)


def _has_pocket(road: Road) -> bool:
    """Whether a driving lane begins along the road."""
    driving = {
        frozenset(lane.id for lane in section.lanes if lane.kind == "driving") for section in road.sections
    }
    return len(driving) > 1
