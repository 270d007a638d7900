"""What the `carla` client's map does not tell of an OpenDRIVE file: lanes, signals with their lanes, controllers, speeds.

Reads the XML only; positions in the world come from `carla.Map`. Stations `s` are metres along the road's reference line.
"""

from dataclasses import dataclass
from xml.etree import ElementTree

_MPS_PER_UNIT = {"m/s": 1.0, "km/h": 1.0 / 3.6, "mph": 0.44704, "": 1.0}
_DRIVABLE = frozenset({"driving", "entry", "exit", "onRamp", "offRamp", "connectingRamp", "bidirectional"})


@dataclass(frozen=True)
class LaneSpan:
    """One lane of one lane section."""

    road_id: int
    lane_id: int
    start_s: float
    end_s: float
    drivable: bool
    speed_limit_mps: float | None  # None: the file does not say


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
    text = element.get(name)
    return float(text) if text not in (None, "") else default


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
    road_id, length = int(road.get("id", "0")), _number(road, "length")
    types = sorted((_number(t, "s"), _speed_mps(t.find("speed"))) for t in road.findall("type"))
    sections = sorted(road.findall("lanes/laneSection"), key=lambda section: _number(section, "s"))
    starts = [_number(section, "s") for section in sections] + [length]
    lanes = []
    for index, section in enumerate(sections):
        road_limit = next((speed for s, speed in reversed(types) if s <= starts[index] + 1e-6), None)
        for lane in section.iterfind("*/lane"):
            lane_id = int(lane.get("id", "0"))
            if lane_id == 0:
                continue
            limit = _speed_mps(lane.find("speed"))
            drivable = lane.get("type") in _DRIVABLE
            limit = road_limit if limit is None else limit
            lanes.append(LaneSpan(road_id, lane_id, starts[index], starts[index + 1], drivable, limit))
    return lanes


def _place(road_id: int, element: ElementTree.Element) -> SignalPlace:
    validities = element.findall("validity")
    ends = [int(v.get(side, "0")) for v in validities for side in ("fromLane", "toLane")]
    lanes = (min(ends), max(ends)) if ends else (0, 0)
    return SignalPlace(road_id, _number(element, "s"), lanes, element.get("orientation", "none"))


def _signals(roads: list[ElementTree.Element]) -> list[SignalSpec]:
    references: dict[str, list[SignalPlace]] = {}
    for road in roads:
        for reference in road.iterfind("signals/signalReference"):
            references.setdefault(reference.get("id", ""), []).append(
                _place(int(road.get("id", "0")), reference)
            )
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
                    place=_place(int(road.get("id", "0")), signal),
                    references=tuple(references.get(signal_id, ())),
                )
            )
    return specs


def _controllers(root: ElementTree.Element) -> list[Controller]:
    junction_of = {
        entry.get("id", ""): int(junction.get("id", "-1"))
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


def parse(text: str) -> OpenDrive:
    """Read an OpenDRIVE 1.4 file; ValueError where it is not one."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"not well-formed XML: {error}") from error
    if root.tag != "OpenDRIVE":
        raise ValueError(f"root element is <{root.tag}>: expected <OpenDRIVE>")
    roads = root.findall("road")
    lanes = [lane for road in roads for lane in _road_lanes(road)]
    return OpenDrive(tuple(lanes), tuple(_signals(roads)), tuple(_controllers(root)))


def faults(text: str) -> list[str]:
    """What is known to crash the client's parser, in words; empty where nothing is found."""
    try:
        parsed = parse(text)
    except ValueError as error:
        return [str(error)]
    known = {signal.signal_id for signal in parsed.signals}
    found = [
        f"controller {controller.controller_id} names signal {signal_id}, which does not exist"
        for controller in parsed.controllers
        for signal_id in controller.signal_ids
        if signal_id not in known
    ]
    if not parsed.lanes:
        found.append("no road has lanes")
    return found
