"""Who comes to a junction from where, and which lights stop them. World frame, radians, on a `RoadMap`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from drive_agent.geometry import wrap_angle
from drive_agent.roadmap import RoadMap
from scenarios.spots import Spot

SECTOR_RAD = math.pi / 4  # so far around straight ahead, left, ... counts as that


@dataclass(frozen=True)
class Entry:
    """A lane that leads into a junction. `side` is where its traffic comes from, seen by the ego."""

    spot: Spot  # the lane's end
    side: str  # "own", "opposite", "left", "right"
    light: str | None  # OpenDRIVE id


def entries(road_map: RoadMap, junction_id: int, own_lane: int) -> tuple[Entry, ...]:
    """All driving lanes that lead into a junction, in the map's order; `own_lane` is the one that the ego comes on."""
    own_rad = float(road_map.lanes[own_lane].heading[-1])
    lights = {
        lane: stop.signal_id for stop in road_map.stop_lines if stop.kind == "light" for lane in stop.lanes
    }
    found = []
    for lane in road_map.lanes:
        inside = [k for k in lane.successors if road_map.lanes[k].junction_id == junction_id]
        if lane.kind != "driving" or lane.is_junction or not inside:
            continue
        light = next((lights[k] for k in (lane.index, *inside) if k in lights), None)
        turned = float(wrap_angle(float(lane.heading[-1]) - own_rad))
        found.append(Entry(Spot(road_map, lane.index, lane.length_m), _side(turned), light))
    return tuple(found)


def _side(turned_rad: float) -> str:
    """Where traffic comes from whose heading differs so from the ego's."""
    if abs(turned_rad) < SECTOR_RAD:
        return "own"
    if abs(turned_rad) > math.pi - SECTOR_RAD:
        return "opposite"
    return "right" if turned_rad > 0.0 else "left"
