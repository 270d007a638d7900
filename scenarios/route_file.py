"""Routes as a Leaderboard 2.x XML text: the reverse of `routes`, which reads it back alike. CARLA's axes and degrees."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from scenarios.routes import Pose, RouteSpec, ScenarioSpec


def route_text(specs: Iterable[RouteSpec], note: str = "") -> str:
    """The file's text; `note` becomes a comment at its head."""
    root = ET.Element("routes")
    if note:
        root.append(ET.Comment(f" {note.replace('--', '- ')} "))
    for spec in specs:
        root.append(_route(spec))
    ET.indent(root, "  ")
    return "<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="unicode") + "\n"


def _route(spec: RouteSpec) -> ET.Element:
    route = ET.Element("route", id=spec.id, town=spec.town)
    waypoints = ET.SubElement(route, "waypoints")
    for x, y, z in spec.keypoints.tolist():
        ET.SubElement(waypoints, "position", x=_number(x), y=_number(-y), z=_number(z))
    weathers = ET.SubElement(route, "weathers")
    for weather in spec.weathers:
        values = {name: _number(value) for name, value in weather.values.items()}
        ET.SubElement(weathers, "weather", {"route_percentage": _number(weather.route_percentage), **values})
    scenarios = ET.SubElement(route, "scenarios")
    for scenario in spec.scenarios:
        scenarios.append(_scenario(scenario))
    return route


def _scenario(spec: ScenarioSpec) -> ET.Element:
    element = ET.Element("scenario", name=spec.name, type=spec.type)
    ET.SubElement(element, "trigger_point", _pose(spec.trigger))
    for actor in spec.other_actors:
        ET.SubElement(element, "other_actor", {**_pose(actor.pose), **actor.attributes})
    for tag, attributes in spec.parameters.items():
        ET.SubElement(element, tag, attributes)
    return element


def _pose(pose: Pose) -> dict[str, str]:
    x, y, z, yaw = pose
    return {"x": _number(x), "y": _number(-y), "z": _number(z), "yaw": _number(-math.degrees(yaw))}


def _number(value: float) -> str:
    """Shortest text that reads back as the same number; no "-0.0"."""
    return repr(float(value) + 0.0)
