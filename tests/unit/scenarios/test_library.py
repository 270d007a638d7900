"""Every scenario type that Bench2Drive's abilities name can be played, and is told what the Leaderboard tells it."""

from __future__ import annotations

import pytest

import scenarios.library  # noqa: F401 - registers the types
from scenarios.abilities import TYPES
from scenarios.parameters import read_parameters
from scenarios.types import find_type, type_names

FLOW = {
    "start_actor_flow": {"x": "913.1", "y": "3715.6", "z": "370.7"},
    "end_actor_flow": {"x": "920.4", "y": "3670.7", "z": "370.8"},
    "flow_speed": {"value": "17"},
    "source_dist_interval": {"from": "30", "to": "38"},
}


def test_all_types_of_the_abilities_are_registered() -> None:
    assert set(type_names()) >= TYPES


@pytest.mark.parametrize(
    "name",
    ["EnterActorFlow", "HighwayExit", "MergerIntoSlowTraffic", "MergerIntoSlowTrafficV2", "InterurbanActorFlow",
     "InterurbanAdvancedActorFlow", "CrossingBicycleFlow"],
)  # fmt: skip
def test_streams_read_the_elements_of_the_leaderboards_files(name: str) -> None:
    told = read_parameters(find_type(name).parameters, FLOW)
    assert told["start_actor_flow"] == (913.1, -3715.6, 370.7)  # CARLA's y points to the right
    assert told["source_dist_interval"] == (30.0, 38.0)


def test_a_stream_without_its_begin_is_refused() -> None:
    missing = {name: element for name, element in FLOW.items() if name != "start_actor_flow"}
    with pytest.raises(ValueError, match="start_actor_flow"):
        read_parameters(find_type("EnterActorFlow").parameters, missing)


def test_leaving_a_bay_is_the_first_thing_on_its_route() -> None:
    assert find_type("ParkingExit").lead_m == 0.0
