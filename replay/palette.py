"""Colours of videos and pictures, RGB. One dark theme; knows nothing of what it colours but the kinds of things."""

from __future__ import annotations

import numpy as np

from drive_agent.types import LightState, ObjectKind

Color = tuple[int, int, int]

GROUND: Color = (20, 23, 28)
PANEL: Color = (15, 17, 21)
LINE: Color = (44, 49, 57)
TRACK: Color = (38, 43, 50)  # the empty part of a bar

TEXT: Color = (236, 239, 243)
MUTED: Color = (139, 147, 158)
FAINT: Color = (94, 102, 113)

ROAD: Color = (55, 60, 69)
JUNCTION: Color = (60, 65, 74)
LANE_COLORS: dict[str, Color] = {
    "sidewalk": (37, 41, 47),
    "shoulder": (43, 47, 54),
    "border": (31, 35, 40),
    "parking": (48, 53, 61),
    "biking": (38, 50, 48),
    "median": (29, 36, 33),
    "driving": ROAD,
}
WHITE_PAINT: Color = (158, 165, 175)
YELLOW_PAINT: Color = (189, 157, 83)
CROSSWALK: Color = (104, 111, 121)
ROUTE: Color = (62, 99, 158)

EGO: Color = (245, 247, 250)
TRAIL: Color = (170, 178, 190)
SEEN: Color = (86, 216, 232)  # what the model says is there
KIND_COLORS: dict[ObjectKind, Color] = {
    ObjectKind.VEHICLE: (112, 131, 158),
    ObjectKind.CYCLIST: (204, 146, 94),
    ObjectKind.WALKER: (212, 126, 158),
    ObjectKind.PROP: (226, 143, 66),
}

GO: Color = (82, 196, 132)
CAUTION: Color = (244, 187, 68)
STOP: Color = (236, 84, 84)
ACCENT: Color = (94, 146, 240)
LIGHT_COLORS: dict[LightState, Color] = {
    LightState.NONE: FAINT,
    LightState.RED: STOP,
    LightState.YELLOW: CAUTION,
    LightState.GREEN: GO,
}

_SPEED_STOPS_MPS = np.array([0.0, 2.0, 5.0, 9.0, 14.0])
_SPEED_COLORS = np.array(
    [(236, 84, 84), (240, 130, 74), (244, 200, 84), (96, 208, 142), (74, 190, 216)], dtype=float
)


def speed_colors(speeds_mps: np.ndarray) -> list[Color]:
    """A colour for each speed: red stands, amber creeps, green drives, blue is fast."""
    channels = [np.interp(speeds_mps, _SPEED_STOPS_MPS, _SPEED_COLORS[:, k]) for k in range(3)]
    return [(int(r), int(g), int(b)) for r, g, b in zip(*channels, strict=True)]


def shade(color: Color, factor: float) -> Color:
    """The colour darker (< 1) or lighter (> 1)."""
    r, g, b = (min(255, round(channel * factor)) for channel in color)
    return (r, g, b)
