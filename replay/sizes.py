"""How large a road user is drawn when only its class is known (a model says where things are, not how large)."""

from __future__ import annotations

from drive_agent.types import ObjectKind

_HALF_M = {
    ObjectKind.VEHICLE: (2.3, 0.95, 0.78),
    ObjectKind.CYCLIST: (0.9, 0.35, 0.85),
    ObjectKind.WALKER: (0.3, 0.3, 0.88),
}


def nominal_size(kind: ObjectKind) -> tuple[float, float, float]:
    """Half length, half width, half height, metres."""
    return _HALF_M[kind]
