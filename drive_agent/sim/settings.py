"""Settings of an episode, checked as they come from the client."""

from dataclasses import dataclass
from typing import Any

from drive_agent.sim.wire import (
    Encoded,
    RequestError,
    decode_bool,
    decode_integer,
    decode_list,
    decode_number,
)

_MEMBERS = 11
_MAX_DELTA_S = 1.0
_MOST_SUBSTEPS = 1000


@dataclass(frozen=True)
class EpisodeSettings:
    """What of CARLA's settings has a meaning here; `encoded` is all of them as the client sent them."""

    synchronous: bool
    no_rendering: bool
    fixed_delta_s: float | None
    encoded: Encoded

    @classmethod
    def decode(cls, value: Any) -> "EpisodeSettings":
        """`EpisodeSettings`, or RequestError. Vehicles move in steps of 10 ms or less whatever the substeps say."""
        members = decode_list(value, "episode settings", _MEMBERS)
        synchronous, no_rendering, optional, substepping, substep_s, substeps, culling_m = members[:7]
        ragdolls, tile_m, active_m, as_ego = members[7:]
        optional = decode_list(optional, "fixed_delta_seconds")
        delta = None
        if optional[:1] == [False]:
            decode_list(optional, "fixed_delta_seconds", 1)
        elif optional and decode_bool(optional[0], "fixed_delta_seconds"):
            delta = decode_number(decode_list(optional, "fixed_delta_seconds", 2)[1], "fixed_delta_seconds")
        if delta is not None and not 0.0 <= delta <= _MAX_DELTA_S:
            raise RequestError(f"fixed_delta_seconds is {delta}: expected 0 (variable) to {_MAX_DELTA_S} s")
        decode_bool(substepping, "substepping")
        decode_number(substep_s, "max_substep_delta_time")
        decode_integer(substeps, "max_substeps", 0, _MOST_SUBSTEPS)
        for name, number in (
            ("max_culling_distance", culling_m),
            ("tile_stream_distance", tile_m),
            ("actor_active_distance", active_m),
        ):
            decode_number(number, name)
        decode_bool(ragdolls, "deterministic_ragdolls")
        decode_bool(as_ego, "spectator_as_ego")
        return cls(
            synchronous=decode_bool(synchronous, "synchronous_mode"),
            no_rendering=decode_bool(no_rendering, "no_rendering_mode"),
            fixed_delta_s=delta or None,
            encoded=value,
        )


DEFAULT_SETTINGS = EpisodeSettings.decode(
    [False, False, [False], True, 0.01, 10, 0.0, False, 3000.0, 2000.0, True]
)


def starting_settings(*, synchronous: bool) -> EpisodeSettings:
    """What a server begins with: CARLA's defaults, or a synchronous world with a step of 50 ms."""
    if not synchronous:
        return DEFAULT_SETTINGS
    return EpisodeSettings.decode([True, False, [True, 0.05], *DEFAULT_SETTINGS.encoded[3:]])
