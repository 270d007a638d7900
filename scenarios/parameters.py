"""What a scenario type may be told in a route file, and the reading of it. World frame."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Elements = Mapping[str, Mapping[str, str]]  # tag -> attributes, as in the file


@dataclass(frozen=True)
class Number:
    """`<name value="12.5"/>`."""

    default: float | None = None  # None: must be given
    least: float = -math.inf

    def read(self, attributes: Mapping[str, str]) -> float:
        value = _number(attributes, "value")
        if value < self.least:
            raise ValueError(f"value={value:g} is below {self.least:g}")
        return value


@dataclass(frozen=True)
class Choice:
    """`<name value="left"/>`, one of a few words."""

    options: tuple[str, ...]
    default: str | None = None

    def read(self, attributes: Mapping[str, str]) -> str:
        value = attributes.get("value")
        if value not in self.options:
            raise ValueError(f"value={value!r} is none of {', '.join(self.options)}")
        return value


@dataclass(frozen=True)
class Text:
    """`<name value="static.prop.vendingmachine"/>`."""

    default: str | None = None

    def read(self, attributes: Mapping[str, str]) -> str:
        if "value" not in attributes:
            raise ValueError("has no attribute 'value'")
        return attributes["value"]


@dataclass(frozen=True)
class Interval:
    """`<name from="20" to="50"/>`: from it a value is drawn by seed."""

    default: tuple[float, float] | None = None

    def read(self, attributes: Mapping[str, str]) -> tuple[float, float]:
        low, high = _number(attributes, "from"), _number(attributes, "to")
        if not 0.0 < low <= high:
            raise ValueError(f"from={low:g} to={high:g}, expected 0 < from <= to")
        return low, high


@dataclass(frozen=True)
class Place:
    """`<name x= y= z=/>` in CARLA's axes; comes out in the world frame."""

    default: tuple[float, float, float] | None = None

    def read(self, attributes: Mapping[str, str]) -> tuple[float, float, float]:
        return _number(attributes, "x"), -_number(attributes, "y"), _number(attributes, "z")


Parameter = Number | Choice | Text | Interval | Place


def read_parameters(declared: Mapping[str, Parameter], elements: Elements) -> dict[str, Any]:
    """Values by name. Raises ValueError naming the element, what is wrong with it and the remedy."""
    unknown = next((name for name in elements if name not in declared), None)
    if unknown is not None:
        hint = difflib.get_close_matches(unknown, declared, n=1, cutoff=0.4) or sorted(declared)
        known = f"did you mean <{'> or <'.join(hint)}>?" if hint else "it takes no parameters"
        raise ValueError(f"<{unknown}> is no parameter of this scenario type; {known}")
    values: dict[str, Any] = {}
    for name, parameter in declared.items():
        if name in elements:
            try:
                values[name] = parameter.read(elements[name])
            except ValueError as error:
                raise ValueError(f"<{name}> {error}: correct it") from error
        elif parameter.default is None:
            raise ValueError(f"<{name}> is missing: add it")
        else:
            values[name] = parameter.default
    return values


def _number(attributes: Mapping[str, str], name: str) -> float:
    text = attributes.get(name)
    try:
        value = math.nan if text is None else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name}={text!r} is not a finite number")
    return value
