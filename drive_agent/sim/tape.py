"""What is recorded and replayed of a world. Recordings are files in one folder, and nothing a client says leaves it."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

from drive_agent.carla_recorder import MAGIC, Recording, is_recording, read_recording
from drive_agent.sim.recorder import Recorder
from drive_agent.sim.replay_cast import ReplayOptions
from drive_agent.sim.replayer import Cut, Replayer
from drive_agent.sim.wire import RequestError

if TYPE_CHECKING:
    from drive_agent.sim.world import World

log = logging.getLogger("drive_agent.sim")

DEFAULT_FOLDER = Path("recordings")
MOST_BYTES = 512 * 2**20  # of a recording that is opened: it is held in memory
_HEAD_BYTES = 4 + len(MAGIC)


class Tape:
    """At most one recorder or replayer at a time, as in CARLA: starting one ends the other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.folder = DEFAULT_FOLDER
        self.options = ReplayOptions()
        self._recorder: Recorder | None = None
        self._replayer: Replayer | None = None

    # ---- files -------------------------------------------------------------------------------------------------------

    def path_of(self, name: str) -> Path:
        """The file of a recording: a name, or a path below the folder. RequestError for any other."""
        folder = self.folder.resolve()
        try:
            path = (folder / name).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise RequestError(f"recording {name[:80]!r}: {error}: expected a file's name") from error
        if folder not in path.parents:
            raise RequestError(
                f"recording {name[:80]!r} lies outside {folder}: expected a name, or a path in there"
            )
        return path

    def open(self, name: str) -> Recording | None:
        """The whole frames of a recording, or None where there is no such file; RequestError for what is none."""
        path = self.path_of(name)
        try:
            if self._recorder is not None:
                self._recorder.flush()
            if not path.is_file():
                return None
            if path.stat().st_size > MOST_BYTES:
                raise ValueError(f"it has {path.stat().st_size} bytes, expected at most {MOST_BYTES}")
            return _with_a_clock(read_recording(path.read_bytes()))
        except (OSError, ValueError) as error:
            raise RequestError(f"recording {name[:80]!r} cannot be read: {error}") from error

    def record(self, name: str, *, additional: bool) -> Path:
        """Start recording into a file; its path."""
        path = self.path_of(name)
        self.stop_recorder()
        self.stop_replayer(keep_actors=True)
        try:
            if path.exists() and not _is_recording(path):
                raise RequestError(f"{path} exists and is no recording: expected another name")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._recorder = Recorder(self._world, path, additional=additional)
        except OSError as error:
            raise RequestError(f"{path} cannot be written: {error.strerror}") from error
        return path

    def replay(self, recording: Recording, cut: Cut) -> None:
        """Start playing; RequestError for a recording that makes no sense."""
        self.stop_recorder()
        self.stop_replayer(keep_actors=True)
        replayer = Replayer(self._world, recording, cut, self.options)
        try:
            replayer.start()
        except ValueError as error:
            replayer.stop(keep_actors=False)
            raise RequestError(f"the recording cannot be played: {error}") from error
        self._replayer = replayer

    def stop_recorder(self) -> None:
        """End the recording, if there is one."""
        if self._recorder is not None:
            self._recorder, recorder = None, self._recorder
            try:
                recorder.stop()
            except OSError as error:
                log.error("the end of the recording is lost: %s", error)

    def stop_replayer(self, *, keep_actors: bool) -> None:
        """End the replay, if there is one."""
        if self._replayer is not None:
            self._replayer, replayer = None, self._replayer
            replayer.stop(keep_actors=keep_actors)

    def note(self, text: str) -> None:
        """Something about a replay that its client is not told."""
        log.warning("%s", text)

    # ---- the world's ticks -------------------------------------------------------------------------------------------

    def before_motion(self, delta_s: float) -> None:
        """Put what is replayed in its place."""
        if self._replayer is None:
            return
        try:
            self._replayer.step(delta_s)
        except ValueError as error:
            log.warning("the replay ends: %s", error)
            self.stop_replayer(keep_actors=True)
        else:
            if self._replayer.ended:
                self.stop_replayer(keep_actors=True)

    def after_tick(self, delta_s: float) -> None:
        """Record a frame."""
        if self._recorder is None:
            return
        try:
            self._recorder.after_tick(delta_s)
        except (OSError, ValueError) as error:
            log.error("the recording ends: %s", error)
            self.stop_recorder()

    def episode_ends(self) -> None:
        """The world is about to be replaced."""
        self.stop_recorder()
        self.stop_replayer(keep_actors=True)


def _is_recording(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return is_recording(file.read(_HEAD_BYTES))


def _with_a_clock(recording: Recording) -> Recording:
    """The recording. ValueError where its time does not go on."""
    last_s = 0.0
    for frame in recording.frames:
        if not (
            math.isfinite(frame.elapsed_s) and frame.elapsed_s >= last_s and math.isfinite(frame.duration_s)
        ):
            raise ValueError(
                f"frame {frame.number} is at {frame.elapsed_s} s after {last_s} s, expected time to go on"
            )
        last_s = frame.elapsed_s
    return recording
