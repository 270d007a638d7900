"""Weather for made routes: as varied as in Bench2Drive, dealt by seed.

Source: Thinklab-SJTU/Bench2Drive, leaderboard/data/bench2drive220.xml: its weathers and how many of its 220 routes have
each. Knows nothing of carla.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_NAMES = (
    "cloudiness",
    "fog_density",
    "precipitation",
    "precipitation_deposits",
    "sun_altitude_angle",
    "wetness",
    "wind_intensity",
)
_ROUTES_WITH = (  # how many routes of the 220 have a weather: values in the order of the names
    (27, (5, 2, 0, 0, 90, 0, 10)),
    (22, (100, 100, 100, 90, -90, 100, 100)),
    (15, (5, 10, 0, 50, 15, 0, 10)),
    (14, (40, 2, 0, 50, 15, 0, 10)),
    (13, (100, 50, 60, 60, 45, 0, 60)),
    (12, (80, 3, 0, 50, 45, 20, 10)),
    (10, (100, 10, 50, 100, 45, 80, 80)),
    (10, (100, 7, 100, 90, 45, 0, 100)),
    (9, (70, 50, 60, 60, 45, 0, 60)),
    (9, (100, 10, 100, 50, 45, 50, 100)),
    (9, (5, 2, 0, 0, 15, 0, 10)),
    (9, (40, 2, 0, 50, -90, 0, 10)),
    (8, (80, 60, 60, 60, -90, 80, 60)),
    (8, (40, 7, 100, 90, 0, 0, 100)),
    (8, (5, 50, 0, 0, 45, 0, 10)),
    (7, (5, 2, 0, 0, 45, 0, 10)),
    (5, (60, 3, 60, 60, 45, 0, 60)),
    (5, (100, 3, 100, 90, -90, 100, 100)),
    (5, (60, 3, 30, 50, -90, 60, 30)),
    (5, (5, 50, 0, 0, 15, 0, 10)),
    (4, (5, 60, 0, 0, -90, 0, 10)),
    (3, (20, 3, 30, 50, 45, 0, 30)),
    (3, (50, 0, 0, 0, 70, 0, 0)),
)
_SUN_AZIMUTH_DEG = -1.0
_STREAM = 23  # of random numbers, beside those of the places


def deal_weathers(seed: int) -> Iterator[dict[str, float]]:
    """CARLA's weather parameters for one route after the other, without end: a deck of 220, shuffled each time anew."""
    rng = np.random.default_rng([seed, _STREAM])
    deck = [values for count, values in _ROUTES_WITH for _ in range(count)]
    while True:
        for card in rng.permutation(len(deck)):
            values = zip(_NAMES, map(float, deck[card]), strict=True)
            yield {**dict(values), "sun_azimuth_angle": _SUN_AZIMUTH_DEG}
