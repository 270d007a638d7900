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
        since_us, first = self.times_us[-1] + 1 if self.times_us else 0, len(self.times_us)
        ticks = episode.raw(schema.TICK, since_us)
        tick = next(ticks, None)
        for truth in episode.raw(schema.TRUTH, since_us):  # side by side, so that no part is unpacked twice
            while tick is not None and tick["time_us"] < truth["time_us"]:
                tick = next(ticks, None)
            is_same = tick is not None and tick["time_us"] == truth["time_us"]
            self._add(truth, tick if is_same else None, episode.route.points[0])
        places = np.array([self._rows["x_m"][first:], self._rows["y_m"][first:]]).T
        self._rows["offset_m"] += _offsets(places, np.asarray(episode.route.points)[:, :2])

    def columns(self, first: int) -> dict[str, list]:
        """Every column from tick `first` on."""
        return {name: values[first:] for name, values in self._rows.items()}

    def _add(self, truth: dict, tick: dict | None, origin: np.ndarray) -> None:
        self.times_us.append(truth["time_us"])
        x, y, _, yaw, _, vx, vy = (float(value) for value in truth["actors"][0][:7])
        x, y = x - REAR_AXLE_TO_ORIGIN_M * math.cos(yaw), y - REAR_AXLE_TO_ORIGIN_M * math.sin(yaw)
        row: dict[str, Any] = {
            "time_s": (truth["time_us"] - self.start_us) / 1e6,
            "x_m": x, "y_m": y, "yaw_rad": yaw, "speed_mps": math.hypot(vx, vy), "others": len(truth["ids"]) - 1,
        }  # fmt: skip
        if tick is not None:
            row |= self._of_tick(tick)
            ego = tick["ego"]
            if ego is not None and tick["reply"]:
                row["lost_m"] = math.hypot(ego["x_m"] + origin[0] - x, ego["y_m"] + origin[1] - y)
        row |= self._held
        for name, values in self._rows.items():
            if name != "offset_m":
                value = row.get(name)
                values.append(round(value, _DIGITS.get(name, 2)) if type(value) is float else value)

    def _of_tick(self, tick: dict) -> dict:
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
        command = tick["command"]
        return {
            "target_mps": tick["longitudinal"]["target"] if tick["plan"] else None,
            "steer": command["steer"], "throttle": command["throttle"], "brake": command["brake"],
            "guard": tick["guard"] or None, "latency_ms": tick["timings_ms"].get("model"),
        }  # fmt: skip


def _offsets(places: np.ndarray, route: np.ndarray) -> list[float]:
    """How far left of the route's nearest piece each place (n, 2) is."""
    if not len(places):
        return []
    steps = np.diff(route, axis=0)
    steps /= np.maximum(np.linalg.norm(steps, axis=1), 1e-6)[:, None]
    offsets = []
    for part in np.array_split(places, -(-len(places) // 500)):
        nearest = ((part[:, None] - route[None]) ** 2).sum(-1).argmin(1)
        ahead, away = steps[np.minimum(nearest, len(steps) - 1)], part - route[nearest]
        offsets += np.round(ahead[:, 0] * away[:, 1] - ahead[:, 1] * away[:, 0], 2).tolist()
    return offsets
