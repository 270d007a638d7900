"""The recorder: after each tick a frame of CARLA's recorder file, read off the snapshot that clients get."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drive_agent import doors
from drive_agent.carla_recorder import (
    NO_ACTOR,
    RECORDS,
    ActorClass,
    Appeared,
    Attribute,
    Frame,
    Packet,
    Physics,
    frame_bytes,
    header_bytes,
)
from drive_agent.sim import car_doors, wire
from drive_agent.sim.actors import Actor, Kind
from drive_agent.sim.blueprints import vehicle_model
from drive_agent.sim.physics_control import PhysicsControl
from drive_agent.sim.poses import compose
from drive_agent.sim.vehicle_parameters import factory_control, wheel_positions

if TYPE_CHECKING:
    from drive_agent.sim.world import World

_CM = 100.0
_KINDS = {
    Kind.VEHICLE: ActorClass.VEHICLE,
    Kind.WALKER: ActorClass.WALKER,
    Kind.LIGHT: ActorClass.TRAFFIC_LIGHT,
    Kind.SIGN: ActorClass.TRAFFIC_SIGN,
    Kind.SENSOR: ActorClass.SENSOR,
}
_MOVING = (Kind.VEHICLE, Kind.WALKER, Kind.PROP, Kind.OTHER)  # whose positions every frame has
_SIGNALS = (Kind.LIGHT, Kind.SIGN)
_COLLISION_SENSOR = "sensor.other.collision"
_LONGEST_TEXT = 10_000  # of what a client said of an actor
_UNKNOWN_S = -1.0  # how long the last frame lasts


class Recorder:
    """Records a world into a file until stopped; with `additional` also speeds, boxes, physics and times of lights."""

    def __init__(self, world: World, path: Path, *, additional: bool) -> None:
        self._world, self._additional = world, additional
        self._started_s = time.monotonic()
        self._last: dict[Packet, dict[int, Any]] = {}
        self._collisions = 0
        self._known: dict[int, Actor] = {}
        self._pending: Frame | None = None  # how long it lasts is known with the next one
        self._file = path.open("wb")
        self._file.write(header_bytes(world.town.name, int(time.time())))

    def after_tick(self, delta_s: float) -> None:
        """One frame. Raises OSError when the disk is full, ValueError for more actors than a frame can hold."""
        before = self._pending
        self._write_pending(delta_s)
        number, elapsed_s = (
            (before.number + 1, before.elapsed_s + delta_s) if before is not None else (1, 0.0)
        )
        self._pending = self._frame(number, elapsed_s)

    def flush(self) -> None:
        """Let readers of the file see what is written."""
        self._file.flush()

    def stop(self) -> None:
        """Write the last frame and close the file. Raises OSError when the disk is full."""
        with self._file:
            self._write_pending(_UNKNOWN_S)

    def _write_pending(self, duration_s: float) -> None:
        if self._pending is not None:
            frame, self._pending = replace(self._pending, duration_s=duration_s), None
            self._file.write(frame_bytes(frame, additional=self._additional))

    # ---- what a frame holds ------------------------------------------------------------------------------------------

    def _frame(self, number: int, elapsed_s: float) -> Frame:
        born, gone = self._population()
        records = {
            Packet.GONE: _records(Packet.GONE, [(actor_id,) for actor_id in gone]),
            Packet.PARENTS: _records(Packet.PARENTS, [(a.id, a.parent_id) for a in born if a.parent_id]),
            Packet.COLLISIONS: _records(Packet.COLLISIONS, list(self._contacts())),
            Packet.POSITIONS: self._positions(),
            Packet.LIGHTS: self._lights(),
            Packet.VEHICLES: self._controls(),
            Packet.WALKERS: self._walker_speeds(),
            Packet.VEHICLE_LIGHTS: self._vehicle_lights(),
            Packet.SCENE_LIGHTS: _records(
                Packet.SCENE_LIGHTS,
                [(lamp, *state) for lamp, state in self._changed(Packet.SCENE_LIGHTS, self._lamps())],
            ),
            Packet.DOORS: _records(Packet.DOORS, self._swung()),
        }
        appeared = tuple(map(self._appeared, born))
        if not self._additional:
            return Frame(number, 0.0, elapsed_s, appeared, _without_empty(records))
        records |= {
            Packet.KINEMATICS: self._kinematics(),
            Packet.BOXES: _records(
                Packet.BOXES, [_box(actor) for actor in born if actor.kind not in _SIGNALS]
            ),
            Packet.TRIGGERS: _records(
                Packet.TRIGGERS, [_trigger(actor) for actor in born if actor.kind in _SIGNALS]
            ),
            Packet.LIGHT_TIMES: _records(Packet.LIGHT_TIMES, self._light_times()),
        }
        platform_s = time.monotonic() - self._started_s
        return Frame(
            number,
            0.0,
            elapsed_s,
            appeared,
            _without_empty(records),
            self._physics(),
            platform_s,
            self._world.frame,
        )

    def _physics(self) -> tuple[Physics, ...]:
        vehicles = self._world.vehicles
        controls = {actor.id: (actor, actor.physics_control) for actor in vehicles.owners}
        changed = self._changed(Packet.PHYSICS, controls)
        return tuple(_physics(actor, vehicles.rows[actor.slot]) for _, (actor, _) in changed)

    def _light_times(self) -> list[tuple]:
        signals = self._world.signals
        times = {actor.id: signals.durations_s(actor.slot) for actor in self._world.light_actors}
        return [(light, *durations) for light, durations in self._changed(Packet.LIGHT_TIMES, times)]

    def _changed(self, packet: Packet, values: dict[int, Any]) -> list[tuple[int, Any]]:
        """What is new or other than in the frame before."""
        before, self._last[packet] = self._last.get(packet, {}), values
        return [(key, value) for key, value in values.items() if key not in before or before[key] != value]

    def _population(self) -> tuple[list[Actor], list[int]]:
        before = self._known
        self._known = {actor.id: actor for actor in self._world.actors}
        born = [actor for actor in self._known.values() if actor.id not in before]
        return born, [actor_id for actor_id in before if actor_id not in self._known]

    def _appeared(self, actor: Actor) -> Appeared:
        pose = actor.relative_pose if actor.parent_id else self._world.pose_of(actor)
        uid, type_id, attributes = actor.description[:3]
        told = tuple(Attribute(_byte(kind), _short(name), _short(value)) for name, kind, value in attributes)
        angles, kind = (pose.roll, pose.pitch, pose.yaw), _KINDS.get(actor.kind, ActorClass.OTHER)
        return Appeared(actor.id, kind, _cm(pose[:3]), angles, _uid(uid), type_id, told)

    def _contacts(self) -> Iterator[tuple]:
        """Of actors that carry a collision sensor, as in CARLA."""
        carriers = {sensor.parent_id for sensor in self._world.sensors if sensor.type_id == _COLLISION_SENSOR}
        for event in self._world.contacts:
            if event.actor.id in carriers:
                other_id = event.other.id if event.other is not None else NO_ACTOR
                other_is_hero = event.other is not None and _is_hero(event.other)
                yield self._collisions, event.actor.id, other_id, _is_hero(event.actor), other_is_hero
                self._collisions += 1

    # ---- records off the snapshot ------------------------------------------------------------------------------------

    def _positions(self) -> np.ndarray:
        rows = [actor.row for actor in self._known.values() if actor.kind in _MOVING]
        return _poses(self._world.actors.records[rows])

    def _lights(self) -> np.ndarray:
        lights = [actor.row for actor in self._world.light_actors]
        signals = self._world.actors.records.view(wire.SIGNAL_RECORD)[lights]
        found = np.zeros(len(lights), RECORDS[Packet.LIGHTS])
        found["id"], found["frozen"] = signals["id"], signals["frozen"]
        found["elapsed_s"], found["state"] = signals["elapsed_s"], signals["light_state"]
        return found

    def _controls(self) -> np.ndarray:
        records = self._world.actors.records.view(wire.VEHICLE_RECORD)[self._world.vehicles.record_rows]
        found = np.zeros(len(records), RECORDS[Packet.VEHICLES])
        for name in ("id", "steer", "throttle", "brake", "gear"):
            found[name] = records[name]
        found["handbrake"] = records["hand_brake"]
        return found

    def _walker_speeds(self) -> np.ndarray:
        walkers = self._world.walkers
        found = np.zeros(len(walkers.owners), RECORDS[Packet.WALKERS])
        found["id"] = [owner.id for owner in walkers.owners]
        found["speed_cmps"] = _CM * walkers.rows["speed_mps"]
        return found

    def _vehicle_lights(self) -> np.ndarray:
        vehicles = self._world.vehicles
        found = np.zeros(len(vehicles.owners), RECORDS[Packet.VEHICLE_LIGHTS])
        found["id"], found["flags"] = [owner.id for owner in vehicles.owners], vehicles.rows["light_flags"]
        return found

    def _kinematics(self) -> np.ndarray:
        world = self._world
        rows = np.concatenate([world.vehicles.record_rows, world.walkers.record_rows])
        found = np.zeros(len(rows), RECORDS[Packet.KINEMATICS])
        records = world.actors.records[rows]
        found["id"], found["velocity_mps"] = records["id"], records["velocity"]
        found["turn_degps"] = records["angular_velocity"]
        return found

    def _lamps(self) -> dict[int, tuple]:
        lamps = {}
        for lamp_id, _, intensity, group, color, active in self._world.lamps.encode():
            lamps[lamp_id] = (intensity, (*(part / 255.0 for part in color), 1.0), active, group)
        return lamps

    def _swung(self) -> list[tuple]:
        """Doors that are open in the first frame of their car, and those that have moved since."""
        vehicles = self._world.vehicles
        now = {a.id: int(bits) for a, bits in zip(vehicles.owners, vehicles.rows["open_doors"], strict=True)}
        before = self._last.get(Packet.DOORS, {})
        return [
            (actor_id, door, bool(bits & car_doors.bits(door)))
            for actor_id, bits in self._changed(Packet.DOORS, now)
            for door in doors.DOORS
            if (bits ^ before.get(actor_id, 0)) & car_doors.bits(door)
        ]


def _records(packet: Packet, rows: list[tuple]) -> np.ndarray:
    return np.array(rows, RECORDS[packet])


def _without_empty(records: dict[Packet, np.ndarray]) -> dict[Packet, np.ndarray]:
    """As CARLA leaves packets out; those that every frame has are written all the same."""
    return {packet: found for packet, found in records.items() if len(found) or packet is Packet.BOXES}


def _cm(meters: Any) -> tuple[float, float, float]:
    x, y, z = meters
    return _CM * x, _CM * y, _CM * z


def _uid(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**32 else 0


def _byte(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 256 else 0


def _short(value: Any) -> str:
    return str(value)[:_LONGEST_TEXT]


def _is_hero(actor: Actor) -> bool:
    return actor.attributes.get("role_name") == "hero"


def _poses(records: np.ndarray) -> np.ndarray:
    found = np.zeros(len(records), RECORDS[Packet.POSITIONS])
    found["id"], found["location_cm"] = records["id"], _CM * records["pose"][:, :3]
    found["rotation_deg"] = records["pose"][:, [5, 3, 4]]
    return found


def _box(actor: Actor) -> tuple:
    return actor.id, _cm(actor.center), _cm(actor.half_extents)


def _trigger(actor: Actor) -> tuple:
    """The trigger volume of a light or a sign, in the world."""
    at = compose(actor.pose, wire.Pose(*actor.center, 0.0, 0.0, 0.0))
    return actor.id, _cm(at[:3]), _cm(actor.half_extents)


def _physics(actor: Actor, row: Any) -> Physics:
    model = vehicle_model(actor.type_id)
    control: PhysicsControl = actor.physics_control or factory_control(model)
    places = wheel_positions(row, control, model)
    damping = (
        control.damping_full_throttle,
        control.damping_clutch_engaged,
        control.damping_clutch_disengaged,
    )
    return Physics(
        actor.id, control.max_rpm, control.moi, damping, control.use_gear_autobox, control.clutch_strength,
        control.final_ratio, control.mass_kg, control.drag_coefficient, control.center_of_mass_m, control.torque_curve,
        tuple((gear.ratio, gear.down_ratio, gear.up_ratio) for gear in control.gears), control.steering_curve,
        tuple((*vars(wheel).values(), *_cm(place)) for wheel, place in zip(control.wheels, places, strict=True)),
    )  # fmt: skip
