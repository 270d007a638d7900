"""Which lamps of a vehicle shine at a moment: CARLA's light flags, and the flashing of those that flash.

Flags are those of `carla.VehicleLightState`. Two more bits exist for drawing alone: the halves of a light bar.
"""

from __future__ import annotations

POSITION, LOW_BEAM, HIGH_BEAM, BRAKE, RIGHT_BLINK, LEFT_BLINK = 1, 2, 4, 8, 16, 32
REVERSE, FOG, INTERIOR, SPECIAL1, SPECIAL2 = 64, 128, 256, 512, 1024
BAR_RED, BAR_BLUE = 1 << 16, 1 << 17

_BLINK_S, _BAR_S = 0.7, 0.5  # one flash of a blinker, of a light bar
_ALL = (SPECIAL2 << 1) - 1
_OUT_OF_STEP = 0.37  # of a flash, from one vehicle to the next: nobody's blinkers run in step


def shining(flags: int, elapsed_s: float, actor_id: int) -> int:
    """Lamps that are lit at a simulated time. Special1 flashes the halves of a light bar in turn, Special2 lights both."""
    start = _OUT_OF_STEP * actor_id
    lit = flags & _ALL
    if (elapsed_s / _BLINK_S + start) % 1.0 >= 0.5:
        lit &= ~(RIGHT_BLINK | LEFT_BLINK)
    if flags & SPECIAL2:
        lit |= BAR_RED | BAR_BLUE
    elif flags & SPECIAL1:
        lit |= BAR_RED if (elapsed_s / _BAR_S + start) % 1.0 < 0.5 else BAR_BLUE
    return lit
