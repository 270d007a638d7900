"""What a recording holds, as text: in CARLA's words, for tools parse them (ScenarioRunner's metrics do).

Numbers look as C++ streams write them: six significant digits. Collisions stand before parents, as that parser wants them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from drive_agent.carla_recorder import VERSION, Appeared, Frame, Packet, Physics, Recording

_LIGHT_NAMES = (
    (1, "Position"), (2, "LowBeam"), (4, "HighBeam"), (8, "Brake"), (16, "RightBlinker"), (32, "LeftBlinker"),
    (64, "Reverse"), (256, "Interior"), (128, "Fog"), (512, "Special1"), (1024, "Special2"),
)  # fmt: skip
_DOOR_NAMES = ("Front Left", "Front Right", "Rear Left", "Rear Right", "Hood", "Trunk", "All")
_CATEGORIES = "ovwt"  # other, vehicle, walker, traffic light; "h" asks for heroes, "a" for any


def info_text(recording: Recording, *, show_all: bool) -> Iterator[str]:
    """Every event, or everything, frame by frame, in pieces."""
    yield _head(recording)
    for frame in recording.frames:
        lines = [line for part in _EVENTS for line in part(frame)]
        if show_all:
            lines += [line for packet, part in _PARTS if packet in frame.records for line in part(frame)]
            lines += [*_platform_time(frame), *_physics(frame)]
            lines += [line for packet, part in _LATE_PARTS if packet in frame.records for line in part(frame)]
        if lines or show_all:
            yield f"Frame {frame.number} at {frame.elapsed_s:g} seconds\n" + "".join(lines)
    yield _foot(recording)


def collisions_text(recording: Recording, first: str, second: str) -> Iterator[str]:
    """Collisions between two categories, each once for as long as it lasts, in pieces."""
    yield _head(recording)
    yield f"{'Time':>8} {'Types':>6} {'Id':>6} {'Actor 1':<35} {'Id':>6} {'Actor 2':<35}\n"
    actors: dict[int, Appeared] = {}
    going_on: set[tuple[int, int]] = set()
    found = False
    for frame in recording.frames:
        actors |= {actor.id: actor for actor in frame.appeared}
        before, going_on = going_on, set()
        for _, one, other, is_hero, other_is_hero in frame.of(Packet.COLLISIONS).tolist():
            kinds = [_category(actors.get(actor_id)) for actor_id in (one, other)]
            if not _asked(first, kinds[0], is_hero) or not _asked(second, kinds[1], other_is_hero):
                continue
            going_on.add((one, other))
            if (one, other) not in before:
                found = True
                names = [actors[actor_id].type_id if actor_id in actors else "" for actor_id in (one, other)]
                yield (
                    f"{frame.elapsed_s:8.0f}   {kinds[0]} {kinds[1]}  {one:6d} {names[0]:<35} "
                    f"{other:6d} {names[1]:<35}\n"
                )
    # CARLA's stream keeps the format of the times above
    yield _foot(recording, "{:.0f}" if found else "{:g}")


def blocked_text(recording: Recording, min_time_s: float, min_distance_cm: float) -> Iterator[str]:
    """Actors that moved less than this distance for at least this time, the longest first, in pieces."""
    yield _head(recording)
    yield f"{'Time':>8} {'Id':>6} {'Actor':<35} {'Duration':>10}\n"
    names: dict[int, str] = {}
    places: dict[int, np.ndarray] = {}
    stands: dict[int, tuple[float, float]] = {}  # since when, how long
    found: list[tuple[float, str]] = []

    def moves_on(actor_id: int) -> None:
        since_s, lasted_s = stands.pop(actor_id, (0.0, 0.0))
        if lasted_s > 0.0 and lasted_s >= min_time_s:
            line = f"{since_s:8.0f} {actor_id:6d} {names.get(actor_id, ''):<35} {lasted_s:10.0f}\n"
            found.append((lasted_s, line))

    for frame in recording.frames:
        names |= {actor.id: actor.type_id for actor in frame.appeared}
        for record in frame.of(Packet.POSITIONS):
            actor_id, place = int(record["id"]), record["location_cm"].astype(float)
            if np.linalg.norm(place - places.get(actor_id, 0.0)) < min_distance_cm:
                since_s, lasted_s = stands.get(actor_id, (frame.elapsed_s, 0.0))
                stands[actor_id] = since_s, lasted_s + max(0.0, frame.duration_s)
            else:
                moves_on(actor_id)
                places[actor_id] = place
        for [actor_id] in frame.of(Packet.GONE).tolist():
            moves_on(actor_id)
    for actor_id in sorted(stands):
        moves_on(actor_id)
    found.sort(key=lambda entry: -entry[0])
    yield from (line for _, line in found)
    yield _foot(recording)


def _head(recording: Recording) -> str:
    date = time.strftime("%m/%d/%y %H:%M:%S", time.localtime(recording.began_unix_s))
    return f"Version: {VERSION}\nMap: {recording.town}\nDate: {date}\n\n"


def _foot(recording: Recording, form: str = "{:g}") -> str:
    number, elapsed_s = (
        (recording.frames[-1].number, recording.frames[-1].elapsed_s) if recording.frames else (0, 0.0)
    )
    missing = f"{recording.missing}\n" if recording.missing else ""
    return f"\nFrames: {number}\nDuration: {form.format(elapsed_s)} seconds\n{missing}"


def _category(actor: Appeared | None) -> str:
    return _CATEGORIES[actor.kind] if actor is not None and actor.kind < len(_CATEGORIES) else _CATEGORIES[0]


def _asked(category: str, kind: str, is_hero: int) -> bool:
    return category in ("a", kind) or (category == "h" and bool(is_hero))


def _vector(values: np.ndarray) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"


# ---- one packet each -------------------------------------------------------------------------------------------------


def _births(frame: Frame) -> Iterator[str]:
    for actor in frame.appeared:
        place = ", ".join(f"{value:g}" for value in actor.location_cm)
        yield f" Create {actor.id}: {actor.type_id} ({actor.kind}) at ({place})\n"
        yield from (f"  {one.name} = {one.value}\n" for one in actor.attributes)


def _deaths(frame: Frame) -> Iterator[str]:
    yield from (f" Destroy {actor_id}\n" for [actor_id] in frame.of(Packet.GONE).tolist())


def _parents(frame: Frame) -> Iterator[str]:
    for child, parent in frame.of(Packet.PARENTS).tolist():
        yield f" Parenting {child} with {parent} (parent)\n"


def _collisions(frame: Frame) -> Iterator[str]:
    for number, one, other, is_hero, other_is_hero in frame.of(Packet.COLLISIONS).tolist():
        heroes = [" (hero) " if hero else "" for hero in (is_hero, other_is_hero)]
        yield f" Collision id {number} between {one}{heroes[0]} with {other}{heroes[1]}\n"


def _listed(title: str, packet: Packet, line: Callable[[np.void], str]) -> Callable[[Frame], Iterator[str]]:
    """A title with the number of records, then a line for each."""

    def lines(frame: Frame) -> Iterator[str]:
        records = frame.of(packet)
        yield f" {title}: {len(records)}\n"
        yield from (f"  Id: {record['id']} {line(record)}\n" for record in records)

    return lines


def _position(record: np.void) -> str:
    return f"Location: {_vector(record['location_cm'])} Rotation: {_vector(record['rotation_deg'])}"


def _light_state(record: np.void) -> str:
    return f"state: {record['state']} frozen: {record['frozen']} elapsedTime: {record['elapsed_s']:g}"


def _control(record: np.void) -> str:
    return (
        f"Steering: {record['steer']:g} Throttle: {record['throttle']:g} Brake: {record['brake']:g} "
        f"Handbrake: {record['handbrake']} Gear: {record['gear']}"
    )


def _vehicle_lights(record: np.void) -> str:
    return " ".join(name for bit, name in _LIGHT_NAMES if record["flags"] & bit) or "None"


def _scene_light(record: np.void) -> str:
    return f"enabled: {bool(record['on'])} intensity: {record['intensity']:g} RGB_color: {_vector(record['color'][:3])}"


def _kinematics(record: np.void) -> str:
    return f"linear_velocity: {_vector(record['velocity_mps'])} angular_velocity: {_vector(record['turn_degps'])}"


def _box(record: np.void) -> str:
    return f"origin: {_vector(record['center_cm'])} extension: {_vector(record['extent_cm'])}"


def _light_times(record: np.void) -> str:
    return (
        f"green_time: {record['green_s']:g} yellow_time: {record['yellow_s']:g} red_time: {record['red_s']:g}"
    )


def _doors(frame: Frame) -> Iterator[str]:
    records = frame.of(Packet.DOORS)
    yield f" Vehicle door animations: {len(records)}\n"
    for actor_id, door, _ in records.tolist():
        yield f"  Id: {actor_id}\n  Doors opened: "
        yield f" {_DOOR_NAMES[door]} \n" if door < len(_DOOR_NAMES) else ""


def _platform_time(frame: Frame) -> Iterator[str]:
    if frame.platform_s is not None:
        yield f" Current platform time: {frame.platform_s:g}\n"


def _physics(frame: Frame) -> Iterator[str]:
    if frame.physics:
        yield f" Physics Control events: {len(frame.physics)}\n"
    for one in frame.physics:
        yield f"  Id: {one.id}\n"
        yield from (f"   {line}\n" for line in _physics_lines(one))


def _physics_lines(one: Physics) -> Iterator[str]:
    full, engaged, disengaged = one.damping
    yield f"max_rpm = {one.max_rpm:g}"
    yield f"MOI = {one.moi:g}"
    yield f"damping_rate_full_throttle = {full:g}"
    yield f"damping_rate_zero_throttle_clutch_engaged = {engaged:g}"
    yield f"damping_rate_zero_throttle_clutch_disengaged = {disengaged:g}"
    yield f"use_gear_auto_box = {'true' if one.use_gear_autobox else 'false'}"
    yield "gear_switch_time = 0"  # recordings leave it out
    yield f"clutch_strength = {one.clutch_strength:g}"
    yield f"final_ratio = {one.final_ratio:g}"
    yield f"mass = {one.mass_kg:g}"
    yield f"drag_coefficient = {one.drag_coefficient:g}"
    yield f"center_of_mass = {_vector(np.array(one.center_of_mass_m))}"
    for name, points in (("torque_curve", one.torque_curve), ("steering_curve", one.steering_curve)):
        yield f"{name} =" + "".join(f" ({x:g}, {y:g})" for x, y in points)
    yield "forward_gears:"
    for index, (ratio, down, up) in enumerate(one.gears):
        yield f" gear {index}: ratio {ratio:g} down_ratio {down:g} up_ratio {up:g}"
    yield "wheels:"
    for index, (friction, damping, steer, radius, brake, hand_brake, *_, x, y, z) in enumerate(one.wheels):
        yield (
            f" wheel {index}: tire_friction {friction:g} damping_rate {damping:g} max_steer_angle {steer:g} "
            f"radius {radius:g} max_brake_torque {brake:g} max_handbrake_torque {hand_brake:g} "
            f"position ({x:g}, {y:g}, {z:g})"
        )


_Part = Callable[[Frame], Iterator[str]]
_EVENTS: tuple[_Part, ...] = (_births, _deaths, _collisions, _parents)
_PARTS: tuple[tuple[Packet, _Part], ...] = (
    (Packet.POSITIONS, _listed("Positions", Packet.POSITIONS, _position)),
    (Packet.LIGHTS, _listed("State traffic lights", Packet.LIGHTS, _light_state)),
    (Packet.VEHICLES, _listed("Vehicle animations", Packet.VEHICLES, _control)),
    (Packet.WALKERS, _listed("Walker animations", Packet.WALKERS, lambda r: f"speed: {r['speed_cmps']:g}")),
    (Packet.VEHICLE_LIGHTS, _listed("Vehicle light animations", Packet.VEHICLE_LIGHTS, _vehicle_lights)),
    (Packet.SCENE_LIGHTS, _listed("Scene light changes", Packet.SCENE_LIGHTS, _scene_light)),
    (Packet.KINEMATICS, _listed("Dynamic actors", Packet.KINEMATICS, _kinematics)),
    (Packet.BOXES, _listed("Actor bounding boxes", Packet.BOXES, _box)),
    (Packet.TRIGGERS, _listed("Actor trigger volumes", Packet.TRIGGERS, _box)),
)
_LATE_PARTS: tuple[tuple[Packet, _Part], ...] = (  # doors last: ScenarioRunner's parser does not know them
    (Packet.LIGHT_TIMES, _listed("Traffic Light time events", Packet.LIGHT_TIMES, _light_times)),
    (Packet.DOORS, _doors),
)
