"""Street lamps as the client's light manager sees them: switched one by one, or all of them by the sun.

Knows where the lamps hang and how bright each is set; what they light is the renderer's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drive_agent.sim.render.materials import LAMPS_ON
from drive_agent.sim.render.scenery import StreetLamp
from drive_agent.sim.render.weather import Weather, atmosphere
from drive_agent.sim.wire import (
    Encoded,
    RequestError,
    decode_bool,
    decode_id,
    decode_integer,
    decode_list,
    decode_number,
    decode_vector,
    encode_vector,
)

INTENSITY = 1000.0  # of a lamp as it is built; others shine in proportion
STREET_GROUP = 2  # carla.LightGroup
_WHITE = [255, 255, 255]


@dataclass
class Lamp:
    """State of one lamp."""

    intensity: float = INTENSITY
    group: int = STREET_GROUP
    color: list[int] | None = None
    active: bool = False


@dataclass(frozen=True)
class Order:
    """What a client wants of one lamp."""

    lamp_id: int
    intensity: float
    group: int
    color: list[int]
    active: bool

    @classmethod
    def decode(cls, value: Any) -> "Order":
        """`LightState`, or RequestError."""
        lamp_id, location, intensity, group, color, active = decode_list(value, "light state", 6)
        decode_vector(location, "location")
        return cls(
            decode_id(lamp_id, "light id"),
            max(0.0, decode_number(intensity, "intensity")),
            decode_integer(group, "light group", 0, 255),
            [decode_integer(part, "color", 0, 255) for part in decode_list(color, "color", 3)],
            decode_bool(active, "active"),
        )


class Lamps:
    """All street lamps of a town in one episode. Ids count from 1, in the order of the scenery."""

    def __init__(self, street_lamps: Sequence[StreetLamp], weather: list[float]) -> None:
        self._street_lamps = street_lamps
        self._lamps = [Lamp() for _ in street_lamps]
        self.follows_the_sun = True
        self.weather_changed(weather)

    @property
    def levels(self) -> tuple[float, ...]:
        """Brightness of each lamp: 1 as built, 0 off."""
        return tuple(lamp.intensity / INTENSITY if lamp.active else 0.0 for lamp in self._lamps)

    def weather_changed(self, weather: list[float]) -> None:
        """By night they go on, by day off, unless a client has taken that over."""
        if self.follows_the_sun:
            is_night = bool(atmosphere(Weather.from_carla(weather)).night > LAMPS_ON)
            for lamp in self._lamps:
                lamp.active = is_night

    def set_day_night_cycle(self, *, active: bool, weather: list[float]) -> None:
        """Whether the sun switches the lamps."""
        self.follows_the_sun = active
        self.weather_changed(weather)

    def encode(self) -> Encoded:
        """`[LightState]`."""
        return [
            [index, encode_vector(*place.head), lamp.intensity, lamp.group, lamp.color or _WHITE, lamp.active]
            for index, (place, lamp) in enumerate(zip(self._street_lamps, self._lamps, strict=True), start=1)
        ]

    def apply(self, states: Any) -> None:
        """Take over `[LightState]`; RequestError, with nothing changed, for a wrong one."""
        orders = [Order.decode(state) for state in decode_list(states, "light states")]
        for order in orders:
            if not 1 <= order.lamp_id <= len(self._lamps):
                raise RequestError(f"light {order.lamp_id} is unknown: expected 1 to {len(self._lamps)}")
        for order in orders:
            self._lamps[order.lamp_id - 1] = Lamp(order.intensity, order.group, order.color, order.active)
