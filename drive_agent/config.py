"""The schema of the configuration: one frozen dataclass per group of conf/, checked across parts when built.

Values live in conf/*.yaml; this module refuses unknown keys and wrong values with the remedy. Hydra is used only to
compose them (see `compose`).
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from drive_agent.agent.control import ControlConfig
from drive_agent.agent.guard import GuardConfig
from drive_agent.models.settings import EmbeddedSettings, ServedConfig, VlmConfig, WordsConfig
from drive_agent.rig import RIGS

PACKED_CONF = Path(__file__).parent / "conf"  # in a wheel
CHECKOUT_CONF = Path(__file__).parent.parent / "conf"


class ConfigError(ValueError):
    """A wrong call: one line with the value, what was expected and the remedy."""


@dataclass(frozen=True)
class CarlaConfig:
    kind: str  # "embedded" and "launched" start servers of our own, "remote" uses those that run
    host: str
    port: int  # 0: the embedded server picks a free one; launched servers count up from here
    servers: tuple[str, ...]  # host:port of several running servers, one for each worker
    command: str | None  # launches a server; {port} and {worker} are filled in
    timeout_s: float
    traffic_manager_port: int  # 0: a free one
    threads: int  # of the embedded server's renderer
    maps: str | None  # a folder of .xodr files that the embedded server knows by name

    def __post_init__(self) -> None:
        kinds = ("embedded", "remote", "launched")
        expect("carla.kind", self.kind, self.kind in kinds, "embedded, remote or launched")
        expect("carla.port", self.port, 0 <= self.port < 65535, "a TCP port, or 0 for a free one")
        expect(
            "carla.port",
            self.port,
            self.port or self.kind == "embedded",
            "the port of the running server, e.g. 2000",
        )
        for server in self.servers:
            host, _, port = server.rpartition(":")
            expect("carla.servers", server, host and port.isdecimal(), "a list [host:port,host:port]")
        if self.kind == "launched":
            expect(
                "carla.command", self.command, self.command and "{port}" in self.command,
                "the command that starts a server, with {port} in it",
            )  # fmt: skip


@dataclass(frozen=True)
class RunnerConfig:
    """How patient the runner is with what can fail."""

    retries: int  # further tries of a route whose simulator failed
    silence_s: float  # a simulation that does not move for so long hangs
    answer_s: float  # the driver's time for one decision
    start_s: float  # a launched server's time until it answers

    def __post_init__(self) -> None:
        expect("runner.retries", self.retries, 0 <= self.retries <= 100, "0 to 100")
        for name in ("silence_s", "answer_s", "start_s"):
            expect(f"runner.{name}", getattr(self, name), getattr(self, name) > 0, "seconds, more than 0")


@dataclass(frozen=True)
class EvaluatorConfig:
    """Somebody else's evaluator, run once for each route under the runner's supervision."""

    command: str | None  # None: our own loop drives
    starts_server: bool  # the command starts its simulator itself, as Bench2Drive's does
    route_s: float  # wall time that a route may take

    def __post_init__(self) -> None:
        needed = ("{routes}", "{route}", "{checkpoint}", "{port}")
        expect(
            "evaluator.command", self.command,
            self.command is None or all(part in self.command for part in needed),
            f"a command with {', '.join(needed)} in it",
        )  # fmt: skip
        expect("evaluator.route_s", self.route_s, self.route_s > 0, "seconds, more than 0")


@dataclass(frozen=True)
class ModelConfig:
    kind: str
    weights: str | None
    period_s: float  # how often cameras render and the model answers
    rig: str
    latency_s: float | None = (
        0.0  # simulated time until a reply counts; None: as long as the call really took
    )
    words: WordsConfig | None = None  # of models that answer in words
    vlm: VlmConfig | None = None
    served: ServedConfig | None = None
    embedded: EmbeddedSettings | None = None  # of the embedded model and its baseline

    def __post_init__(self) -> None:
        latency_s = 0.0 if self.latency_s is None else self.latency_s
        expect(
            "model.latency_s", self.latency_s, 0.0 <= latency_s <= 10.0, "0 to 10 seconds, or null: measured"
        )
        expect("model.period_s", self.period_s, 0.05 <= self.period_s <= 2.0, "between 0.05 and 2 seconds")
        expect(
            "model.rig",
            self.rig,
            self.rig in RIGS,
            f"one of {', '.join(RIGS)}{did_you_mean(self.rig, list(RIGS))}",
        )


@dataclass(frozen=True)
class TrafficConfig:
    vehicles: int
    walkers: int

    def __post_init__(self) -> None:
        expect("traffic.vehicles", self.vehicles, 0 <= self.vehicles <= 500, "0 to 500")
        expect("traffic.walkers", self.walkers, 0 <= self.walkers <= 200, "0 to 200")


@dataclass(frozen=True)
class GuestConfig:
    """How to behave in a world that already runs."""

    hero: str = "hero"  # role name or id of the vehicle to take
    goal: tuple[str, ...] = ()  # x, y in CARLA's coordinates; none: roam
    observe: bool = False  # send no pedals
    ticks: str = "auto"
    seconds: float = 0.0  # simulated ones until we leave; 0: no limit

    def __post_init__(self) -> None:
        expect("guest.ticks", self.ticks, self.ticks in ("auto", "own", "others"), "auto, own or others")
        expect("guest.seconds", self.seconds, self.seconds >= 0.0, "seconds, or 0 for no limit")
        numbers = [_number(part) for part in self.goal]
        expect(
            "guest.goal", list(self.goal), len(numbers) in (0, 2) and None not in numbers,
            "[x,y], or [] to roam",
        )  # fmt: skip

    @property
    def goal_carla_m(self) -> tuple[float, float] | None:
        """The destination in CARLA's axes, None where there is none."""
        return (float(self.goal[0]), float(self.goal[1])) if self.goal else None


@dataclass(frozen=True)
class DriveConfig:
    """All of `drive-agent drive`."""

    routes: str
    town: str | None  # where to drive; None: where each route says
    scenarios: str | None  # a Python file with scenario types of one's own
    agent: (
        str | None
    )  # a Python file with an AutonomousAgent of one's own, which then drives instead of `model`
    agent_config: str  # what its setup() is given
    out: str | None
    seed: int
    repetitions: int
    workers: str  # a number of routes at a time, or ray://HOST:PORT
    resume: bool
    video: bool
    blackout: bool  # black pictures: what is left is what the model does not see
    tick_s: float
    carla: CarlaConfig
    model: ModelConfig
    traffic: TrafficConfig
    runner: RunnerConfig
    evaluator: EvaluatorConfig
    attach: bool = False  # into a world that already runs
    guest: GuestConfig = field(default_factory=GuestConfig)
    control: ControlConfig = field(default_factory=ControlConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)

    def __post_init__(self) -> None:
        if self.attach:
            self._check_guest()
        expect("repetitions", self.repetitions, 1 <= self.repetitions <= 100, "1 to 100")
        number = int(self.workers) if self.workers.isdecimal() else 0
        ray = self.workers.startswith("ray://")
        expect("workers", self.workers, ray or 1 <= number <= 256, "1 to 256, or ray://HOST:PORT")
        if self.carla.kind == "remote":
            known = max(len(self.carla.servers), 1)
            expect(
                "workers", self.workers, ray or number <= known,
                f"at most {known}, one for each running server; name more: carla.servers=[host:port,host:port]",
            )  # fmt: skip
        ratio = self.model.period_s / self.tick_s
        expect(
            "model.period_s",
            self.model.period_s,
            abs(ratio - round(ratio)) < 1e-6,
            f"a multiple of tick_s={self.tick_s}",
        )

    def _check_guest(self) -> None:
        expect(
            "carla.kind", self.carla.kind, self.carla.kind == "remote",
            "remote with attach=true, which needs a world that runs: carla=remote carla.host=HOST carla.port=PORT",
        )  # fmt: skip
        expect(
            "resume",
            self.resume,
            not self.resume,
            "false with attach=true: a foreign world goes on without us",
        )
        expect("agent", self.agent, self.agent is None, "null with attach=true, which drives a model of ours")


def expect(name: str, value: object, ok: object, expected: str) -> None:
    """Raise `ConfigError` unless `ok`."""
    if not ok:
        raise ConfigError(f"{name}={value}: expected {expected}; give it as {name}=VALUE")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def conf_dir() -> Path:
    """Where the YAML values lie: inside an installed package, or beside it in a checkout."""
    return PACKED_CONF if PACKED_CONF.is_dir() else CHECKOUT_CONF


def compose(name: str, overrides: list[str]) -> dict[str, Any]:
    """Values of conf/`name`.yaml with `key=value` overrides, as plain nested dicts."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    with initialize_config_dir(config_dir=str(conf_dir().resolve()), version_base=None):
        known = _known_keys(name, overrides)
        for override in overrides:
            key = override.split("=", 1)[0]
            if "=" not in override:
                raise ConfigError(f"{override!r}: expected key=value, e.g. seed=1")
            if key.lstrip("+") not in known:
                raise ConfigError(f"unknown key {key!r}{did_you_mean(key, known)}; see --help for all keys")
        try:
            values = OmegaConf.to_container(
                hydra_compose(config_name=name, overrides=overrides), resolve=True
            )
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(_one_line(error, overrides)) from error
    assert isinstance(values, dict)
    return {str(k): v for k, v in values.items()}


def build(kind: type, values: dict[str, Any], where: str = "") -> Any:
    """A dataclass from nested plain values; unknown and missing keys and wrong types are refused by name."""
    hints = get_type_hints(kind)
    names = [f.name for f in fields(kind)]
    for key in values:
        if key not in names:
            raise ConfigError(f"unknown key {where + key!r}{did_you_mean(key, names)}")
    made = {}
    for key, value in values.items():
        hint = hints[key]
        group = next((part for part in getattr(hint, "__args__", (hint,)) if is_dataclass(part)), None)
        if isinstance(group, type) and not (value is None and hint is not group):
            if not isinstance(value, dict):
                raise ConfigError(
                    f"{where + key}={value}: expected a group of keys {[f.name for f in fields(group)]}"
                )
            made[key] = build(group, value, f"{where}{key}.")
        else:
            made[key] = _typed(where + key, value, hint)
    try:
        return kind(**made)
    except ConfigError:
        raise
    except TypeError as error:
        raise ConfigError(f"{where or kind.__name__}: {error}") from error
    except ValueError as error:  # of groups that belong to other rooms
        raise ConfigError(str(error)) from error


def did_you_mean(word: str, known: list[str]) -> str:
    """A hint for a typo, or nothing."""
    near = difflib.get_close_matches(word, sorted(set(known)), n=2, cutoff=0.6)
    return f", did you mean {' or '.join(map(repr, near))}?" if near else ""


def _typed(name: str, value: Any, hint: Any) -> Any:
    allowed = getattr(hint, "__args__", (hint,))
    if value is None:
        expect(name, value, type(None) in allowed, str(hint))
        return None
    if bool in allowed or isinstance(value, bool):
        expect(
            name,
            value,
            isinstance(value, bool) and bool in allowed,
            "true or false" if bool in allowed else str(hint),
        )
        return value
    if getattr(hint, "__origin__", None) is tuple:
        expect(name, value, isinstance(value, (list, tuple)), "a list [a,b]")
        return tuple(str(part) for part in value)
    if str in allowed:
        return str(value)
    if int in allowed:
        expect(name, value, isinstance(value, int), "a whole number")
        return value
    expect(name, value, isinstance(value, (int, float)), "a number")
    return float(value)


def _known_keys(name: str, overrides: list[str]) -> list[str]:
    """All keys of conf/`name`.yaml with the groups that `overrides` choose."""
    from hydra import compose as hydra_compose
    from hydra.errors import HydraException
    from omegaconf import OmegaConf

    chosen = [override for override in overrides if override.split("=", 1)[0] in _groups()]
    try:
        values = OmegaConf.to_container(hydra_compose(config_name=name, overrides=chosen), resolve=True)
    except HydraException as error:
        raise ConfigError(_one_line(error, overrides)) from error
    assert isinstance(values, dict)
    return sorted(_keys(values)) + _groups()


def _keys(values: dict, prefix: str = "") -> list[str]:
    out = []
    for key, value in values.items():
        out.append(f"{prefix}{key}")
        if isinstance(value, dict):
            out += _keys(value, f"{prefix}{key}.")
    return out


def _groups() -> list[str]:
    return [p.name for p in conf_dir().iterdir() if p.is_dir()]


def _one_line(error: Exception, overrides: list[str]) -> str:
    for override in overrides:
        group, _, value = override.partition("=")
        options = sorted(p.stem for p in (conf_dir() / group).glob("*.yaml"))
        if options and value not in options:
            return f"{group}={value}: expected one of {', '.join(options)}{did_you_mean(value, options)}"
    return " ".join(str(error).split())
