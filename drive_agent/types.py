"""The values that cross rooms: what is seen, asked, answered, planned and done in one tick.

Knows nothing of sensors, models, simulators or files. All are frozen; arrays are never written to after
construction. Frames: *ego* is x forward, y left, z up, origin at the rear axle projected to the ground, of the
time the value states; *world* is right-handed, z up (OpenDRIVE's own coordinates). Units are in the names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

# Arc lengths at which paths are told, in demonstrations and replies alike.
PATH_STATIONS_M = np.array([2, 4, 6, 8, 12, 16, 20, 25, 30, 40], dtype=np.float32)


class Maneuver(IntEnum):
    """What the route asks for at a point. Values are those of CARLA's `RoadOption`."""

    LEFT = 1
    RIGHT = 2
    STRAIGHT = 3
    LANE_FOLLOW = 4
    CHANGE_LANE_LEFT = 5
    CHANGE_LANE_RIGHT = 6


class ObjectKind(IntEnum):
    """Classes of what is on the road. Models perceive and predict road users; props (cones, barriers) are in the truth."""

    VEHICLE = 0
    CYCLIST = 1
    WALKER = 2
    PROP = 3


ROAD_USERS = (ObjectKind.VEHICLE, ObjectKind.CYCLIST, ObjectKind.WALKER)


class LightState(IntEnum):
    """State of a traffic light, with NONE for "no light governs the way ahead"."""

    NONE = 0
    RED = 1
    YELLOW = 2
    GREEN = 3


class Cause(IntEnum):
    """What a driver's speed answers to."""

    FREE = 0  # limit and comfort alone
    CURVE = 1
    RED_LIGHT = 2
    YELLOW_LIGHT = 3
    QUEUE = 4  # no room behind the stop line
    STOP_SIGN = 5
    VEHICLE = 6
    PERSON = 7
    RIGHT_OF_WAY = 8
    GAP = 9  # in the lane to join
    OBSTACLE = 10  # driven round, or made room for


class Action(IntEnum):
    """What a driver does with the speed next."""

    GO_ON = 0
    SLOW_DOWN = 1
    STOP = 2
    WAIT = 3
    SET_OFF = 4


@dataclass(frozen=True)
class CameraImage:
    """One picture: `rgb` is what decoding `jpeg` gives, so that the model sees exactly what is logged."""

    name: str
    time_us: int
    rgb: np.ndarray  # uint8 (height, width, 3)
    jpeg: bytes


@dataclass(frozen=True)
class EgoState:
    """The car's own state as its sensors tell it (filtered GNSS, IMU, speedometer); never ground truth.

    The pose is in the *local* frame: metres east and north of the route's first point, parallel to world.
    """

    time_us: int
    x_m: float
    y_m: float
    yaw_rad: float
    speed_mps: float
    accel_mps2: float
    yaw_rate_radps: float
    since_stop_m: float  # metres driven since the car last stood still, at most 50


@dataclass(frozen=True)
class SensorPacket:
    """Raw readings of one tick, already in right-handed axes and SI units.

    `images` holds only the cameras that delivered at this tick. Position is geographic, as the sensor gives it.
    """

    time_us: int
    latitude_deg: float
    longitude_deg: float
    yaw_rad: float  # from the compass; 0 = east, counter-clockwise
    yaw_rate_radps: float
    accel_mps2: float  # forward
    speed_mps: float
    images: dict[str, np.ndarray]  # name -> uint8 (height, width, 3) RGB


@dataclass(frozen=True)
class Briefing:
    """What a driver is told once, before the start: the Leaderboard's sparse plan, as geographic points."""

    route_deg: np.ndarray  # (n, 2) latitude, longitude
    maneuvers: tuple[Maneuver, ...]  # what the route asks for from each point on


@dataclass(frozen=True)
class Frame:
    """What a model may see at one moment: exactly the content of the Leaderboard's SENSORS track."""

    time_us: int
    cameras: dict[str, CameraImage]
    previous: dict[str, CameraImage]  # the same cameras about 0.5 s earlier; empty at the start
    ego: EgoState
    history_ego: np.ndarray  # (k, 4) time_s (<= 0), x_m, y_m, yaw_rad of past poses in the ego frame of now
    route_ego: np.ndarray  # (n, 2) the next sparse route points in the ego frame of now
    route_maneuvers: tuple[Maneuver, ...]  # what the route asks for from those points on
    maneuver: Maneuver  # what the route asks for here and now


@dataclass(frozen=True)
class Prompt:
    """A question to a model: chat messages (with image placeholders), the pictures, and the numbers behind the words."""

    messages: tuple[dict, ...]
    images: tuple[CameraImage, ...]
    previous_images: tuple[CameraImage | None, ...]
    state: PromptState
    pattern: str = ""  # regular expression that an answer in words has to match; "" leaves it free
    slots: tuple[
        tuple[str, ...], ...
    ] = ()  # phrases to choose from, of words wanted beside an answer in arrays
    follow_up: str = ""  # what those words answer; "": they say why the plan is as it is


@dataclass(frozen=True)
class PromptState:
    """The numbers that the words of a prompt are written from.

    `maneuver` is the one under way or the next within reach, `maneuver_m` the distance to where it begins (0 under
    way), `targets_ego` the next two sparse route points.
    """

    speed_mps: float
    since_stop_m: float
    maneuver: Maneuver
    maneuver_m: float
    targets_ego: np.ndarray  # (2, 2)


@dataclass(frozen=True)
class Reply:
    """A model's raw answer: text, named arrays, or both, with how long each stage took; or why there is none."""

    text: str | None = None
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    timings_ms: dict[str, float] = field(default_factory=dict)
    tokens: int = 0
    token_times_ms: tuple[float, ...] = ()  # since the question, one a token; empty where all come at once
    prompt_tokens: int = 0
    peak_bytes: int = 0  # of the accelerator's memory during the call; 0 where there is none
    error: str = ""  # why no answer came, "" when one did


@dataclass(frozen=True)
class SceneObject:
    """One road user as perceived. `speed_mps` is along `heading_rad` (ego frame)."""

    kind: ObjectKind
    score: float
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float


@dataclass(frozen=True)
class Scene:
    """What a model says it sees."""

    objects: tuple[SceneObject, ...]
    light: LightState
    light_prob: float
    lead_gap_m: float | None  # free distance to the first object in the own way, None when nothing is there


@dataclass(frozen=True)
class Forecast:
    """Where each object of the `Scene` will be: (objects, 3, 2) ego-frame positions at 1, 2 and 3 s."""

    positions_ego: np.ndarray


@dataclass(frozen=True)
class Rationale:
    """Why a plan is as it is: what matters, what could be done, what is decided. Distances in metres, None: not there."""

    light: LightState
    light_m: float | None
    ahead: ObjectKind | None  # the first thing in the own way
    ahead_m: float | None
    ahead_moves: bool
    stop_sign_m: float | None
    give_way_m: float | None
    going_on: Cause  # what going on at this pace would offend; FREE: nothing
    action: Action
    cause: Cause


@dataclass(frozen=True)
class Plan:
    """Where to drive (a path) and how fast (a profile over time), in the ego frame of `time_us`."""

    time_us: int
    path_ego: np.ndarray  # (n, 2) points ahead, in driving order
    speed_times_s: np.ndarray  # (k,) strictly increasing, first > 0
    speeds_mps: np.ndarray  # (k,) >= 0
    reason: str = ""

    def __post_init__(self) -> None:
        if self.path_ego.ndim != 2 or self.path_ego.shape[1] != 2 or len(self.path_ego) < 2:
            raise ValueError(f"path_ego has shape {self.path_ego.shape}, expected (n >= 2, 2)")
        if self.speeds_mps.shape != self.speed_times_s.shape or self.speeds_mps.ndim != 1:
            raise ValueError(
                f"speeds_mps {self.speeds_mps.shape} and speed_times_s {self.speed_times_s.shape} must be equal, 1-d"
            )


@dataclass(frozen=True)
class PlanError:
    """A reply that holds no usable plan, and why."""

    reason: str


@dataclass(frozen=True)
class Command:
    """Pedals and wheel: throttle and brake in [0, 1], steer in [-1, 1] with **left positive**."""

    throttle: float
    steer: float
    brake: float


@dataclass(frozen=True)
class ControlTerms:
    """What one controller did: its target, its error, the three terms, and whether it saturated."""

    target: float
    error: float
    p: float
    i: float
    d: float
    saturated: bool


@dataclass(frozen=True)
class Decision:
    """Everything between a `Frame` and the pedals in one tick; `reply` and `prompt` only on ticks with a model call."""

    command: Command
    lateral: ControlTerms
    longitudinal: ControlTerms
    guard: str  # name of the rule that changed the command, "" when none did
    plan: Plan | None
    plan_error: PlanError | None = None
    frame: Frame | None = None
    prompt: Prompt | None = None
    reply: Reply | None = None
    scene: Scene | None = None
    forecast: Forecast | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)
    ego: EgoState | None = None  # what the agent took its own state for, on every tick


@dataclass(frozen=True)
class ActorInfo:
    """What does not change about a road user."""

    id: int
    type_id: str  # e.g. "vehicle.lincoln.mkz_2020"
    role: str  # e.g. "hero", "background"
    kind: ObjectKind
    half_length_m: float
    half_width_m: float
    half_height_m: float
    center_forward_m: float  # box centre ahead of the actor's origin
    wheelbase_m: float  # 0 for walkers


@dataclass(frozen=True)
class Truth:
    """Ground truth of one tick, for the log, the expert and the scores only; world frame.

    `actors` is float64 (n, 10): x, y, z, yaw, pitch, vx, vy, yaw_rate, ax, ay (metres, radians, seconds), row k of
    actor `ids[k]`; the first row is the ego. The reference point is the actor's origin (CARLA's, mid-vehicle).
    """

    time_us: int
    frame_id: int
    ids: tuple[int, ...]
    actors: np.ndarray
    lights: dict[str, LightState]  # OpenDRIVE signal id -> state
    infos: dict[int, ActorInfo]
    collisions: tuple[Collision, ...]  # since the previous truth

    @property
    def ego(self) -> np.ndarray:
        """Row of the ego vehicle, (10,)."""
        return self.actors[0]

    @property
    def ego_info(self) -> ActorInfo:
        return self.infos[self.ids[0]]


@dataclass(frozen=True)
class Collision:
    """One report of the ego's collision sensor."""

    other_id: int
    other_type: str
    impulse_ns: float
