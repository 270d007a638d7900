"""A few numbers of every tick of a drive, for timeline and plots. Reads a growing log on from where it was.

Times in seconds since the first tick, poses of the rear axle in the world frame. Knows nothing of pictures.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from drive_agent.log import schema
from drive_agent.log.store import HELD, Episode
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M

COLUMNS = (
    "time_s", "x_m", "y_m", "yaw_rad", "speed_mps", "target_mps", "steer", "throttle", "brake", "guard",
    "asked", "planned", "seen", "latency_ms", "offset_m", "lost_m", "others",
)  # fmt: skip
_DECIDED = (
    "target_mps", "steer", "throttle", "brake", "guard", "asked", "planned", "seen", "latency_ms", "lost_m",
)  # fmt: skip
_DIGITS = {"time_s": 3, "yaw_rad": 4, "steer": 3, "latency_ms": 1}  # all others: 2


class Overview:
    """`asked`, `planned` and `seen` are the ticks of the reply, the plan and the scene that hold at a tick, -1 for none.

    `offset_m` is how far left of the route the car is, `lost_m` how far the agent's own position is from the true one,
    `guard` the word of the gate before the pedals. Values that a tick does not have are None.
    """

    def __init__(self) -> None:
        self.times_us: list[int] = []
        self._rows: dict[str, list] = {name: [] for name in COLUMNS}
        self._held = {"asked": -1, "planned": -1, "seen": -1}

    @property
    def start_us(self) -> int:
        return self.times_us[0] if self.times_us else 0

    def read(self, episode: Episode) -> None:
        """Take in all ticks that came since the last call."""
        since_us = self.times_us[-1] + 1 if self.times_us else 0
        ticks = episode.raw(schema.TICK, since_us)
        tick, origin, egos, counts = next(ticks, None), episode.route.points[0], [], []
        for time_us, ego, count in episode.egos(since_us):  # side by side, so that no part is unpacked twice
            while tick is not None and tick["time_us"] < time_us:
                tick = next(ticks, None)
            self.times_us.append(time_us)
            egos.append(ego)
            counts.append(count - 1)
            decided = tick if tick is not None and tick["time_us"] == time_us else None
            self._add({} if decided is None else self._of_tick(decided, ego, origin))
        if egos:
            self._add_true(np.array(egos, dtype=np.float64), counts, np.asarray(episode.route.points)[:, :2])

    def columns(self, first: int) -> dict[str, list]:
        """Every column from tick `first` on."""
        return {name: values[first:] for name, values in self._rows.items()}

    def _add(self, row: dict[str, Any]) -> None:
        """What was decided on the newest tick, and which question, plan and scene hold then."""
        row |= self._held
        for name in _DECIDED:
            value = row.get(name)
            self._rows[name].append(round(value, _DIGITS.get(name, 2)) if type(value) is float else value)

    def _add_true(self, egos: np.ndarray, counts: list[int], route: np.ndarray) -> None:
        """What was true on the newest ticks: `egos` (n, 7 or more) are their rows of `Truth.actors`."""
        yaw, velocity = egos[:, 3], egos[:, 5:7]
        places = egos[:, :2] - REAR_AXLE_TO_ORIGIN_M * np.column_stack([np.cos(yaw), np.sin(yaw)])
        times_us = np.array(self.times_us[-len(egos) :])
        true = {
            "time_s": (times_us - self.start_us) / 1e6, "x_m": places[:, 0], "y_m": places[:, 1], "yaw_rad": yaw,
            "speed_mps": np.hypot(velocity[:, 0], velocity[:, 1]), "offset_m": _offsets(places, route),
        }  # fmt: skip
        for name, values in true.items():
            self._rows[name] += np.round(values, _DIGITS.get(name, 2)).tolist()
        self._rows["others"] += counts

    def _of_tick(self, tick: dict, true: list[float], origin: np.ndarray) -> dict:
        index, plan = len(self.times_us) - 1, tick["plan"]
        asked = self._held["asked"]
        if (
            plan not in (None, HELD)
            and asked >= 0
            and plan["time_us"] > self.times_us[asked]
            and not tick["reply"]
        ):
            self._held |= {"asked": -1, "seen": -1}  # somebody drives on who asks nobody: after a fork
        if tick["reply"] or tick["plan_error"]:
            self._held["asked"] = index
        if plan != HELD:
            self._held["planned"] = index if plan else -1
        if tick["scene"] not in (None, HELD):
            self._held["seen"] = index
        command, ego = tick["command"], tick["ego"]
        return {
            "lost_m": _apart(ego, true, origin) if ego is not None and tick["reply"] else None,
            "target_mps": tick["longitudinal"]["target"] if tick["plan"] else None,
            "steer": command["steer"], "throttle": command["throttle"], "brake": command["brake"],
            "guard": tick["guard"] or None, "latency_ms": tick["timings_ms"].get("model"),
        }  # fmt: skip


def _apart(ego: dict, true: list[float], origin: np.ndarray) -> float:
    """How far the agent's own place, told from the route's `origin`, is from the rear axle of its row of `Truth.actors`."""
    x = true[0] - REAR_AXLE_TO_ORIGIN_M * math.cos(true[3])
    y = true[1] - REAR_AXLE_TO_ORIGIN_M * math.sin(true[3])
    return math.hypot(ego["x_m"] + origin[0] - x, ego["y_m"] + origin[1] - y)


def _offsets(places: np.ndarray, route: np.ndarray) -> np.ndarray:
    """How far left of the route's nearest piece each place (n, 2) is; n values."""
    steps = np.diff(route, axis=0)
    steps /= np.maximum(np.linalg.norm(steps, axis=1), 1e-6)[:, None]
    middle = route.mean(0)  # keeps the numbers small
    points = route - middle
    squares = (points**2).sum(1)
    parts = np.array_split(places - middle, -(-len(places) // 128))  # what they take stays in the cache
    # The square of a distance without the part that is the same for all points of the route.
    nearest = np.concatenate([(squares - 2 * part @ points.T).argmin(1) for part in parts])
    ahead, away = steps[np.minimum(nearest, len(steps) - 1)], places - route[nearest]
    return ahead[:, 0] * away[:, 1] - ahead[:, 1] * away[:, 0]
