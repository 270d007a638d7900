"""A recording of CARLA's recorder as ticks of truth: identities, axes and units turned into those of a log.

What a recording lacks stays unknown or follows from what it has: velocities are differences of places where no
additional data was recorded, accelerations always are; an actor's box comes with the additional data, else from
`box_of`; a collision has no impulse. Traffic lights are found by their place, since a recording knows no OpenDRIVE ids.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from drive_agent.carla_recorder import ActorClass, Appeared, Frame, Packet, Recording
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M
from drive_agent.roadmap import RoadMap
from drive_agent.types import ActorInfo, Collision, Command, LightState, ObjectKind, Truth

HERO = "hero"
LIGHT_STATES = (LightState.RED, LightState.YELLOW, LightState.GREEN)  # CARLA's 0, 1, 2; then off and unknown
SAME_LIGHT_M = 2.0  # CARLA's Town01 has its lights within 0.2 m of the signals of its OpenDRIVE
TOWN_MESH = "static.prop.mesh"  # chairs and bins that belong to the town, not to a scenario
NOBODY = 2**32 - 1  # the recorder's id for what is no actor: the town itself
Box = tuple[
    float, float, float, float
]  # half length, half width, half height, centre ahead of the origin; metres
_CM = 0.01


@dataclass(frozen=True)
class RecordedTick:
    """One tick of the ego's. `command` is what its pedals and wheel were told, None where that is not recorded."""

    truth: Truth
    command: Command | None


def ego_of(recording: Recording, wanted: int | None = None) -> int:
    """The id of the vehicle whose drive it is: the one with the role "hero", unless `wanted` names another.

    Raises ValueError, with the vehicles to choose from, where that does not single out one.
    """
    vehicles = {a.id: a for frame in recording.frames for a in frame.appeared if a.kind == ActorClass.VEHICLE}
    heroes = [actor for actor, told in vehicles.items() if told.attribute("role_name") == HERO]
    chosen = heroes if wanted is None else [actor for actor in vehicles if actor == wanted]
    if len(chosen) == 1:
        return chosen[0]
    known = ", ".join(
        f"{a.id} ({a.type_id}, {a.attribute('role_name') or 'no role'})" for a in vehicles.values()
    )
    asked = (
        f"no vehicle has the id {wanted}"
        if wanted is not None
        else f"{len(heroes)} vehicles have the role hero"
    )
    raise ValueError(f"{asked}: give ego=ID, one of {known or 'none, the recording has no vehicle'}")


def recorded_ticks(
    recording: Recording, road_map: RoadMap, ego: int, box_of: Callable[[str], Box]
) -> Iterator[RecordedTick]:
    """Every frame in which the ego is there, in order. Raises ValueError for places that are no numbers."""
    cast = _Cast(ego, road_map, box_of)
    last_us = -1
    for frame in recording.frames:
        cast.take(frame)
        time_us = round(frame.elapsed_s * 1e6) if math.isfinite(frame.elapsed_s) else -1
        if time_us <= last_us or not cast.is_driving:
            continue
        yield cast.tick(frame, time_us)
        last_us = time_us


@dataclass
class _Motion:
    """Where an actor was last, for what has to be differences."""

    time_us: int
    place_m: np.ndarray
    velocity_mps: np.ndarray


@dataclass
class _Cast:
    """Who is in the world, frame by frame."""

    ego: int
    road_map: RoadMap
    box_of: Callable[[str], Box]
    infos: dict[int, ActorInfo] = field(default_factory=dict)
    types: dict[int, str] = field(default_factory=dict)
    signals: dict[int, str] = field(default_factory=dict)
    motions: dict[int, _Motion] = field(default_factory=dict)
    is_driving: bool = False

    def take(self, frame: Frame) -> None:
        """Who came, who went, and how large they are."""
        for actor in frame.appeared:
            self.types[actor.id] = actor.type_id
            if actor.kind == ActorClass.TRAFFIC_LIGHT:
                self._meet_light(actor)
            elif _is_on_the_road(actor):
                self.infos[actor.id] = _info(actor, self.box_of(actor.type_id))
        for row in frame.of(Packet.BOXES):
            if int(row["id"]) in self.infos:
                self._resize(int(row["id"]), row)
        for actor in frame.of(Packet.GONE)["id"].tolist():
            self.infos.pop(actor, None)
            self.motions.pop(actor, None)
        self.is_driving = self.ego in self.infos and self.ego in frame.of(Packet.POSITIONS)["id"].tolist()

    def tick(self, frame: Frame, time_us: int) -> RecordedTick:
        """The frame as a tick; the ego stands first, the others in order of their appearance."""
        places = {int(row["id"]): row for row in frame.of(Packet.POSITIONS)}
        moving = {int(row["id"]): row for row in frame.of(Packet.KINEMATICS)}
        ids = (self.ego, *(actor for actor in self.infos if actor != self.ego and actor in places))
        rows = np.array([self._row(actor, time_us, places[actor], moving.get(actor)) for actor in ids])
        if not np.isfinite(rows).all():
            lost = ids[int(np.flatnonzero(~np.isfinite(rows).all(1))[0])]
            raise ValueError(
                f"frame {frame.number} has actor {lost} at no place ({places[lost]}): record it again"
            )
        truth = Truth(
            time_us=time_us,
            frame_id=frame.number,
            ids=ids,
            actors=rows,
            lights=self._lights(frame),
            infos=dict(self.infos),
            collisions=tuple(self._collisions(frame)),
        )
        return RecordedTick(truth, _command(frame, self.ego))

    def _meet_light(self, actor: Appeared) -> None:
        """Which signal of the map a light is, by its place; none where none stands there."""
        lights = [stop for stop in self.road_map.stop_lines if stop.kind == "light"]
        place_m = np.array(actor.location_cm[:2]) * (_CM, -_CM)
        apart_m = [float(np.hypot(*(stop.position[:2] - place_m))) for stop in lights]
        if apart_m and min(apart_m) <= SAME_LIGHT_M:
            self.signals[actor.id] = lights[int(np.argmin(apart_m))].signal_id

    def _resize(self, actor: int, row: np.void) -> None:
        sizes = np.array([*row["extent_cm"], row["center_cm"][0]], float) * _CM
        if np.isfinite(sizes).all() and (sizes[:3] > 0).all():
            length_m, width_m, height_m, center_m = sizes.tolist()
            self.infos[actor] = replace(
                self.infos[actor],
                half_length_m=length_m,
                half_width_m=width_m,
                half_height_m=height_m,
                center_forward_m=center_m,
            )

    def _row(self, actor: int, time_us: int, place: np.void, kinematics: np.void | None) -> tuple[float, ...]:
        """A row of `Truth.actors`."""
        x_m, y_m, z_m = (place["location_cm"].astype(float) * _CM).tolist()
        _, pitch_deg, yaw_deg = place["rotation_deg"].astype(float).tolist()
        before, here = self.motions.get(actor), np.array([x_m, -y_m])
        passed_s = (time_us - before.time_us) / 1e6 if before else 0.0
        turn_radps = 0.0
        if kinematics is not None:
            vx, vy, _ = kinematics["velocity_mps"].astype(float).tolist()
            velocity_mps = np.array([vx, -vy])
            turn_radps = -math.radians(float(kinematics["turn_degps"][2]))
        else:
            velocity_mps = (here - before.place_m) / passed_s if before else np.zeros(2)
        accel_mps2 = (velocity_mps - before.velocity_mps) / passed_s if before else np.zeros(2)
        self.motions[actor] = _Motion(time_us, here, velocity_mps)
        yaw_rad, pitch_rad = -math.radians(yaw_deg), math.radians(pitch_deg)
        return (x_m, -y_m, z_m, yaw_rad, pitch_rad, *velocity_mps.tolist(), turn_radps, *accel_mps2.tolist())

    def _lights(self, frame: Frame) -> dict[str, LightState]:
        states = {int(row["id"]): int(row["state"]) for row in frame.of(Packet.LIGHTS)}
        known = {self.signals[actor]: state for actor, state in states.items() if actor in self.signals}
        return {
            signal: LIGHT_STATES[state] if state < len(LIGHT_STATES) else LightState.NONE
            for signal, state in known.items()
        }

    def _collisions(self, frame: Frame) -> Iterator[Collision]:
        for row in frame.of(Packet.COLLISIONS):
            pair = (int(row["id"]), int(row["other"]))
            if self.ego in pair:
                other = pair[1] if pair[0] == self.ego else pair[0]
                is_town = other == NOBODY or other not in self.types
                yield Collision(0 if is_town else other, "static" if is_town else self.types[other], 0.0)


def _is_on_the_road(actor: Appeared) -> bool:
    is_prop = actor.type_id.startswith("static.prop.") and actor.type_id != TOWN_MESH
    return actor.kind in (ActorClass.VEHICLE, ActorClass.WALKER) or is_prop


def _info(actor: Appeared, box: Box) -> ActorInfo:
    kind, wheelbase_m = ObjectKind.PROP, 0.0
    if actor.kind == ActorClass.WALKER:
        kind = ObjectKind.WALKER
    elif actor.kind == ActorClass.VEHICLE:
        kind = ObjectKind.CYCLIST if actor.attribute("number_of_wheels") == "2" else ObjectKind.VEHICLE
        wheelbase_m = 2 * REAR_AXLE_TO_ORIGIN_M
    return ActorInfo(actor.id, actor.type_id, actor.attribute("role_name"), kind, *box, wheelbase_m)


def _command(frame: Frame, ego: int) -> Command | None:
    rows = frame.of(Packet.VEHICLES)
    mine = rows[rows["id"] == ego]
    if not len(mine):
        return None
    throttle, steer, brake = (float(mine[name][0]) for name in ("throttle", "steer", "brake"))
    return Command(throttle, -steer, brake) if all(map(math.isfinite, (throttle, steer, brake))) else None
