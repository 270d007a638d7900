"""What every model is to the agent, and where each is found. Imports none of them until it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from drive_agent.rig import CameraMount
from drive_agent.types import Prompt, Reply


class Model(Protocol):
    """Whatever answers a prompt."""

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        ...

    @property
    def cameras(self) -> tuple[CameraMount, ...]:
        """The cameras whose pictures a prompt must hold; empty when any will do."""
        ...

    def answer(self, prompt: Prompt) -> Reply:
        """Reply to one prompt. Raises ValueError for a prompt that it cannot read."""
        ...


LOADERS = {  # name -> "module:callable"; keyword arguments of the callable come from conf/model/<name>.yaml
    "embedded": "drive_agent.models.embedded.model:EmbeddedModel.load",
    "ego_status": "drive_agent.models.embedded.model:EmbeddedModel.load_sightless",
    "vlm": "drive_agent.models.vlm.model:VisionLanguageModel.load",
    "served": "drive_agent.models.served:ServedModel.connect",
}


def is_known(name: str) -> bool:
    """Is there a model of this name? Besides those of the table any "module:callable" of one's own."""
    return name in LOADERS or ":" in name


def load_model(name: str, **options: object) -> Model:
    """The model of a name. Raises ValueError for an unknown name and whatever the model's loader raises."""
    if not is_known(name):
        raise ValueError(f"model {name!r} is unknown, expected one of {sorted(LOADERS)} or module:callable")
    module, _, attributes = LOADERS.get(name, name).partition(":")
    loader: Any = import_module(module)
    for attribute in attributes.split("."):
        loader = getattr(loader, attribute)
    return loader(**options)
