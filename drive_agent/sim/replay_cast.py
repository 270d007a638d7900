"""The cast of a replay: which actor of the world plays which one of the recording.

Actors of the world with the recording's id and type are taken over, others spawned, with their id where it is still free.
Signals are those that stand where the recording's stood. While they play, bodies have no physics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drive_agent.carla_recorder import ActorClass, Appeared, Frame, Packet
from drive_agent.sim import blueprints
from drive_agent.sim.actors import Actor, Kind
from drive_agent.sim.descriptions import check_description
from drive_agent.sim.wire import Encoded, Pose, RequestError

if TYPE_CHECKING:
    from drive_agent.sim.world import World

M_PER_CM = 0.01
_OUT_OF_THE_WAY = Pose(
    0.0, 0.0, 1e4, 0.0, 0.0, 0.0
)  # where actors are spawned before they are put in their place
_SAME_SIGNAL_M = 1.0
_SPECTATOR = "spectator"


@dataclass
class ReplayOptions:
    """What clients have set for this replay and those that follow."""

    time_factor: float = 1.0
    ignore_hero: bool = False
    ignore_spectator: bool = False


class Cast:
    """Actors by the ids of the recording."""

    def __init__(self, world: World, options: ReplayOptions, *, with_sensors: bool) -> None:
        self._world, self._options, self._with_sensors = world, options, with_sensors
        self._actors: dict[int, Actor] = {}
        self._spawned: list[Actor] = []
        self._had_physics: dict[Actor, int] = {}
        self._missing: set[str] = set()

    def playing(self, recorded_id: int) -> Actor | None:
        """The actor that plays this one, while it is there and not ignored."""
        actor = self._actors.get(recorded_id)
        if actor is None or self._world.actors.find(actor.id) is not actor:
            return None
        if actor is self._world.spectator and self._options.ignore_spectator:
            return None
        is_ignored = self._options.ignore_hero and actor.attributes.get("role_name") == "hero"
        return None if is_ignored else actor

    def change(self, frame: Frame) -> None:
        """Let those appear and vanish who do so in this frame. Raises ValueError for a pose that is none."""
        births = {birth.id: birth for birth in frame.appeared}
        for birth in births.values():
            actor = self._cast(birth)
            if actor is not None:
                self._actors[birth.id] = actor
        for child_id, parent_id in frame.of(Packet.PARENTS).tolist():
            child, parent = self._actors.get(child_id), self.playing(parent_id)
            if child is None or parent in (None, child) or child.parent_id or child_id not in births:
                continue
            if child in self._spawned:
                self._world.attach(child, parent, _pose_of(births[child_id]))
        for [number] in frame.of(Packet.GONE).tolist():
            actor = self.playing(number)
            if actor is not None and (actor in self._spawned or actor in self._had_physics):
                self._world.destroy(actor)

    def release(self, *, keep_actors: bool) -> None:
        """Let all go, at rest and under physics as before; without `keep_actors` those that were spawned vanish."""
        for actor in dict.fromkeys(self._actors.values()):
            if self._is_there(actor):
                self._release(actor)
        for actor in self._spawned:
            if not keep_actors and self._is_there(actor):
                self._world.destroy(actor)

    def _is_there(self, actor: Actor) -> bool:
        return self._world.actors.find(actor.id) is actor

    def _cast(self, birth: Appeared) -> Actor | None:
        """Who plays an actor of the recording: nobody where this world has no such thing."""
        world = self._world
        if birth.type_id == _SPECTATOR:
            return world.spectator
        if birth.kind in (ActorClass.TRAFFIC_LIGHT, ActorClass.TRAFFIC_SIGN):
            return self._signal_at(birth)
        if (birth.attribute("role_name") == "hero" and self._options.ignore_hero) or (
            birth.kind == ActorClass.SENSOR and not self._with_sensors
        ):
            return None
        present = world.actors.find(birth.id)
        if present is not None and present.type_id == birth.type_id:
            self._take_over(present)
            return present
        try:
            actor = self._spawn(birth)
        except RequestError as error:
            if birth.type_id not in self._missing:
                self._world.tape.note(f"{birth.type_id[:80]} of the recording cannot be had: {error}")
            self._missing.add(birth.type_id)
            return None
        self._spawned.append(actor)
        self._take_over(actor)
        return actor

    def _spawn(self, birth: Appeared) -> Actor:
        blueprint = blueprints.find(birth.type_id)
        kinds = {attribute.name: int(attribute.kind) for attribute in blueprint.attributes}
        entries: Encoded = [
            [one.name, kinds[one.name], one.value] for one in birth.attributes if one.name in kinds
        ]
        description = [blueprint.uid, birth.type_id, entries]
        check_description(description)
        pose = _pose_of(birth)
        self._world.actors.go_on_from(birth.id)
        actor = self._world.spawn(birth.type_id, description, _OUT_OF_THE_WAY)
        self._world.place(actor, pose)
        return actor

    def _signal_at(self, birth: Appeared) -> Actor | None:
        x, y, _ = (M_PER_CM * value for value in birth.location_cm)
        kind = Kind.LIGHT if birth.kind == ActorClass.TRAFFIC_LIGHT else Kind.SIGN
        near = [
            (math.hypot(actor.pose.x - x, actor.pose.y - y), actor.id, actor)
            for actor in self._world.actors
            if actor.kind is kind
        ]
        distance_m, _, actor = min(near, default=(math.inf, 0, None), key=lambda entry: entry[:2])
        return actor if distance_m < _SAME_SIGNAL_M else None

    def _take_over(self, actor: Actor) -> None:
        row = self._row(actor)
        if row is not None:
            self._had_physics.setdefault(actor, int(row["simulate_physics"]))
            row["simulate_physics"] = 0

    def _release(self, actor: Actor) -> None:
        row = self._row(actor)
        if row is None or actor.parent_id:
            return
        row["simulate_physics"] = self._had_physics[actor]
        if actor.kind is Kind.VEHICLE:
            row["throttle"], row["steer"], row["brake"], row["hand_brake"] = 0.0, 0.0, 0.0, 0
            for name in ("forward_mps", "lateral_mps", "vertical_mps", "yaw_rate", "grounded"):
                row[name] = 0
        else:
            row["velocity"] = 0.0
        if actor.kind is Kind.WALKER:
            row["speed_mps"] = 0.0

    def _row(self, actor: Actor) -> np.void | None:
        world = self._world
        tables = {Kind.VEHICLE: world.vehicles, Kind.WALKER: world.walkers, Kind.PROP: world.props}
        table = tables.get(actor.kind)
        return table.rows[actor.slot] if table is not None else None


def _pose_of(birth: Appeared) -> Pose:
    x, y, z = (M_PER_CM * value for value in birth.location_cm)
    roll, pitch, yaw = birth.rotation_deg
    return finite(birth.id, Pose(x, y, z, pitch, yaw, roll))


def finite(actor_id: int, pose: Pose) -> Pose:
    """The pose. Raises ValueError where it is none."""
    if not math.isfinite(sum(pose)):
        raise ValueError(f"actor {actor_id} is at {tuple(pose)}, expected finite numbers")
    return pose
