"""A log as a recording of CARLA's recorder, for tools that read those: `client.replay_file`, `show_recorder_file_info`,
ScenarioRunner's metrics.

Holds what both formats know: who was where and how fast, the lights, the collisions, the ego's pedals and wheel. Pictures and
everything that the model said have no place in it. Blueprints are told by their names (their numbers differ between
servers), a traffic light stands where the map has its signal.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from drive_agent.carla_recorder import (
    RECORDS,
    ActorClass,
    Appeared,
    Attribute,
    Frame,
    Packet,
    frame_bytes,
    header_bytes,
)
from drive_agent.log.store import Episode
from drive_agent.roadmap import StopLine
from drive_agent.types import ActorInfo, Command, LightState, ObjectKind, Truth

BEGAN_UNIX_S = 0  # simulated: the same log gives the same file
LIGHT_STATES = {LightState.RED: 0, LightState.YELLOW: 1, LightState.GREEN: 2, LightState.NONE: 3}
NOBODY = 2**32 - 1
_TEXT, _INT = 3, 1
_CM = 100.0


def write_recording(log: Path, out: Path) -> Path:
    """Write the file; whole or not at all. Raises ValueError for a log without ticks."""
    part = out.with_name(out.name + ".part")
    try:
        with Episode.open(log) as episode, part.open("wb") as file:
            file.write(header_bytes(episode.header.town, BEGAN_UNIX_S))
            for frame in _frames(episode):
                file.write(frame_bytes(frame))
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return out


def _frames(episode: Episode) -> Iterator[Frame]:
    commands = {time_us: record.command for time_us, record in episode.ticks()}
    stage = None
    for truth in episode.truths():
        if stage is None:
            lights = [stop for stop in episode.road_map.stop_lines if stop.kind == "light"]
            stage = _Stage(lights, first_id=_first_free_id(episode), start_us=truth.time_us)
        yield stage.frame(truth, commands.get(truth.time_us))
    if stage is None:
        raise ValueError(
            f"{episode.path} has no tick, expected a drive: it ended before it began; drive it again"
        )


def _first_free_id(episode: Episode) -> int:
    """For the traffic lights, whose actors a log does not name."""
    return max(actor for truth in episode.truths() for actor in truth.ids) + 1


class _Stage:
    """Who has appeared so far, frame by frame."""

    def __init__(self, lights: list[StopLine], first_id: int, start_us: int) -> None:
        self._lights = {stop.signal_id: first_id + k for k, stop in enumerate(lights)}
        self._to_come = [_light(stop, self._lights[stop.signal_id]) for stop in lights]
        self._there: set[int] = set()
        self._start_us = self._last_us = start_us
        self._number = self._collisions = 0

    def frame(self, truth: Truth, command: Command | None) -> Frame:
        """One tick."""
        new = [actor for actor in truth.ids if actor not in self._there]
        gone = sorted(self._there - set(truth.ids))
        rows = dict(zip(truth.ids, truth.actors, strict=True))
        born = [*self._to_come, *(_appeared(truth.infos[actor], rows[actor]) for actor in new)]
        records = {
            Packet.GONE: _table(Packet.GONE, [(actor,) for actor in gone]),
            Packet.COLLISIONS: _table(Packet.COLLISIONS, list(self._hits(truth))),
            Packet.POSITIONS: _table(
                Packet.POSITIONS, [(a, _location(row), _rotation(row)) for a, row in rows.items()]
            ),
            Packet.LIGHTS: _table(
                Packet.LIGHTS,
                [
                    (self._lights[s], 0, 0.0, LIGHT_STATES[state])
                    for s, state in truth.lights.items()
                    if s in self._lights
                ],
            ),
            Packet.VEHICLES: _table(Packet.VEHICLES, [_pedals(truth.ids[0], command)] if command else []),
            Packet.WALKERS: _table(
                Packet.WALKERS,
                [
                    (actor, float(np.hypot(row[5], row[6])) * _CM)
                    for actor, row in rows.items()
                    if truth.infos[actor].kind is ObjectKind.WALKER
                ],
            ),
            Packet.KINEMATICS: _table(
                Packet.KINEMATICS,
                [(a, (row[5], -row[6], 0.0), (0.0, 0.0, -np.degrees(row[7]))) for a, row in rows.items()],
            ),
            Packet.BOXES: _table(Packet.BOXES, [_box(truth.infos[actor]) for actor in new]),
        }
        self._number += 1
        duration_s = (truth.time_us - self._last_us) / 1e6
        self._there, self._to_come, self._last_us = set(truth.ids), [], truth.time_us
        elapsed_s = (truth.time_us - self._start_us) / 1e6
        return Frame(self._number, duration_s, elapsed_s, tuple(born), records)

    def _hits(self, truth: Truth) -> Iterator[tuple[int, int, int, int, int]]:
        for hit in truth.collisions:
            self._collisions += 1
            yield self._collisions, truth.ids[0], hit.other_id or NOBODY, 1, 0


def _table(packet: Packet, rows: list[tuple]) -> np.ndarray:
    return np.array(rows, RECORDS[packet])


def _appeared(info: ActorInfo, row: np.ndarray) -> Appeared:
    attributes = [Attribute(_TEXT, "role_name", info.role)]
    kind = ActorClass.OTHER
    if info.kind is ObjectKind.WALKER:
        kind = ActorClass.WALKER
    elif info.kind is not ObjectKind.PROP:
        kind = ActorClass.VEHICLE
        attributes.append(
            Attribute(_INT, "number_of_wheels", "2" if info.kind is ObjectKind.CYCLIST else "4")
        )
    return Appeared(info.id, kind, _location(row), _rotation(row), 0, info.type_id, tuple(attributes))


def _light(stop: StopLine, actor: int) -> Appeared:
    x_m, y_m, z_m = stop.position.tolist()
    place_cm = (x_m * _CM, -y_m * _CM, z_m * _CM)
    return Appeared(actor, ActorClass.TRAFFIC_LIGHT, place_cm, (0.0, 0.0, 0.0), 0, "traffic.traffic_light")


def _location(row: np.ndarray) -> tuple[float, float, float]:
    return float(row[0]) * _CM, -float(row[1]) * _CM, float(row[2]) * _CM


def _rotation(row: np.ndarray) -> tuple[float, float, float]:
    """Roll, which a log does not hold, pitch, yaw."""
    return 0.0, float(np.degrees(row[4])), -float(np.degrees(row[3]))


def _pedals(actor: int, command: Command) -> tuple[int, float, float, float, int, int]:
    return actor, -command.steer, command.throttle, command.brake, 0, 1


def _box(info: ActorInfo) -> tuple:
    size = (info.half_length_m, info.half_width_m, info.half_height_m)
    return info.id, (info.center_forward_m * _CM, 0.0, info.half_height_m * _CM), tuple(v * _CM for v in size)
