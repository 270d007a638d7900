"""Parameters of scenario types are read from a route file's elements, and what is wrong is named."""

from __future__ import annotations

import pytest

from scenarios.parameters import Choice, Interval, Number, Parameter, Place, Text, read_parameters

DECLARED: dict[str, Parameter] = {
    "distance": Number(12.0, 0.0),
    "direction": Choice(("left", "right"), "right"),
    "frequency": Interval((20.0, 100.0)),
    "start_actor_flow": Place(),
    "blocker_model": Text("static.prop.vendingmachine"),
}
START = {"x": "1.0", "y": "2.0", "z": "0.5"}


def test_defaults_fill_what_is_not_told() -> None:
    assert read_parameters(DECLARED, {"start_actor_flow": START}) == {
        "distance": 12.0,
        "direction": "right",
        "frequency": (20.0, 100.0),
        "start_actor_flow": (1.0, -2.0, 0.5),  # CARLA's y is the other way
        "blocker_model": "static.prop.vendingmachine",
    }


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({}, "<start_actor_flow> is missing: add it"),
        (
            {"distnce": {"value": "3"}},
            "<distnce> is no parameter of this scenario type; did you mean <distance>?",
        ),
        ({"distance": {"value": "-3"}}, "<distance> value=-3 is below 0"),
        ({"distance": {"value": "near"}}, "<distance> value='near' is not a finite number"),
        ({"distance": {}}, "<distance> value=None is not a finite number"),
        ({"direction": {"value": "up"}}, "<direction> value='up' is none of left, right"),
        ({"frequency": {"from": "50", "to": "20"}}, "<frequency> from=50 to=20, expected 0 < from <= to"),
        (
            {"start_actor_flow": {"x": "1", "y": "nan", "z": "0"}},
            "<start_actor_flow> y='nan' is not a finite",
        ),
        ({"blocker_model": {}}, "<blocker_model> has no attribute 'value'"),
    ],
)
def test_what_is_wrong_is_named(elements: dict[str, dict[str, str]], words: str) -> None:
    told = (
        elements if "start_actor_flow" in elements or not elements else elements | {"start_actor_flow": START}
    )
    with pytest.raises(ValueError, match=words.replace("?", r"\?")):
        read_parameters(DECLARED, told)
