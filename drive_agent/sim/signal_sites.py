"""Where the lights and signs of a map stand and which stretch of which lanes they rule: geometry only, no state.

A light's trigger box ends at the stop line and covers the last metres of the approach lanes. In the frame of the actor its
x axis lies across the lanes, as in CARLA: agents walk along x to find the lanes a light rules. A sign has a square box on
each lane, as CARLA's sign components make them: ScenarioRunner's stop test looks into boxes without turning them.
"""

import math
from dataclasses import dataclass

import carla

from drive_agent.sim.opendrive import LaneSpan, OpenDrive, SignalPlace, SignalSpec, kmh
from drive_agent.sim.wire import Pose

TRIGGER_LENGTH_M = 6.0
_TRIGGER_HALF_HEIGHT_M = 1.0
_LANE_FRACTION = 0.9  # of a lane's width is covered, so that neighbours are left alone
_SEARCH_BACK_M = 80.0
_SEARCH_STEP_M = 1.0

LIGHT_KIND = "1000001"
_TYPE_IDS = {
    LIGHT_KIND: "traffic.traffic_light",
    "206": "traffic.stop",
    "205": "traffic.yield",
    "274": "traffic.speed_limit",
}


@dataclass(frozen=True)
class TriggerBox:
    """An upright box over lanes before a stop line; `yaw_deg` is the direction of travel. CARLA's axes."""

    x: float
    y: float
    z: float
    half_across: float
    half_along: float
    yaw_deg: float


@dataclass(frozen=True)
class SignalSite:
    """A light or sign in the world. `junction_id` is the junction its approach lanes lead into, -1 for none."""

    signal_id: str
    type_id: str
    pose: Pose
    boxes: tuple[TriggerBox, ...]
    junction_id: int

    @property
    def is_light(self) -> bool:
        """Whether it is a traffic light."""
        return self.type_id == _TYPE_IDS[LIGHT_KIND]


@dataclass(frozen=True)
class _Approach:
    """The end of one lane that a signal rules."""

    waypoint: carla.Waypoint  # at the stop line
    available_m: float  # of lane before the line


def place_signals(carla_map: carla.Map, parsed: OpenDrive) -> tuple[SignalSite, ...]:
    """A site for every light, stop, yield and speed limit sign that rules at least one driving lane."""
    spans: dict[tuple[int, int], list[LaneSpan]] = {}
    for lane in parsed.lanes:
        if lane.drivable:
            spans.setdefault((lane.road_id, lane.lane_id), []).append(lane)
    sites = []
    for spec in parsed.signals:
        if spec.kind not in _TYPE_IDS:
            continue
        approaches = _approaches(carla_map, spans, spec)
        landmarks = carla_map.get_all_landmarks_from_id(spec.signal_id)
        if approaches and len(landmarks) > 0:
            sites.append(_site(spec, landmarks[0], approaches))
    return tuple(sites)


def _approaches(
    carla_map: carla.Map, spans: dict[tuple[int, int], list[LaneSpan]], spec: SignalSpec
) -> list[_Approach]:
    places = [place for place in (spec.place, *spec.references) if place.lanes != (0, 0)]
    found: dict[tuple[int, int], _Approach] = {}
    for place in places or [spec.place]:
        for lane_id in ruled_lanes(spans, place):
            waypoint = carla_map.get_waypoint_xodr(place.road_id, lane_id, _inside(spans, place, lane_id))
            if waypoint is None:
                continue
            before = _before_junction(waypoint)
            if before is None:
                continue
            span = _span_at(spans[before.road_id, before.lane_id], before.s)
            end_s = span.end_s - 0.05 if before.lane_id < 0 else span.start_s + 0.05
            if not waypoint.is_junction:
                end_s = before.s
            at_line = carla_map.get_waypoint_xodr(before.road_id, before.lane_id, end_s)
            available = end_s - span.start_s if before.lane_id < 0 else span.end_s - end_s
            if at_line is not None:
                found.setdefault((before.road_id, before.lane_id), _Approach(at_line, available))
    return [found[key] for key in sorted(found)]


def ruled_lanes(spans: dict[tuple[int, int], list[LaneSpan]], place: SignalPlace) -> list[int]:
    """Drivable lanes in the validity range; where it says nothing or both sides, those of the orientation."""
    low, high = place.lanes
    lanes = sorted(lane for road, lane in spans if road == place.road_id)
    if (low, high) != (0, 0):
        lanes = [lane for lane in lanes if low <= lane <= high]
    if low <= 0 <= high and place.orientation in "+-":
        lanes = [lane for lane in lanes if (lane < 0) == (place.orientation == "+")]
    return lanes


def _span_at(spans: list[LaneSpan], s: float) -> LaneSpan:
    return next((span for span in spans if span.start_s <= s <= span.end_s), spans[-1])


def _inside(spans: dict[tuple[int, int], list[LaneSpan]], place: SignalPlace, lane_id: int) -> float:
    """The station of the place, moved into the lane where the file has it at or beyond the end."""
    span = _span_at(spans[place.road_id, lane_id], place.s)
    return min(max(place.s, span.start_s + 1e-3), span.end_s - 1e-3)


def _before_junction(waypoint: carla.Waypoint) -> carla.Waypoint | None:
    """The waypoint itself, or from inside a junction the last one before it on the same way."""
    travelled = 0.0
    while waypoint.is_junction and travelled < _SEARCH_BACK_M:
        behind = waypoint.previous(_SEARCH_STEP_M)
        if not behind:
            return None
        waypoint, travelled = behind[0], travelled + _SEARCH_STEP_M
    return None if waypoint.is_junction else waypoint


def _site(spec: SignalSpec, landmark: carla.Landmark, approaches: list[_Approach]) -> SignalSite:
    by_road: dict[int, list[_Approach]] = {}
    for approach in approaches:
        by_road.setdefault(approach.waypoint.road_id, []).append(approach)
    if spec.kind == LIGHT_KIND:
        boxes = tuple(_light_box(group) for group in by_road.values())
    else:
        boxes = tuple(_sign_box(approach) for approach in approaches)
    place = landmark.transform.location
    pose = Pose(place.x, place.y, place.z - spec.z_offset, 0.0, _wrap(boxes[0].yaw_deg - 90.0), 0.0)
    type_id = _TYPE_IDS[spec.kind]
    if spec.kind == "274":
        type_id += f".{kmh(spec.value, spec.unit):.0f}"
    return SignalSite(spec.signal_id, type_id, pose, boxes, _junction_ahead(approaches[0].waypoint))


def _sign_box(approach: _Approach) -> TriggerBox:
    """A square over one lane, ending where the sign's traffic stops."""
    end, half = approach.waypoint.transform, approach.waypoint.lane_width / 2 * _LANE_FRACTION
    yaw = math.radians(end.rotation.yaw)
    return TriggerBox(
        x=end.location.x - half * math.cos(yaw),
        y=end.location.y - half * math.sin(yaw),
        z=end.location.z + _TRIGGER_HALF_HEIGHT_M,
        half_across=half,
        half_along=half,
        yaw_deg=_wrap(end.rotation.yaw),
    )


def _light_box(approaches: list[_Approach]) -> TriggerBox:
    """One box over neighbouring lanes of one road, ending at their stop line."""
    first = approaches[0].waypoint.transform
    yaw = math.radians(first.rotation.yaw)
    along = min(TRIGGER_LENGTH_M, *(max(1.0, approach.available_m) for approach in approaches)) / 2
    left, right = math.inf, -math.inf
    for approach in approaches:
        place, half = approach.waypoint.transform.location, approach.waypoint.lane_width / 2 * _LANE_FRACTION
        across = -(place.x - first.location.x) * math.sin(yaw) + (place.y - first.location.y) * math.cos(yaw)
        left, right = min(left, across - half), max(right, across + half)
    middle = (left + right) / 2
    return TriggerBox(
        x=first.location.x - along * math.cos(yaw) - middle * math.sin(yaw),
        y=first.location.y - along * math.sin(yaw) + middle * math.cos(yaw),
        z=first.location.z + _TRIGGER_HALF_HEIGHT_M,
        half_across=(right - left) / 2,
        half_along=along,
        yaw_deg=_wrap(first.rotation.yaw),
    )


def _junction_ahead(waypoint: carla.Waypoint) -> int:
    """The junction within 30 m after the stop line, -1 for none."""
    for distance in (1.0, 3.0, 6.0, 10.0, 15.0, 20.0, 30.0):
        for ahead in waypoint.next(distance):
            if ahead.is_junction:
                return int(ahead.junction_id)
    return -1


def _wrap(degrees: float) -> float:
    return (degrees + 180.0) % 360.0 - 180.0


def local_trigger(site: SignalSite) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Centre and half sizes of the first trigger box in the frame of the actor: what the client calls `trigger_volume`."""
    box, yaw = site.boxes[0], math.radians(site.pose.yaw)
    dx, dy = box.x - site.pose.x, box.y - site.pose.y
    center = (
        dx * math.cos(yaw) + dy * math.sin(yaw),
        -dx * math.sin(yaw) + dy * math.cos(yaw),
        box.z - site.pose.z,
    )
    return center, (box.half_across, box.half_along, _TRIGGER_HALF_HEIGHT_M)
