"""Turns a `carla.Map` into a `RoadMap`: the one place where CARLA's axes and OpenDRIVE ids become lanes of ours.

CARLA's Python map gives no list of lanes, no lane without traffic and no speed limits, so the lanes are listed and
the limits read from the OpenDRIVE text; every coordinate comes from the map itself, which therefore always agrees.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import carla
import numpy as np

from drive_agent.geometry import project, resample, wrap_angle
from drive_agent.roadmap import Lane, RoadMap, StopLine

KINDS = ("driving", "parking", "shoulder", "sidewalk", "biking")
STEP_M = 1.0
DEFAULT_LIMIT_MPS = (
    50 / 3.6
)  # where neither a road nor those before it state a speed, as in many exported maps
_EDGE_M = 1e-3  # stay inside a lane section: its very end belongs to the next one
_STOP_KINDS = {"1000001": "light", "206": "stop", "205": "yield"}
_MPS_PER_UNIT = {"m/s": 1.0, "km/h": 1 / 3.6, "mph": 0.44704}
_LaneKey = tuple[int, int, int]  # road, section, lane id


@dataclass(frozen=True)
class _LaneSpan:
    """A lane as the OpenDRIVE text lists it."""

    key: _LaneKey
    kind: str
    junction_id: int
    s_start_m: float
    s_end_m: float
    speed_limit_mps: float | None  # None where the file states none


def build_road_map(carla_map: carla.Map, opendrive_text: str) -> RoadMap:
    """The road map of a town, in the world frame.

    `opendrive_text` must be the text that the map was made from (`carla_map.to_opendrive()`). Raises ValueError when
    the two do not fit together.
    """
    lanes = _Lanes(carla_map, list(_lane_spans(ET.fromstring(opendrive_text)))).read()
    origin = carla_map.transform_to_geolocation(carla.Location(0.0, 0.0, 0.0))
    return RoadMap(
        name=carla_map.name.rsplit("/", 1)[-1],
        lanes=lanes,
        stop_lines=tuple(_stop_lines(carla_map, lanes)),
        crosswalks=tuple(_crosswalks(carla_map)),
        geo_reference=(origin.latitude, origin.longitude),
    )


def _lane_spans(root: ET.Element) -> Iterator[_LaneSpan]:
    for road in root.iter("road"):
        length_m = float(road.attrib["length"])
        sections = road.findall("lanes/laneSection")
        starts_m = [float(section.attrib["s"]) for section in sections] + [length_m]
        for number, section in enumerate(sections):
            start_m, end_m = starts_m[number], starts_m[number + 1]
            limit_mps = _speed_limit(road, (start_m + end_m) / 2)
            for lane in (*section.findall("left/lane"), *section.findall("right/lane")):
                kind = lane.attrib["type"].lower()
                if kind in KINDS and end_m - start_m > 3 * _EDGE_M:
                    key = (int(road.attrib["id"]), number, int(lane.attrib["id"]))
                    yield _LaneSpan(key, kind, int(road.attrib["junction"]), start_m, end_m, limit_mps)


def _speed_limit(road: ET.Element, s_m: float) -> float | None:
    """Limit by the last road type record that starts at or before a station."""
    limit_mps = None
    for record in road.findall("type"):
        speed = record.find("speed")
        if float(record.attrib["s"]) <= s_m and speed is not None and _is_number(speed.attrib["max"]):
            limit_mps = float(speed.attrib["max"]) * _MPS_PER_UNIT[speed.attrib.get("unit", "m/s")]
    return limit_mps


def _is_number(text: str) -> bool:
    """OpenDRIVE also allows "no limit" and "undefined"."""
    return text.replace(".", "", 1).isdigit()


class _Lanes:
    """Reads every listed lane out of the map and joins them into a graph."""

    def __init__(self, carla_map: carla.Map, spans: list[_LaneSpan]) -> None:
        self._map = carla_map
        self._spans = spans
        self._index = {span.key: index for index, span in enumerate(spans)}

    def read(self) -> tuple[Lane, ...]:
        lanes = [self._lane(span) for span in self._spans]
        before = defaultdict(list)
        for lane in lanes:
            for following in lane.successors:
                before[following].append(lane.index)
        return tuple(
            replace(
                lane,
                predecessors=tuple(before[lane.index]),
                speed_limit_mps=self._limit(
                    self._spans[lane.index], [self._spans[k] for k in before[lane.index]]
                ),
            )
            for lane in lanes
        )

    @staticmethod
    def _limit(span: _LaneSpan, before: list[_LaneSpan]) -> float:
        """The lane's own limit, else the lowest of the lanes that lead to it: turns often state none."""
        if span.speed_limit_mps is not None:
            return span.speed_limit_mps
        return min(
            (s.speed_limit_mps for s in before if s.speed_limit_mps is not None), default=DEFAULT_LIMIT_MPS
        )

    def _lane(self, span: _LaneSpan) -> Lane:
        road_id, section_id, lane_id = span.key
        waypoints = self._waypoints(span)
        middle = waypoints[len(waypoints) // 2]
        center, heading, width = _line(waypoints)
        outward = -1 if lane_id < 0 else 1
        left, right = self._neighbour(span, -outward), self._neighbour(span, outward)
        return Lane(
            index=self._index[span.key],
            road_id=road_id,
            section_id=section_id,
            lane_id=lane_id,
            kind=span.kind,
            junction_id=span.junction_id,
            center=center,
            heading=heading,
            width=width,
            successors=self._successors(span, waypoints[-1]),
            predecessors=(),
            left=left,
            right=right,
            left_change=left >= 0 and bool(int(middle.lane_change) & int(carla.LaneChange.Left)),
            right_change=right >= 0 and bool(int(middle.lane_change) & int(carla.LaneChange.Right)),
            left_marking=_marking(middle.left_lane_marking),
            right_marking=_marking(middle.right_lane_marking),
            speed_limit_mps=math.nan,  # known once the lanes are joined
        )

    def _waypoints(self, span: _LaneSpan) -> list[carla.Waypoint]:
        """Waypoints about `STEP_M` apart from the lane's first to its last point in driving direction."""
        road_id, section_id, lane_id = span.key
        count = max(math.ceil((span.s_end_m - span.s_start_m) / STEP_M), 2) + 1
        stations_m = np.linspace(span.s_start_m + _EDGE_M, span.s_end_m - _EDGE_M, count)
        ordered_m = stations_m if lane_id < 0 else stations_m[::-1]
        found = [self._map.get_waypoint_xodr(road_id, lane_id, s_m) for s_m in ordered_m.tolist()]
        waypoints = [
            waypoint for waypoint in found if waypoint is not None and waypoint.section_id == section_id
        ]
        if len(waypoints) < len(found):
            raise ValueError(
                f"map {self._map.name!r} has no lane {lane_id} in section {section_id} of road {road_id}: "
                "pass the OpenDRIVE text that this map was made from"
            )
        return waypoints

    def _neighbour(self, span: _LaneSpan, step: int) -> int:
        """The lane `step` lane ids further, if it is of the same kind and direction; else -1."""
        road_id, section_id, lane_id = span.key
        index = self._index.get((road_id, section_id, lane_id + step), -1)
        return index if index >= 0 and self._spans[index].kind == span.kind else -1

    def _successors(self, span: _LaneSpan, last: carla.Waypoint) -> tuple[int, ...]:
        """Lanes of the same kind behind the end of this one."""
        keys = ((ahead.road_id, ahead.section_id, ahead.lane_id) for ahead in last.next(10 * _EDGE_M))
        found = {self._index[key] for key in keys if key in self._index and key != span.key}
        return tuple(sorted(index for index in found if self._spans[index].kind == span.kind))


def _line(waypoints: list[carla.Waypoint]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Center (n, 3), heading (n,) and width (n,) in the world frame, rounded to 0.1 mm and 1 microradian.

    CARLA's coordinates are single precision anyway; rounded, they stay short in the log.
    """
    transforms = [waypoint.transform for waypoint in waypoints]
    center = np.array([_world(transform.location) for transform in transforms])
    heading = np.array([-math.radians(transform.rotation.yaw) for transform in transforms])
    width = np.array([waypoint.lane_width for waypoint in waypoints])
    return center, np.round(wrap_angle(heading), 6), np.round(width, 4)


def _world(location: carla.Location) -> tuple[float, float, float]:
    """CARLA's left-handed axes to the world's."""
    return round(location.x, 4), round(-location.y, 4), round(location.z, 4)


def _marking(marking: carla.LaneMarking | None) -> tuple[str, str]:
    """Type and colour in OpenDRIVE's words: ("solid solid", "yellow")."""
    if marking is None:
        return "none", "white"
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(marking.type)).lower()
    color = str(marking.color).lower()
    return kind, "white" if color == "standard" else color


def _stop_lines(carla_map: carla.Map, lanes: tuple[Lane, ...]) -> Iterator[StopLine]:
    """One stop line for each signal and approach. A signal may be referred to from several roads."""
    of_road = defaultdict(list)
    for lane in lanes:
        if lane.kind == "driving":
            of_road[lane.road_id, lane.lane_id].append(lane)
    governed: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)  # (signal, road) -> lane -> station
    landmarks = sorted(
        (mark for mark in carla_map.get_all_landmarks() if mark.type in _STOP_KINDS),
        key=lambda mark: (mark.id, mark.road_id, mark.s),
    )
    first_of = {}
    for mark in landmarks:
        first_of.setdefault(mark.id, mark)
        for start, end in mark.get_lane_validities():
            for lane_id in range(min(start, end), max(start, end) + 1):
                for lane, station_m in _stops(carla_map, mark, lane_id, of_road, lanes):
                    governed[mark.id, lane.road_id][lane.index] = station_m
    for (signal_id, _), stations in sorted(governed.items()):
        mark = first_of[signal_id]
        yield StopLine(
            kind=_STOP_KINDS[mark.type],
            signal_id=signal_id,
            lanes=tuple(sorted(stations)),
            stations_m=tuple(round(stations[index], 3) for index in sorted(stations)),
            segment=_across([(lanes[index], stations[index]) for index in sorted(stations)]),
            position=np.array(_world(mark.transform.location)),
        )


def _stops(
    carla_map: carla.Map,
    mark: carla.Landmark,
    lane_id: int,
    of_road: dict[tuple[int, int], list[Lane]],
    lanes: tuple[Lane, ...],
) -> Iterator[tuple[Lane, float]]:
    """Lanes and stations where a signal stops the traffic of one lane.

    A signal that governs a lane inside a junction, as in CARLA's own towns, stops the traffic before the junction.
    """
    waypoint = carla_map.get_waypoint_xodr(mark.road_id, lane_id, mark.s) if lane_id else None
    if waypoint is None:
        return
    for lane in of_road[mark.road_id, lane_id]:
        if lane.is_junction:
            yield from ((lanes[index], lanes[index].length_m) for index in lane.predecessors)
        elif lane.section_id == waypoint.section_id:
            place = np.array(_world(waypoint.transform.location))
            yield lane, project(lane.center[:, :2], place[:2])[0]


def _across(stops: list[tuple[Lane, float]]) -> np.ndarray:
    """Ends (2, 2) of the line over all lanes, from the right border to the left one in driving direction."""
    lane, station_m = stops[0]
    heading = float(np.interp(station_m, lane.stations_m, np.unwrap(lane.heading)))
    left = np.array([-math.sin(heading), math.cos(heading)])
    borders = []
    for lane, station_m in stops:
        half_m = float(np.interp(station_m, lane.stations_m, lane.width)) / 2
        center = resample(lane.center[:, :2], np.array([station_m]))[0]
        borders += [center - half_m * left, center + half_m * left]
    offsets = [float(border @ left) for border in borders]
    return np.round([borders[int(np.argmin(offsets))], borders[int(np.argmax(offsets))]], 4)


def _crosswalks(carla_map: carla.Map) -> Iterator[np.ndarray]:
    """Closed rings (k, 3). CARLA gives one flat list in which each ring ends with its first corner."""
    ring: list[tuple[float, float, float]] = []
    for location in carla_map.get_crosswalks():
        corner = _world(location)
        ring.append(corner)
        if len(ring) > 2 and corner == ring[0]:
            yield np.array(ring)
            ring = []
