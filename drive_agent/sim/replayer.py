"""The replayer: actors of a recording stand where they stood, tick by tick, between two frames on the line between them.

Who they are is the cast's business (`replay_cast.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drive_agent.carla_recorder import Frame, Packet, Recording
from drive_agent.doors import DOORS
from drive_agent.sim import car_doors
from drive_agent.sim.actors import Actor, Kind
from drive_agent.sim.poses import compose
from drive_agent.sim.replay_cast import M_PER_CM, Cast, ReplayOptions, finite
from drive_agent.sim.wire import LightState, Pose, RequestError

if TYPE_CHECKING:
    from drive_agent.sim.world import World

_M = 0.01
_OUT_OF_THE_WAY = Pose(
    0.0, 0.0, 1e4, 0.0, 0.0, 0.0
)  # where actors are spawned before they are put in their place
_SAME_SIGNAL_M = 1.0
_FASTEST_MPS = 300.0  # who goes faster from frame to frame was put elsewhere


@dataclass(frozen=True)
class Cut:
    """The part of a recording that is played, and how: whom the spectator follows (0: nobody), and from where."""

    start_s: float
    end_s: float
    follow_id: int
    with_sensors: bool
    view_of_followed: Pose


class Replayer:
    """Plays one recording in a world. Owns the recording."""

    def __init__(self, world: World, recording: Recording, cut: Cut, options: ReplayOptions) -> None:
        self._world, self._recording, self._cut, self._options = world, recording, cut, options
        self._cast = Cast(world, options, with_sensors=cut.with_sensors)
        self._time_s, self._index = cut.start_s, -1
        self._now: Frame | None = None
        self._next: Frame | None = None
        self.ended = False

    # ---- playing -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Cast the actors who are there at the start. Raises ValueError for a recording that makes no sense."""
        self._go_to(self._cut.start_s)

    def step(self, delta_s: float) -> None:
        """Go on by one tick; `ended` after the last one. Raises ValueError for a frame that makes no sense."""
        self._time_s += delta_s * self._options.time_factor
        self._go_to(min(self._time_s, self._cut.end_s))
        if self._now is None:
            self.ended = True
            return
        self._place_all(self._now, min(self._time_s, self._cut.end_s))
        self._set_states(self._now)
        self._follow()
        self.ended = self._time_s >= self._cut.end_s

    def stop(self, *, keep_actors: bool) -> None:
        """Let the actors go, at rest; without `keep_actors` those that came with the recording vanish."""
        self._cast.release(keep_actors=keep_actors)

    def _go_to(self, time_s: float) -> None:
        """Make the frame at this time the present one; births and deaths of those between happen."""
        frames = self._recording.frames
        while self._index + 1 < len(frames) and (
            self._index < 0 or frames[self._index + 1].elapsed_s <= time_s
        ):
            self._index += 1
            self._cast.change(frames[self._index])
            self._swing_doors(frames[self._index])
            self._switch_lamps(frames[self._index])
        self._now = frames[self._index] if frames else None
        self._next = frames[self._index + 1] if self._index + 1 < len(frames) else None

    def _place_all(self, now: Frame, time_s: float) -> None:
        """Poses at `time_s` and the velocities between the two frames."""
        places = {int(record["id"]): record for record in now.of(Packet.POSITIONS)}
        later = {int(r["id"]): r for r in self._next.of(Packet.POSITIONS)} if self._next is not None else {}
        span_s = self._next.elapsed_s - now.elapsed_s if self._next is not None else 0.0
        share = min(1.0, max(0.0, (time_s - now.elapsed_s) / span_s)) if span_s > 0.0 else 0.0
        for actor_id, record in places.items():
            actor = self._cast.playing(actor_id)
            if actor is None:
                continue
            here, there = _pose(record), _pose(later.get(actor_id, record))
            difference = Pose(
                *(b - a for a, b in zip(here[:3], there[:3], strict=True)), *_turns(here, there)
            )
            pose = Pose(*(a + share * d for a, d in zip(here, difference, strict=True)))
            self._put(actor, pose, difference, self._options.time_factor / span_s if span_s > 0.0 else 0.0)

    def _put(self, actor: Actor, pose: Pose, difference: Pose, rate: float) -> None:
        world = self._world
        world.place(actor, pose)
        x, y, z = (rate * value for value in difference[:3])
        if not math.hypot(x, y, z) < _FASTEST_MPS:
            x = y = z = rate = 0.0
        if actor.kind is Kind.VEHICLE:
            row = world.vehicles.rows[actor.slot]
            cos, sin = math.cos(row["yaw"]), math.sin(row["yaw"])
            row["forward_mps"], row["lateral_mps"] = x * cos + y * sin, -x * sin + y * cos
            row["vertical_mps"], row["grade"] = z, 0.0
            row["yaw_rate"] = math.radians(rate * difference.yaw)
        elif actor.kind is Kind.WALKER:
            world.walkers.rows["velocity"][actor.slot] = (x, y, z)
        elif actor.kind is Kind.PROP:
            world.props.rows["velocity"][actor.slot] = (x, y, z)

    def _set_states(self, now: Frame) -> None:
        """Lights, pedals, gears, walkers' pace."""
        world = self._world
        for number, frozen, elapsed_s, state in now.of(Packet.LIGHTS).tolist():
            actor = self._cast.playing(number)
            if actor is not None and actor.kind is Kind.LIGHT and state in set(LightState):
                world.signals.set_state(actor.slot, state)
                group = world.signals.group_of(actor.slot)
                group["frozen"], group["elapsed_s"] = (
                    bool(frozen),
                    elapsed_s if math.isfinite(elapsed_s) else 0.0,
                )
        for number, *control in _numbers(now, Packet.VEHICLES):
            actor = self._cast.playing(number)
            if actor is not None and actor.kind is Kind.VEHICLE:
                _control(world.vehicles.rows[actor.slot], control)
        for number, speed_cmps in _numbers(now, Packet.WALKERS):
            actor = self._cast.playing(number)
            if actor is not None and actor.kind is Kind.WALKER:
                world.walkers.rows["speed_mps"][actor.slot] = M_PER_CM * speed_cmps
        for number, flags in now.of(Packet.VEHICLE_LIGHTS).tolist():
            actor = self._cast.playing(number)
            if actor is not None and actor.kind is Kind.VEHICLE:
                world.vehicles.rows["light_flags"][actor.slot] = flags

    def _swing_doors(self, frame: Frame) -> None:
        for number, door, is_open in frame.of(Packet.DOORS).tolist():
            actor = self._cast.playing(number)
            if actor is not None and actor.kind is Kind.VEHICLE and door in DOORS:
                row = self._world.vehicles.rows[actor.slot]
                bits = car_doors.bits(door)
                row["open_doors"] = row["open_doors"] | bits if is_open else row["open_doors"] & ~bits

    def _switch_lamps(self, frame: Frame) -> None:
        orders = [
            [lamp, [0.0, 0.0, 0.0], intensity, group, [round(255.0 * part) for part in color[:3]], bool(on)]
            for lamp, intensity, color, on, group in frame.of(Packet.SCENE_LIGHTS).tolist()
            if math.isfinite(sum(color))
        ]
        try:
            self._world.lamps.apply(orders)
        except RequestError as error:
            self._world.tape.note(f"lamps of the recording stay as they are: {error}")

    def _follow(self) -> None:
        actor = self._cast.playing(self._cut.follow_id)
        if actor is not None:
            view = compose(self._world.pose_of(actor), self._cut.view_of_followed)
            self._world.place(self._world.spectator, view)


def _numbers(frame: Frame, packet: Packet) -> Iterator[tuple]:
    """Records of a packet; ValueError where one is not finite."""
    for record in frame.of(packet).tolist():
        if not all(math.isfinite(value) for value in record):
            raise ValueError(f"frame {frame.number}: {packet.name.lower()} {record}: expected finite numbers")
        yield record


def _control(row: np.void, control: list) -> None:
    steer, throttle, brake, hand_brake, gear = control
    row["steer"], row["throttle"], row["brake"] = (
        min(max(steer, -1.0), 1.0), min(max(throttle, 0.0), 1.0), min(max(brake, 0.0), 1.0),
    )  # fmt: skip
    row["hand_brake"], row["reverse"], row["manual_gear_shift"] = bool(hand_brake), gear < 0, 0
    row["gear"] = min(max(gear, -1), 100)


def _pose(record: np.void) -> Pose:
    """Of a POSITIONS record. Raises ValueError where it is none."""
    x, y, z = (M_PER_CM * record["location_cm"].astype(float)).tolist()
    roll, pitch, yaw = record["rotation_deg"].astype(float).tolist()
    return finite(int(record["id"]), Pose(x, y, z, pitch, yaw, roll))


def _turns(here: Pose, there: Pose) -> list[float]:
    """The short way from one pitch, yaw, roll to another, degrees."""
    return [(b - a + 180.0) % 360.0 - 180.0 for a, b in zip(here[3:], there[3:], strict=True)]
