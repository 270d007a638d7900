"""`drive-agent serve`: load a model once, answer until interrupted."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from drive_agent.config import ConfigError, ModelConfig, build, compose, expect
from drive_agent.models.serve import Endpoint
from drive_agent.rig import RIGS

HELP = """usage: drive-agent serve [key=value ...]

A model behind an OpenAI-compatible endpoint, for `drive-agent drive model=served` and any other client.
Prints `serving NAME at URL` when ready; ends on Ctrl-C.

  drive-agent serve                                        MiMo-Embodied-7B in 4 bits
  drive-agent serve model.weights=FOLDER port=8001
  drive-agent serve model.vlm.precision=bfloat16 model.vlm.device=cuda:1

keys and their values:
"""


@dataclass(frozen=True)
class ServeConfig:
    """All of `drive-agent serve`."""

    host: str
    port: int  # 0: a free one
    waiting: int  # questions that may queue; further ones are told to come again
    model: ModelConfig

    def __post_init__(self) -> None:
        expect("port", self.port, 0 <= self.port < 65536, "a TCP port, or 0 for a free one")
        expect("waiting", self.waiting, 0 <= self.waiting <= 1000, "0 to 1000")


def serve(words: list[str], say: Callable[[str], None]) -> int:
    """Load and answer. Raises ConfigError for a wrong call and CheckpointError for what cannot be loaded."""
    config = build(ServeConfig, compose("serve", words))
    model = config.model
    if model.vlm is None or model.words is None or model.weights is None:
        raise ConfigError(
            f"model.kind={model.kind}: expected a model that answers in words; give model=mimo_embodied_7b"
        )
    from drive_agent.models.vlm.model import VisionLanguageModel

    loaded = VisionLanguageModel.load(model.weights, RIGS[model.rig]().cameras, model.words, model.vlm)
    try:
        endpoint = Endpoint(
            (config.host, config.port), loaded, model.weights.rstrip("/").split("/")[-1], config.waiting
        )
    except OSError as error:
        raise ConfigError(
            f"port={config.port} on {config.host}: {error.strerror}; give another port="
        ) from error
    with endpoint:
        if not _is_loopback(config.host):
            say(f"warning: {config.host} is open to the network, and nobody is asked for a password")
        say(f"serving {endpoint.served_name} at {endpoint.url}")
        endpoint.serve_forever()
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
