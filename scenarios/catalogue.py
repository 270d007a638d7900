"""What there is to drive, as text of at most 80 columns: towns, route sets, scenario types. Knows nothing of carla."""

from __future__ import annotations

import textwrap
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

import scenarios.library  # noqa: F401 - registers the types
from scenarios import towns
from scenarios.abilities import abilities_of
from scenarios.parameters import Choice, Interval, Number, Parameter, Place
from scenarios.routes import RouteSpec, route_set, set_names
from scenarios.types import ScenarioType, find_type, type_names

WIDTH = 80
UNITS = {  # of the Leaderboard's parameters, by their names
    "behind_vehicle_distance": "m",
    "bicycle_drive_distance": "m",
    "bicycle_speed": "km/h",
    "crossing_angle": "deg",
    "distance": "m",
    "flow_distance": "m",
    "flow_speed": "m/s",
    "frequency": "m",
    "front_vehicle_distance": "m",
    "offset": "m",
    "source_dist_interval": "m",
    "speed": "km/h",
}


def list_towns() -> str:
    """The shipped towns, the training ones first."""
    lines = ["TOWNS (random:SEED and random:SEED:CHARACTER make more)"]
    for name in (*towns.names("train"), *towns.names("test")):
        facts = towns.facts(name)
        lines += _wrapped(f"  {name:11} {facts.split:6}{facts.length_km:5.1f} km  ", facts.character)
    return "\n".join(lines)


def list_sets() -> str:
    """The shipped route sets."""
    lines = ["ROUTE SETS                      km  types  towns"]
    for name in set_names():
        specs = route_set(name)
        types = {scenario.type for spec in specs for scenario in spec.scenarios}
        head = f"  {name:11}{len(specs):4} routes{_length_km(specs):9.1f}{len(types):7}  "
        lines += _wrapped(head, ", ".join(_ordered(spec.town for spec in specs)))
    return "\n".join(lines)


def list_types() -> str:
    """The registered scenario types with abilities, one line of summary and the names of their parameters."""
    lines = [f"SCENARIO TYPES ({len(type_names())})"]
    for kind in map(find_type, type_names()):
        abilities = ", ".join(abilities_of(kind.name)) or "your own"
        lines += _wrapped(f"  {kind.name} ", f"({abilities})")
        lines += _wrapped("      ", kind.summary)
        if kind.parameters:
            lines += _wrapped("      told: ", ", ".join(kind.parameters))
    return "\n".join(lines)


def show_town(name: str) -> str:
    """Facts of a town. Raises ValueError for an unknown one."""
    facts = towns.facts(name)
    specs = [
        (set_name, spec) for set_name in set_names() for spec in route_set(set_name) if spec.town == name
    ]
    counts = Counter(set_name for set_name, _ in specs)
    split = {"train": "training", "test": "test: no training sees it", "": "random"}[facts.split]
    rows = {
        "character": facts.character,
        "split": split,
        "streets": f"{facts.length_km:.1f} km, without junctions",
        "features": ", ".join(facts.features),
        "routes": ", ".join(f"{count} of {set_name}" for set_name, count in counts.items()) or "none",
    }
    return _sheet(name, rows)


def show_type(name: str) -> str:
    """A scenario type with its parameters and how a route file names it. Raises ValueError for an unknown one."""
    kind = find_type(name)
    rows = {"what": kind.summary, "abilities": ", ".join(abilities_of(name)) or "your own"}
    lines = [_sheet(name, rows), "", "parameters" if kind.parameters else "no parameters"]
    for tag, parameter in kind.parameters.items():
        lines += _wrapped(f"  {tag:24}", parameter_text(tag, parameter))
    return "\n".join([*lines, "", "in a route file", snippet(kind)])


def parameter_text(tag: str, parameter: Parameter) -> str:
    """What a parameter may be, with unit and default."""
    unit = f" {UNITS[tag]}" if tag in UNITS else ""
    default = parameter.default
    if isinstance(parameter, Number):
        least = "" if parameter.least == -np.inf else f", at least {parameter.least:g}{unit}"
        return f"number{least}, {_default(None if default is None else f'{default:g}{unit}')}"
    if isinstance(parameter, Interval):
        told = (
            None
            if parameter.default is None
            else f"{parameter.default[0]:g} to {parameter.default[1]:g}{unit}"
        )
        return f"from and to, {_default(told)}"
    if isinstance(parameter, Choice):
        return f"{' or '.join(parameter.options)}, {_default(parameter.default)}"
    if isinstance(parameter, Place):
        return f"x, y and z in CARLA's axes, {'must be given' if default is None else 'optional'}"
    return f"text, {_default(parameter.default)}"


def snippet(kind: ScenarioType) -> str:
    """A `<scenario>` of that type with all parameters at their defaults, zeros for what must be given."""
    element = ET.Element("scenario", name="mine_1", type=kind.name)
    ET.SubElement(element, "trigger_point", x="0.0", y="0.0", z="0.0", yaw="0.0")
    for tag, parameter in kind.parameters.items():
        ET.SubElement(element, tag, _attributes(parameter))
    ET.indent(element, "  ")
    return ET.tostring(element, encoding="unicode")


def show_set(name: str, specs: Sequence[RouteSpec]) -> str:
    """The routes of a set."""
    lines = [
        f"{name}: {len(specs)} routes, {_length_km(specs):.1f} km",
        "  route  town           m  scenarios",
    ]
    for spec in specs:
        types = ", ".join(scenario.type for scenario in spec.scenarios) or "none"
        lines += _wrapped(f"  {spec.id:6} {spec.town:11}{_length_km([spec]) * 1e3:5.0f}  ", types)
    return "\n".join(lines)


def show_route(spec: RouteSpec) -> str:
    """One route: where, how long, which weather, which scenarios with what they are told."""
    weather = ", ".join(f"{name} {value:g}" for name, value in spec.weather_at(0.0).items())
    rows = {
        "town": spec.town,
        "length": f"{_length_km([spec]) * 1e3:.0f} m along its {len(spec.keypoints)} points",
        "weather": weather,
    }
    lines = [
        _sheet(f"route {spec.id} of {spec.source}", rows),
        "",
        "scenarios" if spec.scenarios else "no scenarios",
    ]
    for scenario in spec.scenarios:
        x_m, y_m, _, _ = scenario.trigger
        told = "; ".join(
            f"{tag} {' '.join(f'{key}={text}' if key != 'value' else text for key, text in values.items())}"
            for tag, values in scenario.parameters.items()
        )
        lines += _wrapped(f"  {scenario.type} ", f"trigger x={x_m:.1f} y={-y_m:.1f}  {told}".rstrip())
    return "\n".join(lines)


def _default(text: str | None) -> str:
    return "must be given" if text is None else f"default {text}"


def _attributes(parameter: Parameter) -> dict[str, str]:
    """Of an element with the default value."""
    if isinstance(parameter, Place):
        x_m, y_m, z_m = parameter.default or (0.0, 0.0, 0.0)
        return {"x": f"{x_m:g}", "y": f"{0.0 - y_m:g}", "z": f"{z_m:g}"}
    if isinstance(parameter, Interval):
        low, high = parameter.default or (1.0, 1.0)
        return {"from": f"{low:g}", "to": f"{high:g}"}
    if isinstance(parameter, Number):
        return {"value": f"{parameter.default or 0.0:g}"}
    return {"value": parameter.default or (parameter.options[0] if isinstance(parameter, Choice) else "")}


def _length_km(specs: Iterable[RouteSpec]) -> float:
    """Along the points of the file: a little less than what is driven."""
    steps_m = [np.linalg.norm(np.diff(spec.keypoints[:, :2], axis=0), axis=1).sum() for spec in specs]
    return float(sum(steps_m)) / 1e3


def _ordered(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _sheet(title: str, rows: dict[str, str]) -> str:
    lines = [title]
    for name, text in rows.items():
        lines += _wrapped(f"  {name:11}", text)
    return "\n".join(lines)


def _wrapped(head: str, text: str) -> list[str]:
    """Text behind a head, going on below itself."""
    return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head)) or [
        head.rstrip()
    ]
