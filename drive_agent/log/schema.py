"""What a log holds: topics, and the records behind them that are not already in `types.py`.

One MCAP file is one drive of one route. Every message is JSON (numbers with unit in the name, world frame) except
the pictures, which are foxglove.CompressedImage. MCAP's log_time is simulated time in nanoseconds. A reader of any
language needs this page and an MCAP library; it knows nothing of how messages are packed into the file.

| topic            | when                 | holds                                                        |
|------------------|----------------------|--------------------------------------------------------------|
| `/run`           | once, first          | `RunHeader`                                                  |
| `/road_map`      | once, second         | `RoadMap.to_dict()`                                          |
| `/actor`         | at first sight       | `types.ActorInfo`                                            |
| `/truth`         | each tick            | `types.Truth` without `infos` (those are on `/actor`)        |
| `/tick`          | each tick            | `TickRecord`; a plan, scene or forecast kept from the tick   |
|                  |                      | before is written as the word "held"                         |
| `/scenario`      | when it happens      | `ScenarioEvent`                                              |
| `/camera/<name>` | at model calls       | the JPEG bytes, unchanged                                    |
| `/end`           | once, last           | `Outcome`                                                    |
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from drive_agent.routing import Route
from drive_agent.types import (
    Command,
    ControlTerms,
    EgoState,
    Forecast,
    Maneuver,
    Plan,
    PlanError,
    PromptState,
    Reply,
    Scene,
)

SCHEMA_VERSION = 2  # what changed since 1, and how old logs are read, is in `upgrade.py`

RUN = "/run"
ROAD_MAP = "/road_map"
ACTOR = "/actor"
TRUTH = "/truth"
TICK = "/tick"
SCENARIO = "/scenario"
CAMERA = "/camera/"
END = "/end"


@dataclass(frozen=True)
class RunHeader:
    """What was driven, with what, from which settings."""

    route_id: str
    repetition: int
    town: str
    seed: int
    route: Route
    sparse_points: np.ndarray  # (k, 3) world, what the agent was given
    sparse_maneuvers: tuple[Maneuver, ...]
    config: dict  # the resolved configuration, plain values
    package_versions: dict[str, str]
    git_hash: str
    schema_version: int = SCHEMA_VERSION
    scenario_types: tuple[str, ...] = ()  # of the route's scenarios, in its order
    route_spec: dict = field(
        default_factory=dict
    )  # plain form of scenarios.routes.RouteSpec; {} where nobody knew it


@dataclass(frozen=True)
class ImageRef:
    """Names one picture of the log: a message on `/camera/<name>` with this time."""

    name: str
    time_us: int


@dataclass(frozen=True)
class FrameRecord:
    """A `types.Frame` with its pictures by reference."""

    time_us: int
    cameras: tuple[ImageRef, ...]
    previous: tuple[ImageRef, ...]
    ego: EgoState
    history_ego: np.ndarray  # (k, 4)
    route_ego: np.ndarray  # (n, 2)
    route_maneuvers: tuple[Maneuver, ...]
    maneuver: Maneuver


@dataclass(frozen=True)
class PromptRecord:
    """A `types.Prompt` with its pictures by reference."""

    messages: tuple[dict, ...]
    images: tuple[ImageRef, ...]
    previous_images: tuple[ImageRef | None, ...]
    state: PromptState
    pattern: str = ""


@dataclass(frozen=True)
class TickRecord:
    """A `types.Decision` as it lies in the log: everything between the cameras and the pedals in one tick."""

    time_us: int
    command: Command
    lateral: ControlTerms
    longitudinal: ControlTerms
    guard: str
    plan: Plan | None
    plan_error: PlanError | None
    scene: Scene | None
    forecast: Forecast | None
    frame: FrameRecord | None
    prompt: PromptRecord | None
    reply: Reply | None
    timings_ms: dict[str, float]
    ego: EgoState | None = None  # what the agent took its own state for


@dataclass(frozen=True)
class ScenarioEvent:
    """Something the director did or found that judging depends on.

    `what` is one of: "started", "ended", "timeout" (the scenario ran out of time), "not_yielded" (an emergency vehicle
    was held up), "blocked_test_off" / "blocked_test_on" and "wrong_lane_test_off" / "wrong_lane_test_on" (the scenario
    itself makes the ego wait, or sends it into the opposite lane).
    """

    time_us: int
    scenario: str
    what: str


OPEN_LOOP = "open loop"
RECORDED = "Recorded"  # the status of an imported drive of which nobody says how it ended


@dataclass(frozen=True)
class Outcome:
    """How the drive ended. `status` is the Leaderboard's ("Completed", "Failed - Agent got blocked", ...)."""

    status: str
    reason: str  # one line, "" when there is nothing to add; `OPEN_LOOP` where the model only watched
    wall_s: float
    simulated_s: float
