"""A guest in somebody else's world: nobody is touched, nothing is left, the settings are as they were."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drive_agent.log.store import Episode
from drive_agent.sim.process import ServerProcess
from tests.loop.conftest import drive_agent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
FREE, STEPPED = [False, 0.0], [True, 0.05]  # how the world's settings read


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("Brookfield", synchronous=False) as server:
        yield server


class Foreigner:
    """`tests.loop.foreign` in a process of its own."""

    def __init__(self, port: int, time_of: str, cars: str) -> None:
        self.port = port
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.loop.foreign", str(port), time_of, cars],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.cars: list[int] = json.loads(self._process.stdout.readline())["cars"]

    def leave(self) -> dict:
        """What it saw."""
        said, _ = self._process.communicate(timeout=120.0)
        return json.loads(said)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def foreigner(port: int, time_of: str, cars: str = "traffic") -> Iterator[Foreigner]:
    other = Foreigner(port, time_of, cars)
    try:
        yield other
    finally:
        other.end()


def words(port: int, out: Path, *more: str) -> list[str]:
    return ["drive", "attach=true", "carla=remote", f"carla.port={port}", f"out={out}", "video=false", *more]


def outcome(run: Path) -> tuple[str, Episode]:
    [log] = run.glob("routes/*/log.mcap")
    episode = Episode.open(log)
    assert episode.outcome is not None
    return episode.outcome.status, episode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_a_free_world_as_it_was(server, tmp_path, number):
    run = tmp_path / "run"
    with foreigner(server.port, "free") as other:
        guest = subprocess.Popen(
            [sys.executable, "-m", "drive_agent", *words(server.port, run, "model=expert")]
        )
        until = time.monotonic() + 300.0
        while not any(log.stat().st_size > 60_000 for log in run.glob("routes/*/log.mcap")):
            assert guest.poll() is None and time.monotonic() < until
            time.sleep(0.1)
        guest.send_signal(number)
        assert guest.wait(300.0) == 0
        seen = other.leave()
    assert seen["settings"] == [FREE, STEPPED] and seen["ends_with"] == FREE
    assert "vehicle.lincoln.mkz_2020" in seen["guests"] and seen["left"] == []
    assert seen["gone"] == []
    status, episode = outcome(run)
    with episode:
        assert status == "Stopped"
        assert {"theirs0", "theirs4"} <= {i.role for truth in episode.truths() for i in truth.infos.values()}


def test_a_hero_is_watched_in_a_world_that_others_tick(server, tmp_path):
    run = tmp_path / "run"
    with foreigner(server.port, "ticking", "hero") as other:
        done = drive_agent(
            *words(server.port, run, "model=embedded", "guest.observe=true", "guest.seconds=4"),
            timeout_s=600.0,
        )
        seen = other.leave()
    assert done.returncode == 0, done.stdout + done.stderr
    assert seen["settings"] == [STEPPED] and seen["ends_with"] == STEPPED
    assert seen["gone"] == [] and seen["left"] == []
    assert seen["guests"] == sorted(
        f"sensor.{kind}" for kind in ("camera.rgb", "other.collision", "other.gnss", "other.imu")
    )
    assert seen["pedals"] == [[False, False]]
    status, episode = outcome(run)
    with episode:
        assert status == "Stopped"
        assert next(iter(episode.truths())).ids[0] == other.cars[-1]
        asked = [tick for _, tick in episode.ticks() if tick.reply is not None]
    assert len(asked) >= 8 and all(tick.plan is not None for tick in asked)


def test_a_hero_is_driven_to_a_goal_and_left_standing(server, tmp_path):
    run = tmp_path / "run"
    with foreigner(server.port, "ticking", "hero") as other:
        goal = ahead(server.port, other.cars[-1])
        done = drive_agent(
            *words(server.port, run, "model=expert", f"guest.goal=[{goal[0]:.1f},{goal[1]:.1f}]"),
            timeout_s=600.0,
        )
        seen = other.leave()
    assert done.returncode == 0, done.stdout + done.stderr
    assert seen["settings"] == [STEPPED] and seen["gone"] == [] and seen["left"] == []
    assert [True, False] in seen["pedals"] and seen["hero_mps"] < 12.0
    status, episode = outcome(run)
    with episode:
        assert status == "Completed"


def ahead(port: int, car: int) -> tuple[float, float]:
    """A place some 80 m down the road from a car, in CARLA's axes; found in a process of its own."""
    code = (
        "import carla, sys; w = carla.Client('127.0.0.1', int(sys.argv[1])).get_world()\n"
        "p = w.get_map().get_waypoint(w.get_actor(int(sys.argv[2])).get_location())\n"
        "for _ in range(8): p = p.next(10.0)[0]\n"
        "print(p.transform.location.x, p.transform.location.y)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(port), str(car)], capture_output=True, text=True, check=True
    )
    x, y = done.stdout.split()
    return float(x), float(y)


def test_nobody_to_watch_and_nobody_ticking_are_one_line_and_leave_nothing(server, tmp_path):
    with foreigner(server.port, "free") as other:
        for more, says in (
            (
                ("guest.observe=true",),
                "guest.hero=hero: no vehicle here has that role or id, there are 5 (theirs0",
            ),
            (("guest.hero=99999",), "give the id of one of them"),
            (
                ("guest.ticks=others",),
                "this world's step varies (fixed_delta_seconds is 0), expected a fixed one",
            ),
            (("guest.goal=[9000,9000]",), "guest.goal: route 'goal': keypoint 1 at"),
        ):
            done = drive_agent(*words(server.port, tmp_path / "run", "model=scripted", *more))
            assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr, (
                done.stderr
            )
        seen = other.leave()
    assert seen["ends_with"] == FREE and seen["gone"] == [] and seen["left"] == []
