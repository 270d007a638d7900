"""What the `carla` client's map does not tell of an OpenDRIVE file: lanes, signals with their lanes, controllers, speeds.

Reads the XML only; positions in the world come from `carla.Map`. Stations `s` are metres along the road's reference line.
"""

from dataclasses import dataclass
from typing import TypeVar
from xml.etree import ElementTree

_MPS_PER_UNIT = {"m/s": 1.0, "km/h": 1.0 / 3.6, "mph": 0.44704, "": 1.0}
_DRIVABLE = frozenset({"driving", "entry", "exit", "onRamp", "offRamp", "connectingRamp", "bidirectional"})
_SPEED_SIGN_PREFIXES = (
    "Speed_",
    "speed_",
)  # of objects that RoadRunner means, and CARLA reads, as speed limit signs
_SPEED_SIGN_KIND = "274"
_ALL_LANES = 100  # more than a side of any road has
Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class LaneSpan:
    """One lane of one lane section."""

    road_id: int
    junction_id: int  # -1: the road is no connection inside a junction
    lane_id: int
    kind: str  # OpenDRIVE's lane type, as written
    on_motorway: bool  # the road says so
    start_s: float
    end_s: float
    speed_limit_mps: float | None  # None: the file does not say

    @property
    def drivable(self) -> bool:
        """Whether vehicles drive on it."""
        return self.kind in _DRIVABLE


@dataclass(frozen=True)
class SignalPlace:
    """Where a signal (or a reference to it) applies: these lanes of this road, at this station."""

    road_id: int
    s: float
    lanes: tuple[int, int]  # lowest and highest lane id; (0, 0): not said
    orientation: str  # "+", "-" or "none"


@dataclass(frozen=True)
class SignalSpec:
    """A signal of the file: its own place, and every place that refers to it."""

    signal_id: str
    kind: str  # OpenDRIVE type: "1000001" light, "206" stop, "205" yield, "274" speed limit
    value: float
    unit: str
    t: float
    z_offset: float
    place: SignalPlace
    references: tuple[SignalPlace, ...]


@dataclass(frozen=True)
class Controller:
    """Signals that always show the same state, and the junction that runs them (-1: none)."""

    controller_id: str
    signal_ids: tuple[str, ...]
    junction_id: int


@dataclass(frozen=True)
class OpenDrive:
    """The parts of a file that this server reads."""

    lanes: tuple[LaneSpan, ...]
    signals: tuple[SignalSpec, ...]
    controllers: tuple[Controller, ...]


def _number(element: ElementTree.Element, name: str, default: float = 0.0) -> float:
    return _as(float, element, name, default, "a number")


def _integer(element: ElementTree.Element, name: str, default: int = 0) -> int:
    return _as(int, element, name, default, "a whole number")


def _as(
    kind: type[Number], element: ElementTree.Element, name: str, default: Number, expected: str
) -> Number:
    text = element.get(name, "").strip()
    try:
        return kind(text) if text else default
    except ValueError as error:
        raise ValueError(f"<{element.tag} {name}={text!r}>: expected {expected}; correct it") from error


def _speed_mps(element: ElementTree.Element | None) -> float | None:
    """`<speed max unit>` in m/s; "no limit" and "undefined" are None."""
    if element is None:
        return None
    try:
        value = float(element.get("max", ""))
    except ValueError:
        return None
    return value * _MPS_PER_UNIT.get(element.get("unit", ""), 1.0) if value > 0 else None


def kmh(value: float, unit: str) -> float:
    """A speed in the unit of the file (km/h where it names none) in km/h."""
    return value * _MPS_PER_UNIT.get(unit or "km/h", 1.0 / 3.6) * 3.6


def _road_lanes(road: ElementTree.Element) -> list[LaneSpan]:
    road_id, length = _integer(road, "id"), _number(road, "length")
    junction_id = _integer(road, "junction", -1)
    types = sorted((_number(t, "s"), _speed_mps(t.find("speed"))) for t in road.findall("type"))
    on_motorway = any(record.get("type") == "motorway" for record in road.findall("type"))
    sections = sorted(road.findall("lanes/laneSection"), key=lambda section: _number(section, "s"))
    starts = [_number(section, "s") for section in sections] + [length]
    lanes = []
    for index, section in enumerate(sections):
        road_limit = next((speed for s, speed in reversed(types) if s <= starts[index] + 1e-6), None)
        for lane in section.iterfind("*/lane"):
            lane_id = _integer(lane, "id")
            if lane_id == 0:
                continue
            limit = _speed_mps(lane.find("speed"))
            limit = road_limit if limit is None else limit
            kind, ends = lane.get("type", "none"), (starts[index], starts[index + 1])
            lanes.append(LaneSpan(road_id, junction_id, lane_id, kind, on_motorway, *ends, limit))
    return lanes


def _place(road_id: int, element: ElementTree.Element) -> SignalPlace:
    validities = element.findall("validity")
    ends = [_integer(v, side) for v in validities for side in ("fromLane", "toLane")]
    lanes = (min(ends), max(ends)) if ends else (0, 0)
    return SignalPlace(road_id, _number(element, "s"), lanes, element.get("orientation", "none"))


def _signals(roads: list[ElementTree.Element]) -> list[SignalSpec]:
    references: dict[str, list[SignalPlace]] = {}
    for road in roads:
        for reference in road.iterfind("signals/signalReference"):
            references.setdefault(reference.get("id", ""), []).append(_place(_integer(road, "id"), reference))
    specs = []
    for road in roads:
        for signal in road.iterfind("signals/signal"):
            signal_id = signal.get("id", "")
            specs.append(
                SignalSpec(
                    signal_id=signal_id,
                    kind=signal.get("type", ""),
                    value=_number(signal, "value", -1.0),
                    unit=signal.get("unit", ""),
                    t=_number(signal, "t"),
                    z_offset=_number(signal, "zOffset"),
                    place=_place(_integer(road, "id"), signal),
                    references=tuple(references.get(signal_id, ())),
                )
            )
        specs += [_speed_sign(road, sign) for sign in road.iterfind("objects/object") if is_speed_sign(sign)]
    return specs


def is_speed_sign(element: ElementTree.Element) -> bool:
    """Whether an `<object>` is meant as a speed limit sign."""
    return element.get("name", "").startswith(_SPEED_SIGN_PREFIXES)


def _speed_sign(road: ElementTree.Element, element: ElementTree.Element) -> SignalSpec:
    """An object named Speed_30 as the sign that CARLA makes of it: for the lanes on the side its orientation names."""
    orientation = element.get("orientation", "none")
    lanes = {"+": (1, _ALL_LANES), "-": (-_ALL_LANES, -1)}.get(orientation, (0, 0))
    return SignalSpec(
        signal_id=element.get("id", ""),
        kind=_SPEED_SIGN_KIND,
        value=float(element.get("name", "").partition("_")[2]),
        unit="km/h",
        t=_number(element, "t"),
        z_offset=_number(element, "zOffset"),
        place=SignalPlace(_integer(road, "id"), _number(element, "s"), lanes, orientation),
        references=(),
    )


def _controllers(root: ElementTree.Element) -> list[Controller]:
    junction_of = {
        entry.get("id", ""): _integer(junction, "id", -1)
        for junction in root.findall("junction")
        for entry in junction.findall("controller")
    }
    controllers = []
    for element in root.findall("controller"):
        controller_id = element.get("id", "")
        # dict.fromkeys: exporters list a signal twice; keep the order of the file
        signal_ids = tuple(
            dict.fromkeys(control.get("signalId", "") for control in element.findall("control"))
        )
        controllers.append(Controller(controller_id, signal_ids, junction_of.get(controller_id, -1)))
    return controllers


def read_tree(text: str) -> ElementTree.Element:
    """The root element, every tag without its namespace; ValueError, one line, where the text is no OpenDRIVE."""
    if not text.strip():
        raise ValueError("the map is empty: expected an OpenDRIVE file; check how it was written")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("the map declares XML entities: OpenDRIVE has none; remove the <!DOCTYPE ...>")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"not well-formed XML: {error}; repair the file") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag != "OpenDRIVE":
        raise ValueError(f"the root element is <{root.tag}>: expected <OpenDRIVE>; give an .xodr file")
    return root


def parse(text: str) -> OpenDrive:
    """Read an OpenDRIVE file of versions 1.4 to 1.8; ValueError where it is not one."""
    return read(read_tree(text))


def read(root: ElementTree.Element) -> OpenDrive:
    """What `read_tree` returned, as values."""
    roads = root.findall("road")
    lanes = [lane for road in roads for lane in _road_lanes(road)]
    return OpenDrive(tuple(lanes), tuple(_signals(roads)), tuple(_controllers(root)))
