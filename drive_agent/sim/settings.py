"""Settings of an episode, checked as they come from the client."""

from dataclasses import dataclass
from typing import Any

from drive_agent.sim.wire import Encoded, RequestError, decode_bool, decode_number

_MAX_DELTA_S = 1.0


@dataclass(frozen=True)
class EpisodeSettings:
    """What of CARLA's settings has a meaning here; `encoded` is all of them as the client sent them."""

    synchronous: bool
    no_rendering: bool
    fixed_delta_s: float | None
    encoded: Encoded

    @classmethod
    def decode(cls, value: Any) -> "EpisodeSettings":
        """`EpisodeSettings`, or RequestError."""
        if not isinstance(value, list) or len(value) < 11:
            raise RequestError(f"episode settings are {value!r}: expected 11 members")
        optional = value[2]
        if not isinstance(optional, list) or not optional:
            raise RequestError(f"fixed_delta_seconds is {optional!r}: expected an optional number")
        delta = (
            decode_number(optional[1], "fixed_delta_seconds") if optional[0] and len(optional) > 1 else None
        )
        if delta is not None and not 0.0 <= delta <= _MAX_DELTA_S:
            raise RequestError(f"fixed_delta_seconds is {delta}: expected 0 (variable) to {_MAX_DELTA_S} s")
        return cls(
            synchronous=decode_bool(value[0], "synchronous_mode"),
            no_rendering=decode_bool(value[1], "no_rendering_mode"),
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
