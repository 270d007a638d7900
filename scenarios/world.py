"""What the director needs of a world: to put road users in, move them, and switch lights. Knows nothing of carla.

Positions and headings are in the world frame. Everything but `spawn` takes effect in the next tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np

from drive_agent.types import Command, LightState
from scenarios.routes import Pose

ROLE = "scenario"
BEACONS = ("special1", "special2")  # of police cars and ambulances


class World(Protocol):
    """Implemented by `drive/carla_stage.py` for every server that speaks CARLA's protocol."""

    def spawn(
        self,
        model: str,
        pose: Pose,
        *,
        wanted: Mapping[str, str] | None = None,
        role: str = ROLE,
        physics: bool = True,
    ) -> int | None:
        """Put an actor on the ground at a pose; its id, or None where something is in the way.

        `model` is a blueprint id or a pattern ("vehicle.*"); of several that match and have the `wanted` attributes
        one is drawn by seed. Raises ValueError when none does.
        """
        ...

    def destroy(self, actors: Iterable[int]) -> None:
        """Take actors away."""
        ...

    def place(self, actor: int, pose: Pose) -> None:
        """Move an actor at once."""
        ...

    def drive(self, actor: int, command: Command, *, hand_brake: bool = False, reverse: bool = False) -> None:
        """Pedals and wheel of a vehicle, kept until the next command."""
        ...

    def launch(self, actor: int, velocity_mps: np.ndarray) -> None:
        """Give an actor a velocity (2,) at once; its physics goes on from there."""
        ...

    def walk(self, actor: int, velocity_mps: np.ndarray) -> None:
        """Let a person walk with a velocity (2,) until told otherwise."""
        ...

    def show_lights(self, actor: int, names: Iterable[str]) -> None:
        """Switch a vehicle's lights on, by CARLA's names in lower case with underscores ("left_blinker"); others off."""
        ...

    def open_door(self, actor: int, side: str) -> None:
        """Open the front door on the "left" or "right" side."""
        ...

    def hold_light(self, signal_id: str, state: LightState) -> None:
        """Keep a traffic light (OpenDRIVE id) in a state until `release_lights`.

        The others of its junction stop changing too.
        """
        ...

    def release_lights(self, signal_ids: Iterable[str]) -> None:
        """Let the junctions of these lights go on from where their cycles were."""
        ...

    def remove_background(self, actors: Iterable[int]) -> None:
        """Take cars of the background traffic out of the way at once; ids that are no such cars are left alone."""
        ...

    def disturb(self, throttle: float, steer: float) -> None:
        """Add to whatever the ego's driver commands, until told otherwise: an ego that slips. Zeros end it."""
        ...

    def set_weather(self, values: Mapping[str, float]) -> None:
        """CARLA's weather parameters, by their names there."""
        ...
