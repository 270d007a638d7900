"""Where vehicles may be put into a town: places on driving lanes, outside junctions and apart from each other."""

import math

import carla

from drive_agent.sim.opendrive import LaneSpan
from drive_agent.sim.wire import Pose

SPACING_M = 12.0
MOST_POINTS = 1500  # about; on larger maps they lie farther apart
HEIGHT_M = 0.3  # above the lane
NARROWEST_LANE_M = 2.0
_CLEARANCE_M = 7.0  # from other points of the lane and from its ends
_BESIDE_M = 3.0  # lanes lie side by side: points this close clash wherever they are
_SAME_LANE_M = 1.5
_SAME_LEVEL_M = 3.0
_CELL_M = 8.0  # at least the clearance: only neighbouring cells can clash


def spawn_points(carla_map: carla.Map, lanes: tuple[LaneSpan, ...]) -> tuple[Pose, ...]:
    """One about every 12 m of driving lane, ordered by road, lane and station."""
    driven_m = sum(lane.end_s - lane.start_s for lane in lanes if lane.drivable and lane.junction_id == -1)
    spacing_m = max(SPACING_M, driven_m / MOST_POINTS)
    waypoints = [w for w in carla_map.generate_waypoints(spacing_m) if _has_room(w)]
    waypoints.sort(key=lambda w: (w.road_id, w.section_id, w.lane_id, w.s))
    points, cells = [], {}
    for waypoint in waypoints:
        place, turn = waypoint.transform.location, waypoint.transform.rotation
        column, row = math.floor(place.x / _CELL_M), math.floor(place.y / _CELL_M)
        near = [p for i in (-1, 0, 1) for j in (-1, 0, 1) for p in cells.get((column + i, row + j), ())]
        if not any(_clash(point, waypoint.transform) for point in near):
            yaw = (turn.yaw + 180.0) % 360.0 - 180.0
            point = Pose(place.x, place.y, place.z + HEIGHT_M, turn.pitch, yaw, 0.0)
            points.append(point)
            cells.setdefault((column, row), []).append(point)
    return tuple(points)


def _has_room(waypoint: carla.Waypoint) -> bool:
    """On a driving lane wide enough, with lane before and behind."""
    if waypoint.is_junction or waypoint.lane_type != carla.LaneType.Driving:
        return False
    if waypoint.lane_width < NARROWEST_LANE_M:
        return False
    around = waypoint.next(_CLEARANCE_M) + waypoint.previous(_CLEARANCE_M / 2)
    return len(around) >= 2 and not any(w.is_junction for w in around)


def _clash(point: Pose, at: carla.Transform) -> bool:
    """Whether a point is beside a place, or on the same track less than the clearance ahead or behind."""
    place, forward = at.location, at.get_forward_vector()
    dx, dy, dz = point.x - place.x, point.y - place.y, point.z - HEIGHT_M - place.z
    if abs(dz) >= _SAME_LEVEL_M:
        return False
    along, across = dx * forward.x + dy * forward.y, dx * forward.y - dy * forward.x
    beside = dx**2 + dy**2 <= _BESIDE_M**2
    return beside or (abs(along) < _CLEARANCE_M and abs(across) < _SAME_LANE_M)
