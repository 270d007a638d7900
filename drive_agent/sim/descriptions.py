"""`ActorDescription`s as they come from outside: what a blueprint does not allow is refused before anything is spawned."""

import math
from collections.abc import Mapping
from typing import Any

from drive_agent.sim import blueprints
from drive_agent.sim.event_camera import SMALLEST_THRESHOLD
from drive_agent.sim.wire import AttributeType, Encoded, RequestError, decode_id, decode_list, decode_text

MAX_PIXELS = 4096 * 4096
_DEFAULT_IMAGE = {"image_size_x": "800", "image_size_y": "600", "fov": "90.0"}
_BOOLEANS = ("true", "false", "1", "0")
_CAMERA = "sensor.camera."
_LIMITS: dict[str, tuple[float, float]] = {
    "channels": (1, 1024), "points_per_second": (0, 10_000_000), "range": (0.0, 10_000.0), "rotation_frequency": (0.0, 1000.0),
    "horizontal_fov": (0.1, 360.0), "vertical_fov": (0.1, 179.0), "upper_fov": (-90.0, 90.0), "lower_fov": (-90.0, 90.0),
    "distance": (0.0, 10_000.0), "hit_radius": (0.0, 100.0),
    "positive_threshold": (SMALLEST_THRESHOLD, 255.0), "negative_threshold": (SMALLEST_THRESHOLD, 255.0),
    "sigma_positive_threshold": (0.0, 255.0), "sigma_negative_threshold": (0.0, 255.0), "log_eps": (1e-6, 1.0),
    "refractory_period_ns": (0, 2**31 - 1),
}  # fmt: skip
_RADAR, _RADAR_FOV_DEG = "sensor.other.radar", 179.0


def check_description(value: Any) -> str:
    """The blueprint id of `[uid, id, attributes]`, or RequestError."""
    if not isinstance(value, list) or len(value) < 3 or not isinstance(value[2], list):
        raise RequestError(f"actor description is {str(value)[:80]}: expected [uid, id, attributes]")
    decode_id(value[0], "uid of an actor description")
    type_id = decode_text(value[1], "blueprint id")
    blueprint = blueprints.find(type_id)
    _check_attributes(blueprint, value[2])
    known = {attribute.name for attribute in blueprint.attributes}
    attributes = {name: text for name, _, text in value[2] if name in known}
    if type_id.startswith(_CAMERA):
        check_camera(_DEFAULT_IMAGE | attributes)
    _check_limits(type_id, attributes)
    return type_id


def _check_attributes(blueprint: blueprints.Blueprint, entries: Encoded) -> None:
    """Values must be of the type that the blueprint declares; attributes that it does not have are passed over."""
    kinds = {attribute.name: attribute.kind for attribute in blueprint.attributes}
    for entry in entries:
        name, given_kind, value = decode_list(entry, "attribute", 3)
        decode_id(given_kind, "type of an attribute")
        kind = kinds.get(decode_text(name, "attribute id"), AttributeType.STRING)
        if not _is_of_kind(decode_text(value, f"attribute {name}"), kind):
            raise RequestError(
                f"Spawn failed because of invalid actor description: {name} is {value[:80]!r}: expected {kind.name.lower()}"
            )


def _is_of_kind(text: str, kind: AttributeType) -> bool:
    try:
        if kind is AttributeType.INT:
            return abs(int(text)) < 2**31
        if kind is AttributeType.FLOAT:
            return math.isfinite(float(text))
        if kind is AttributeType.RGB:
            return len(text.split(",")) == 3 and all(0 <= int(part) <= 255 for part in text.split(","))
    except ValueError:
        return False
    return kind is not AttributeType.BOOL or text.lower() in _BOOLEANS


def check_camera(attributes: dict[str, str]) -> tuple[int, int, float]:
    """Width, height and field of view in degrees of a camera's attributes, or RequestError."""
    try:
        width, height = int(attributes["image_size_x"]), int(attributes["image_size_y"])
        fov_deg = float(attributes["fov"])
    except ValueError as error:
        raise RequestError(
            f"camera: {error}: expected whole numbers for the size and degrees for fov"
        ) from error
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise RequestError(f"camera image is {width} x {height}: expected 1 to {MAX_PIXELS} pixels")
    if not 1.0 <= fov_deg <= 170.0:
        raise RequestError(f"camera fov is {fov_deg}: expected 1 to 170 degrees")
    return width, height, fov_deg


def _check_limits(type_id: str, attributes: Mapping[str, str]) -> None:
    """RequestError where a sensor could not work with its attributes."""
    if not type_id.startswith(("sensor.lidar.", "sensor.other.obstacle", "sensor.camera.dvs", _RADAR)):
        return
    for name, (low, high) in _LIMITS.items():
        if name == "horizontal_fov" and type_id == _RADAR:
            high = _RADAR_FOV_DEG
        if name in attributes and not low <= float(attributes[name]) <= high:
            raise RequestError(f"{type_id}: {name} is {attributes[name]}: expected {low:g} to {high:g}")
