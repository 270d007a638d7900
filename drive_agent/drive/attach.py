"""`attach=true`: the agent as a guest in a world that already runs, until it arrives, is told to go, or time is up.

Drives in this process, one way after the other, each with a log of its own; whatever happens, the world is left as it
was found before anything is scored.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import carla
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from drive_agent.config import DriveConfig
from drive_agent.drive.batch import open_run
from drive_agent.drive.env import Driver, Ground
from drive_agent.drive.errands import begin_at, roaming, to_goal
from drive_agent.drive.guest import GuestEnv
from drive_agent.drive.loop import STATUS, AgentError, StoppedError, reason_of, run_episode
from drive_agent.drive.progress import describe
from drive_agent.drive.provenance import run_header
from drive_agent.drive.roster import make_driver
from drive_agent.drive.servers import PING_S, answers
from drive_agent.drive.world import sensor_settings
from drive_agent.log.store import EpisodeWriter
from drive_agent.score.judged import LOG_NAME, folder_name, logs_in, record_name
from drive_agent.score.ledger import Ledger
from drive_agent.types import Briefing, Decision, Truth
from scenarios.routes import RouteSpec

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
HOPELESS_S = 1.0  # a way that is lost sooner, again and again, is none
SHOWN_EVERY_US = 200_000


@dataclass
class Stay:
    """How long a guest stays: until a signal comes, or for some simulated seconds."""

    seconds: float  # 0: no limit
    since_us: int | None = None
    signalled: bool = False

    def check(self, time_us: int) -> None:
        """Raise StoppedError when it is time to go. `time_us` 0: the world does not move yet."""
        if self.signalled:
            raise StoppedError("told to go")
        if time_us:
            self.since_us = time_us if self.since_us is None else self.since_us
            if self.seconds and time_us - self.since_us >= self.seconds * 1e6:
                raise StoppedError("time is up")


@dataclass(frozen=True)
class Visit:
    """What came of it. `problem` is empty when all that was asked for was done."""

    run: Path
    problem: str


def attach(config: DriveConfig, console: Console) -> Visit:
    """Drive as a guest. What fails once the drive has begun is the visit's `problem`; its logs are scored all the same.

    Raises ConnectionError where nothing runs, ValueError where there is nobody to take, and what the driver raises
    while it loads.
    """
    driver = make_driver(config)
    client = _connect(config)
    problem = ""
    with _signals(Stay(config.guest.seconds)) as stay:
        guest = GuestEnv(client, config, lambda tick_s: sensor_settings(config, tick_s), stay.check)
        with closing(guest) as env, _Panel(console) as panel:
            config = replace(config, tick_s=env.tick_s)
            run = open_run(config)
            panel.say(_arrival(env, config))
            try:
                problem = _drive_on(env, driver, config, run, panel)
            except StoppedError as stop:
                panel.say(f"  {stop}")
                problem = "stopped before the goal was reached" if config.guest.goal else ""
            except (AgentError, RuntimeError, OSError, ValueError) as error:
                problem = reason_of(error)
    Ledger.open(run, [record_name(log.parent.name.rpartition("_rep")[0], 0) for log in logs_in(run)])
    return Visit(run, problem)


def _drive_on(env: GuestEnv, driver: Driver, config: DriveConfig, run: Path, panel: _Panel) -> str:
    """One way to the goal, or one after the other without end; what went wrong, "" at the goal."""
    goal = config.guest.goal_carla_m
    for number in itertools.count():
        begin = begin_at(env.road_map, *env.stance())
        if goal is not None:
            spec = to_goal(env.town, begin, (goal[0], -goal[1]))
        else:
            spec = roaming(env.road_map, env.town, begin, config.seed, number)
        panel.begin(spec.id)
        outcome = run_episode(env, driver, spec, config.seed, _log_opener(spec, config, run), [panel])
        panel.say(f"  {spec.id}: {outcome.status} after {outcome.simulated_s:.0f} s")
        if goal is not None:
            return "" if outcome.status == STATUS["completed"] else outcome.status
        if outcome.simulated_s < HOPELESS_S:
            raise RuntimeError(f"{spec.id}: {outcome.status} at once; is the vehicle on a road?")
    raise AssertionError("unreachable")


def _log_opener(
    spec: RouteSpec, config: DriveConfig, run: Path
) -> Callable[[Briefing, Ground], EpisodeWriter]:
    def open_log(briefing: Briefing, ground: Ground) -> EpisodeWriter:
        del briefing
        folder = run / "routes" / folder_name(record_name(spec.id, 0))
        folder.mkdir(parents=True, exist_ok=True)
        header = run_header(
            spec.id, 0, spec.town, config.seed, ground, config
        )  # no spec: it cannot be driven again
        return EpisodeWriter(folder / LOG_NAME, header, ground.road_map)

    return open_log


def _connect(config: DriveConfig) -> carla.Client:
    host, port = config.carla.host, config.carla.port
    if not answers(host, port, PING_S):
        raise ConnectionError(
            f"no CARLA server answers at {host}:{port}; start one, or give carla.host= and carla.port= of one that runs"
        )
    client = carla.Client(host, port)
    client.set_timeout(config.carla.timeout_s)
    return client


def _arrival(env: GuestEnv, config: DriveConfig) -> str:
    hero, guest = env.ego, config.guest
    what = "watching" if guest.observe else "driving"
    whose = "put in" if env.brought_hero else "taken"
    where = f"to {guest.goal_carla_m}" if guest.goal else "roaming"
    who = "we tick" if env.owns_time else "others tick"
    return f"{what} {hero.type_id} {hero.id} ({whose}) in {env.town}, {where}; {who}, every {env.tick_s:g} s; Ctrl-C ends it"


@contextmanager
def _signals(stay: Stay) -> Iterator[Stay]:
    """The first signal asks the guest to go; a second one is what it always was."""

    def ask(number: int, frame: object) -> None:
        del number, frame
        stay.signalled = True
        for each, handler in before.items():
            signal.signal(each, handler)

    before = {each: signal.getsignal(each) for each in _SIGNALS}
    for each in _SIGNALS:
        signal.signal(each, ask)
    try:
        yield stay
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class _Panel:
    """The way, how far it is, and what the model sees; in a terminal only. Elsewhere a line a way."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._label = ""
        self._shown_us = 0

    def __enter__(self) -> _Panel:
        if self._console.is_terminal:
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._console.is_terminal:
            self._live.__exit__(None, None, None)

    def say(self, line: str) -> None:
        """One line that stays."""
        self._console.print(line, markup=False, soft_wrap=True)

    def begin(self, label: str) -> None:
        """A new way."""
        self._label, self._shown_us = label, 0

    def tick(self, truth: Truth, decision: Decision, completion_percent: float) -> None:
        if self._console.is_terminal and truth.time_us - self._shown_us >= SHOWN_EVERY_US:
            self._shown_us = truth.time_us
            title = Text(f"{self._label}: {completion_percent:.0f} %", style="bold")
            self._live.update(Group(title, *describe(truth, decision)), refresh=True)
