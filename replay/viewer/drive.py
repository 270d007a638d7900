"""One drive as the page wants it: an overview of all ticks at once, everything else in blocks of a few seconds.

The overview holds what timeline and plots draw; a block holds the road users, the pedals and the conversation of its ticks.
A log that still grows is read on from where it ended. Values are plain (lists, numbers, text); world frame, metres, seconds
since the first tick. Knows nothing of HTTP and of how things look.
"""

from __future__ import annotations

import bisect
from dataclasses import asdict
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np

from drive_agent.log import schema
from drive_agent.log.encode import to_plain
from drive_agent.log.store import HELD, Episode
from replay.episode import mounts_of
from replay.viewer.overview import Overview
from replay.viewer.road import road_of

BLOCK_TICKS = 100
_ACTOR = ("kind", "type_id", "role", "half_length_m", "half_width_m", "half_height_m", "center_forward_m")


class DriveLog:
    """A log file behind the page; may be asked by several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        self._size = -1
        self._episode: Episode | None = None
        self._head: dict | None = None
        self._overview = Overview()
        self._infos: dict[str, dict] = {}  # what does not change about a road user, by id

    def head(self) -> dict:
        """What does not change while a drive goes on: the route, the cameras, the roads. Raises ValueError for no log."""
        with self._lock:
            episode = self._opened()
            if self._head is None:
                self._head = _head(episode)
            return self._head

    def overview(self, first: int = 0) -> dict:
        """Columns of all ticks from `first` on, the times of pictures from then on, and how the drive ended if it has."""
        with self._lock:
            episode = self._opened()
            columns = self._overview.columns(first)
            start_us = self._overview.start_us
            since_us = self._overview.times_us[first] if first < len(self._overview.times_us) else None
            return {
                "first": first,
                "start_us": start_us,
                "columns": columns,
                "pictures": {
                    name: [] if since_us is None else _times(episode.picture_times(name), since_us)
                    for name in episode.cameras
                },
                "outcome": to_plain(episode.outcome),
                "truncated": episode.truncated,
            }

    def block(self, number: int) -> dict:
        """Everything of the ticks from `number` x BLOCK_TICKS on but the pictures. Raises KeyError beyond the end."""
        with self._lock:
            episode = self._opened()
            times_us = self._overview.times_us[number * BLOCK_TICKS : (number + 1) * BLOCK_TICKS]
            if number < 0 or not times_us:
                raise KeyError(f"block {number}: the drive has {len(self._overview.times_us)} ticks so far")
            start_us, end_us = times_us[0], times_us[-1]
            actors, lights = [], []
            met: set[str] = set()
            for truth in episode.raw(schema.TRUTH, start_us, end_us):
                actors.append(_rows(truth))
                lights.append(truth["lights"])
                met.update(str(actor) for actor in truth["ids"])
            ticks, thoughts = [], {}
            for tick in episode.raw(schema.TICK, start_us, end_us):
                index = bisect.bisect_left(self._overview.times_us, tick["time_us"])
                ticks.append([index, *_pedals(tick)])
                if tick["reply"] or tick["plan_error"] or tick["plan"] not in (None, HELD):
                    thoughts[str(index)] = _thought(tick, self._overview.start_us)
            return {
                "number": number,
                "infos": {actor: self._infos[actor] for actor in met},
                "actors": actors,
                "lights": lights,
                "ticks": ticks,
                "thoughts": thoughts,
            }

    def pictures(self, times_us: dict[str, int]) -> list[bytes]:
        """The JPEG bytes as logged, of each camera at its time. Raises KeyError when there is none of that time."""
        with self._lock:
            episode = self._opened()
            return [episode.jpeg(schema.ImageRef(camera, time_us)) for camera, time_us in times_us.items()]

    def close(self) -> None:
        with self._lock:
            if self._episode is not None:
                self._episode.close()
                self._episode = None

    def _opened(self) -> Episode:
        """The log, opened afresh and read on when it has grown."""
        size = self.path.stat().st_size
        if self._episode is None or size != self._size:
            self.close()
            self._episode = Episode.open(self.path)
            self._size = size
            self._head = None
            self._overview.read(self._episode)
            self._infos = {
                str(info["id"]): {name: info[name] for name in _ACTOR}
                for info in self._episode.raw(schema.ACTOR)
            }
        return self._episode


def _head(episode: Episode) -> dict:
    header = episode.header
    return {
        "route": header.route_id,
        "repetition": header.repetition,
        "town": header.town,
        "seed": header.seed,
        "model": str(header.config.get("model", {}).get("kind", "?")),
        "scenarios": list(header.scenario_types),
        "commit": header.git_hash[:10],
        "block_ticks": BLOCK_TICKS,
        "cameras": [_camera(mount) for mount in mounts_of(episode)],
        "road": road_of(episode.road_map, header.route),
    }


def _camera(mount: Any) -> dict:
    return {**asdict(mount), "focal_px": mount.focal_px, "ego_to_camera": mount.ego_to_camera.tolist()}


def _times(times_us: list[int], since_us: int) -> list[int]:
    return times_us[bisect.bisect_left(times_us, since_us) :]


def _rows(truth: dict) -> np.ndarray:
    """id, x, y, yaw, speed of everyone, flat; centimetres and milliradians are enough to draw."""
    rows = np.asarray(truth["actors"], dtype=np.float64)
    speeds = np.hypot(rows[:, 5], rows[:, 6])
    return np.column_stack([truth["ids"], rows[:, :2].round(2), rows[:, 3].round(3), speeds.round(2)]).ravel()


def _pedals(tick: dict) -> list:
    """throttle, steer, brake, guard, and the terms of both controllers."""
    command = tick["command"]
    terms = [
        [tick[name][part] for part in ("target", "error", "p", "i", "d", "saturated")]
        for name in ("lateral", "longitudinal")
    ]
    return [command["throttle"], command["steer"], command["brake"], tick["guard"], *terms]


def _thought(tick: dict, start_us: int) -> dict:
    """One exchange with the model, or the plan of a driver that needs none."""
    prompt, frame = tick["prompt"], tick["frame"]
    return {
        "time_s": (tick["time_us"] - start_us) / 1e6,
        "messages": prompt and prompt["messages"],
        "images": prompt and prompt["images"],
        "previous": prompt and prompt["previous_images"],
        "reply": tick["reply"],
        "scene": None if tick["scene"] == HELD else tick["scene"],
        "forecast": None
        if tick["forecast"] == HELD
        else tick["forecast"] and tick["forecast"]["positions_ego"],
        "plan": None if tick["plan"] == HELD else tick["plan"],
        "plan_error": tick["plan_error"] and tick["plan_error"]["reason"],
        "timings_ms": tick["timings_ms"],
        "ego": tick["ego"],
        "route_ego": frame and frame["route_ego"],
    }
