"""The register of scenario types: what each is called in route files, what it may be told, and the script that plays it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.parameters import Parameter
from scenarios.sites import Site

if TYPE_CHECKING:
    from scenarios.scene import Scene, Script

LEAD_M = 45.0


@dataclass(frozen=True)
class ScenarioType:
    """One kind of scenario."""

    name: str
    summary: str  # first line of the script's docstring
    parameters: Mapping[str, Parameter]
    site: Site  # where it can be played
    script: Callable[[Scene], Script]
    lead_m: float = LEAD_M  # of a route made for it before its trigger
    reach_m: float = 0.0  # at least, after its trigger


_TYPES: dict[str, ScenarioType] = {}


Decorator = Callable[[Callable[["Scene"], "Script"]], Callable[["Scene"], "Script"]]


def scenario_type(name: str, *, site: Site, **parameters: Parameter) -> Decorator:
    """Register the decorated script under the name that route files use; `site` finds places for it."""
    return registered(name, site, parameters)


def registered(
    name: str,
    site: Site,
    parameters: Mapping[str, Parameter],
    *,
    lead_m: float = LEAD_M,
    reach_m: float = 0.0,
) -> Decorator:
    """The same, for a type whose routes begin or end elsewhere than is usual."""

    def register(script: Callable[[Scene], Script]) -> Callable[[Scene], Script]:
        if name in _TYPES:
            raise ValueError(f"scenario type {name!r} is registered twice")
        summary = (script.__doc__ or "").strip().split("\n")[0]
        _TYPES[name] = ScenarioType(name, summary, parameters, site, script, lead_m, reach_m)
        return script

    return register


def type_names() -> list[str]:
    """Names of all registered types."""
    return sorted(_TYPES)


def find_type(name: str) -> ScenarioType:
    """The type of that name. Raises ValueError with the nearest names for an unknown one."""
    if name not in _TYPES:
        hint = difflib.get_close_matches(name, _TYPES, n=2, cutoff=0.5) or type_names()
        raise ValueError(f"unknown scenario type {name!r}; did you mean {' or '.join(hint)}?")
    return _TYPES[name]
