"""RPCs about the recorder and the replayer. A file that is not there is told in the reply, as CARLA does; damage is an error."""

from collections.abc import Callable, Iterator
from typing import Any

from drive_agent.carla_recorder import Recording
from drive_agent.sim.recording_text import blocked_text, collisions_text, info_text
from drive_agent.sim.replayer import Cut
from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.rpc_episode import find_town
from drive_agent.sim.wire import (
    RequestError,
    decode_bool,
    decode_id,
    decode_integer,
    decode_number,
    decode_text,
    decode_transform,
)

TABLE = MethodTable()
_LONGEST_REPORT = 256 * 2**20
_BEHIND_AND_ABOVE = [[-10.0, 0.0, 5.0], [-25.0, 0.0, 0.0]]
_CATEGORIES = "hvwtoa"
_FASTEST = 1000.0


@TABLE.value
def start_recorder(client: Client, name: Any, additional_data: Any) -> str:
    """Record every tick from now on; the path of the file."""
    additional = decode_bool(additional_data, "additional_data")
    return str(client.world.tape.record(decode_text(name, "file name"), additional=additional))


@TABLE.void
def stop_recorder(client: Client) -> None:
    """Close the file."""
    client.world.tape.stop_recorder()


@TABLE.value
def show_recorder_file_info(client: Client, name: Any, show_all: Any) -> str:
    """Events, or everything, frame by frame."""
    everything = decode_bool(show_all, "show_all")
    return _report(client, name, lambda recording: info_text(recording, show_all=everything))


@TABLE.value
def show_recorder_collisions(client: Client, name: Any, first: Any, second: Any) -> str:
    """Collisions between actors of two categories."""
    one, other = (chr(decode_integer(letter, "category", 0, 127)) for letter in (first, second))
    if one not in _CATEGORIES or other not in _CATEGORIES:
        raise RequestError(
            f"categories are {one!r} and {other!r}: expected h hero, v vehicle, w walker, t traffic light, o other, a any"
        )
    return _report(client, name, lambda recording: collisions_text(recording, one, other))


@TABLE.value
def show_recorder_actors_blocked(client: Client, name: Any, min_time: Any, min_distance: Any) -> str:
    """Who moved less than `min_distance` centimetres for `min_time` seconds."""
    time_s, distance_cm = decode_number(min_time, "min_time"), decode_number(min_distance, "min_distance")
    return _report(client, name, lambda recording: blocked_text(recording, time_s, distance_cm))


@TABLE.value
def replay_file(
    client: Client,
    name: Any,
    start: Any,
    duration: Any,
    follow_id: Any,
    replay_sensors: Any,
    offset: Any = _BEHIND_AND_ABOVE,
) -> str:
    """Play a recording, in its own town, from `start` (from the end if negative) for `duration` (0: to the end) seconds."""
    tape, text = client.world.tape, decode_text(name, "file name")
    start_s, duration_s = decode_number(start, "start"), decode_number(duration, "duration")
    follow, with_sensors = decode_id(follow_id, "follow id"), decode_bool(replay_sensors, "replay_sensors")
    view = decode_transform(offset)
    lines = [f"Replaying File: {tape.path_of(text)}"]
    recording = tape.open(text)
    if recording is None:
        return "\n".join([*lines, _not_found(client, text)])
    lines += _go_to_its_town(client, recording)
    total_s = recording.frames[-1].elapsed_s if recording.frames else 0.0
    if start_s < 0.0:
        start_s = max(0.0, total_s + start_s)
    end_s = start_s + duration_s if duration_s > 0.0 else total_s
    tape.replay(recording, Cut(start_s, min(end_s, total_s), follow, with_sensors, view))
    options = tape.options
    lines += [
        f"Total time recorded: {total_s:g}",
        f"Replaying from {start_s:g} s - {end_s:g} s ({total_s:g} s) at {options.time_factor:.1f}x",
    ]
    notes = {
        "Ignoring Hero vehicle": options.ignore_hero,
        "Ignoring Spectator camera": options.ignore_spectator,
        recording.missing: recording.missing != "",
    }
    return "\n".join([*lines, *(note for note, holds in notes.items() if holds)]) + "\n"


def _go_to_its_town(client: Client, recording: Recording) -> list[str]:
    town = find_town(client.world, recording.town.split("/")[-1])
    if town is client.world.town:
        return []
    client.world.load(town)
    return [f"Loading map {recording.town}", "Replayer will start after map is loaded..."]


@TABLE.void
def stop_replayer(client: Client, keep_actors: Any) -> None:
    """End the replay; without `keep_actors` those that it spawned vanish."""
    client.world.tape.stop_replayer(keep_actors=decode_bool(keep_actors, "keep_actors"))


@TABLE.void
def set_replayer_time_factor(client: Client, factor: Any) -> None:
    """How many seconds of a recording pass in a second."""
    number = decode_number(factor, "time factor")
    if not 0.0 <= number <= _FASTEST:
        raise RequestError(f"time factor is {number}: expected 0 (stand still) to {_FASTEST:g}")
    client.world.tape.options.time_factor = number


@TABLE.void
def set_replayer_ignore_hero(client: Client, ignore: Any) -> None:
    """Whether heroes of recordings stay away."""
    client.world.tape.options.ignore_hero = decode_bool(ignore, "ignore_hero")


@TABLE.void
def set_replayer_ignore_spectator(client: Client, ignore: Any) -> None:
    """Whether the spectator stays where it is."""
    client.world.tape.options.ignore_spectator = decode_bool(ignore, "ignore_spectator")


def _report(client: Client, name: Any, write: Callable[[Recording], Iterator[str]]) -> str:
    text = decode_text(name, "file name")
    recording = client.world.tape.open(text)
    if recording is None:
        return _not_found(client, text)
    parts, length = [], 0
    for part in write(recording):
        parts.append(part)
        length += len(part)
        if length > _LONGEST_REPORT:
            raise RequestError(
                f"the report on {text[:80]!r} is longer than {_LONGEST_REPORT} letters: ask for less"
            )
    return "".join(parts)


def _not_found(client: Client, name: str) -> str:
    return f"File {client.world.tape.path_of(name)} not found on server\n"
