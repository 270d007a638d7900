"""`model=` to whoever drives: the one place that knows all kinds of drivers."""

from __future__ import annotations

from drive_agent.agent.agent import Agent, AgentConfig
from drive_agent.agent.dialogue import Arrays, Dialogue, Stock, Tuned
from drive_agent.config import ConfigError, DriveConfig, ModelConfig, did_you_mean
from drive_agent.drive.drivers import AgentDriver, PlanOf, PrivilegedDriver
from drive_agent.drive.env import Driver, Ground
from drive_agent.drive.foreign_agent import ForeignDriver
from drive_agent.expert.expert import Expert, ScriptedDriver
from drive_agent.models.base import LOADERS, Model, is_known, load_model
from drive_agent.models.blackout import Blackout
from drive_agent.rig import RIGS


def make_driver(config: DriveConfig) -> Driver:
    """Build the driver that `config.model` names; weights are loaded once, here."""
    if config.agent is not None:
        return ForeignDriver(config.agent, config.agent_config)
    agent = AgentConfig(config.control, config.guard, config.model.latency_s)
    kind = config.model.kind
    if kind in PRIVILEGED:
        return PrivilegedDriver(PRIVILEGED[kind], agent)
    model = make_model(config)
    mounted = set(RIGS[config.model.rig]().cameras)
    if not set(model.cameras) <= mounted:
        raise ConfigError(
            f"model.rig={config.model.rig} has {[c.name for c in mounted]}, but model {kind!r} wants "
            f"{[c.name for c in model.cameras]} exactly as it was trained; choose another rig"
        )
    seen = Blackout(model) if config.blackout else model
    return AgentDriver(Agent(seen, agent, make_dialogue(config.model)))


def make_model(config: DriveConfig) -> Model:
    """The model that `config.model` names, alone. Raises ConfigError for a driver that is no model."""
    kind = config.model.kind
    if not is_known(kind):
        known = [*LOADERS, *PRIVILEGED]
        raise ConfigError(
            f"model.kind={kind}: expected one of {known} or module:callable{did_you_mean(kind, known)}"
        )
    return load_model(kind, **_options(config.model))


def make_dialogue(model: ModelConfig) -> Dialogue:
    """How to speak with a model."""
    words = model.words
    if words is None:
        return Arrays(0 if model.embedded is None else model.embedded.explain_every)
    if words.wording == "tuned":
        return Tuned(scene=words.scene)
    return Stock(RIGS[model.rig]().cameras, words.picture_tokens, scene=words.scene)


def _options(model: ModelConfig) -> dict[str, object]:
    """What its loader takes; models that answer in words see every camera of the rig."""
    if model.words is None:
        held = {}
        if model.kind == "embedded" and model.embedded is not None:  # a class of one's own takes no precision
            held = {"precision": model.embedded.precision}
        return {**held} if model.weights is None else {**held, "folder": model.weights}
    options: dict[str, object] = {"cameras": RIGS[model.rig]().cameras, "words": model.words}
    if model.vlm is not None:
        options |= {"weights": model.weights, "vlm": model.vlm}
    if model.served is not None:
        options |= {"served": model.served}
    return options


def _expert(ground: Ground) -> PlanOf:
    expert = Expert(ground.road_map, ground.route)
    return lambda truth: expert.step(truth)[0]


def _scripted(ground: Ground) -> PlanOf:
    return ScriptedDriver(ground.road_map, ground.route).step


PRIVILEGED = {"expert": _expert, "scripted": _scripted}
