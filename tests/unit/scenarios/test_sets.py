"""The route sets that ship have what their recipes promise, and can be driven where they lie."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import islice

import pytest

from drive_agent.drive.offline_maps import offline_road_map
from drive_agent.roadmap import RoadMap
from scenarios import towns
from scenarios.abilities import ABILITIES, TYPES, abilities_of
from scenarios.checks import check_scenarios, plan, trigger_m
from scenarios.recipes import LONG_LEAST, LONG_M, PLAIN_M
from scenarios.routes import RouteSpec, route_set
from scenarios.weathers import deal_weathers

road_map = cache(offline_road_map)
EACH = 5
FEW_PLACES = {"HighwayCutIn", "HighwayExit", "MergerIntoSlowTrafficV2"}  # those come again in another weather


def town_map(spec: RouteSpec) -> RoadMap:
    return road_map(spec.town)


def test_bench_has_every_type_five_times_on_test_towns():
    specs = route_set("bench")
    assert all(len(spec.scenarios) == 1 for spec in specs)
    assert Counter(spec.scenarios[0].type for spec in specs) == dict.fromkeys(TYPES, EACH)
    assert {spec.town for spec in specs} == set(towns.names("test"))
    assert [spec.id for spec in specs] == [str(k) for k in range(EACH * len(TYPES))]


def test_bench_varies_places_and_weather():
    specs = route_set("bench")
    routes = {
        (
            *spec.scenarios[0].trigger[:2],
            spec.scenarios[0].type,
            spec.town,
            *sorted(spec.weather_at(0).items()),
        )
        for spec in specs
    }
    assert len(routes) == len(specs)
    weathers = Counter(tuple(sorted(spec.weather_at(0).items())) for spec in specs)
    deck = Counter(tuple(sorted(weather.items())) for weather in islice(deal_weathers(1), len(specs)))
    assert weathers == deck  # as often as in Bench2Drive
    places = Counter((spec.scenarios[0].type, spec.town, *spec.scenarios[0].trigger[:2]) for spec in specs)
    again = Counter(kind for kind, *_ in places)
    assert {name for name in TYPES if again[name] < EACH} <= FEW_PLACES
    by_type = Counter((spec.scenarios[0].type, spec.town) for spec in specs)
    in_one_town = [
        name for name in TYPES if max(n for (kind, _), n in by_type.items() if kind == name) == EACH
    ]
    assert len(in_one_town) <= len(TYPES) // 4, sorted(in_one_town)


@pytest.mark.parametrize("name", ["dev", "test", "long"])
def test_routes_and_triggers_of_shipped_sets_lie_on_their_towns(name):
    specs = route_set(name)
    check_scenarios(specs)
    for spec in specs:
        route = plan(spec, town_map(spec))
        assert all(0.0 <= trigger_m(spec, scenario, route) < route.length_m for scenario in spec.scenarios)


def test_one_route_of_bench_for_each_type_lies_on_its_town():
    specs = route_set("bench")
    check_scenarios(specs)
    for spec in specs[::EACH]:
        route = plan(spec, town_map(spec))
        assert 0.0 <= trigger_m(spec, spec.scenarios[0], route) < route.length_m


def test_dev_has_every_ability_on_training_towns():
    specs = route_set("dev")
    tested = {
        ability for spec in specs for scenario in spec.scenarios for ability in abilities_of(scenario.type)
    }
    assert len(specs) == 12 and tested == set(ABILITIES)
    assert {spec.town for spec in specs} <= set(towns.names("train"))


def test_plain_routes_lie_on_all_test_towns_and_have_their_length():
    specs = route_set("test")
    assert Counter(spec.town for spec in specs) == dict.fromkeys(
        towns.names("test"), 12 // len(towns.names("test"))
    )
    assert all(not spec.scenarios for spec in specs)
    lengths_m = [plan(spec, town_map(spec)).length_m for spec in specs]
    assert PLAIN_M[0] - 5.0 < min(lengths_m) and max(lengths_m) < PLAIN_M[1] + 5.0


def test_long_routes_have_many_scenarios_on_training_towns():
    specs = route_set("long")
    assert len(specs) == 10 and {spec.town for spec in specs} <= set(towns.names("train"))
    assert all(len(spec.scenarios) >= LONG_LEAST for spec in specs)
    lengths_m = [plan(spec, town_map(spec)).length_m for spec in specs]
    assert 0.95 * LONG_M[0] < min(lengths_m) and max(lengths_m) < 1.02 * LONG_M[1]
