"""Which towns there are, and what their plans promise before there is a map."""

import hashlib
import re
from collections import Counter
from pathlib import Path

import carla
import numpy as np
import pytest

from scenarios import towns
from scenarios.towns.characters import CHARACTERS
from scenarios.towns.opendrive import to_opendrive
from scenarios.towns.plan import Node, Street, TownPlan, Via
from scenarios.towns.profiles import BOULEVARD, MOTORWAY, RAMP
from scenarios.towns.random_town import random_plan

FINGERPRINTS = {  # of texts that trained weights and published figures depend on
    "Brookfield": "bf9c757ae5d73976",
    "Ridgeport": "ee268324436ebb4e",
    "random:0": "43e9657c5a14993c",
    "random:1": "1cef8307c6f19c9a",
}


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_old_towns_never_change(name):
    assert hashlib.sha256(towns.load(name).encode()).hexdigest()[:16] == FINGERPRINTS[name]


def test_random_towns_differ_by_seed_only():
    assert towns.load("random:5") == to_opendrive(random_plan(5))
    assert towns.load("random:5") != towns.load("random:6")


def test_splits_are_large_enough_and_apart():
    train, test = towns.names("train"), towns.names("test")
    assert len(train) >= 5 and len(test) >= 3
    assert not set(train) & set(test) and sorted(train + test) == towns.names()
    assert "Brookfield" in train and "Ridgeport" in test


@pytest.mark.parametrize("name", towns.names())
def test_shipped_towns_are_three_to_nine_kilometres(name):
    facts = towns.facts(name)
    least_km = 2.5 if name == "Ridgeport" else 3.0
    assert least_km < facts.length_km < 9.0
    assert facts.name == towns.plan(name).name == name and "Town" not in name
    assert towns.load(name) == to_opendrive(towns.plan(name))


ALL_FEATURES = {
    "lights", "protected left turns", "stop signs", "yield signs", "roundabouts", "several lanes each way",
    "motorway", "ramps", "parking lanes", "bicycle lanes", "oncoming lane for overtaking", "country roads", "hills",
}  # fmt: skip


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_split_has_every_feature(split):
    assert {feature for name in towns.names(split) for feature in towns.facts(name).features} == ALL_FEATURES


@pytest.mark.parametrize(
    ("name", "has", "has_not"),
    [
        ("Brookfield", {"lights", "several lanes each way"}, {"motorway", "hills", "parking lanes"}),
        ("Oldbridge", {"stop signs"}, {"several lanes each way", "country roads"}),
        ("Fairmont", {"protected left turns", "bicycle lanes"}, {"motorway"}),
        ("Highmoor", {"hills", "roundabouts", "country roads"}, {"several lanes each way"}),
        ("Crossley", {"motorway", "ramps"}, set()),
    ],
)
def test_towns_have_their_character(name, has, has_not):
    features = set(towns.facts(name).features)
    assert has <= features and not has_not & features


@pytest.mark.parametrize("character", CHARACTERS)
def test_random_towns_of_a_character_can_be_built(character):
    texts = {towns.load(f"random:{seed}:{character}") for seed in (1, 3, 8)}
    assert len(texts) == 3
    plan = towns.plan(f"random:3:{character}")
    assert plan == towns.plan(f"random:3:{character}") and plan.name == f"Random3{character}"


def test_random_plans_have_the_mix_that_training_needs():
    plans = [random_plan(seed) for seed in range(60)]
    controls = Counter(node.control for plan in plans for node in plan.nodes.values())
    assert controls["signals"] > controls["stop"] > controls["free"] > 0
    assert all(any(node.control == "signals" for node in plan.nodes.values()) for plan in plans)
    streets = [street for plan in plans for street in plan.streets]
    assert {street.lanes for street in streets} == {1, 2}
    assert 0.4 < np.mean([bool(street.via) for street in streets]) < 0.8


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Brokfield", "Brookfield"),
        ("random:x", "seed"),
        ("random:-1", "seed"),
        ("", "Ridgeport"),
        ("random:1:jungle", "suburb"),
    ],
)
def test_unknown_towns_name_the_remedy(name, told):
    with pytest.raises(ValueError, match=told) as error:
        towns.load(name)
    assert "\n" not in str(error.value)


SQUARE = {"a": Node(0, 0), "b": Node(100, 0), "c": Node(100, 100), "d": Node(0, 100)}
SIDES = (Street("a", "b"), Street("b", "c"), Street("c", "d"), Street("d", "a"))


@pytest.mark.parametrize(
    ("streets", "told"),
    [
        (SIDES, "node 'a' has 2 arms"),
        ((*SIDES, Street("a", "x")), "ends at 'x'"),
        (
            (*SIDES, Street("a", "c"), Street("b", "d", (Via(104, 50, 30.0),))),
            "less than 45 degrees",
        ),
    ],
)
def test_impossible_plans_say_where(streets, told):
    with pytest.raises(ValueError, match=told):
        to_opendrive(TownPlan("Nowhere", SQUARE, streets))


def two_way(*pairs, **what):
    return tuple(Street(a, b, **what) for a, b in pairs)


FLOW = {"f": Node(300, 0, control="flow"), "w": Node(0, 0), "e": Node(600, 0), "n": Node(300, 400)}
ROUND = {"hub": Node(100, 60, control="roundabout"), "a": Node(0, 0), "b": Node(200, 0), "c": Node(100, 160)}


@pytest.mark.parametrize(
    ("nodes", "streets", "told"),
    [
        (
            FLOW,
            (
                *two_way(("w", "f"), ("f", "e"), profile=MOTORWAY, lanes=2),
                *two_way(("f", "n"), ("w", "n"), ("n", "e")),
                Street("w", "e", (Via(300, -200, 60.0),)),
            ),
            "is two-way, expected a one-way ramp",
        ),
        (
            FLOW | {"f": Node(300, 150, control="flow")},
            (
                *two_way(("w", "f"), ("f", "e"), profile=MOTORWAY, lanes=2),
                *two_way(("w", "n"), ("n", "e")),
                Street("f", "n", (Via(420, 190, 60.0),), profile=RAMP, one_way=True),
                Street("w", "e", (Via(300, -200, 60.0),)),
            ),
            "through road bends by",
        ),
        (
            ROUND,
            (
                *two_way(("a", "hub"), ("b", "hub"), ("c", "hub"), profile=BOULEVARD, lanes=2),
                *two_way(("a", "b"), ("b", "c"), ("c", "a")),
            ),
            "expected one lane and no median",
        ),
        (
            ROUND | {"hub": Node(100, 60, control="circle")},
            (),
            "control 'circle'",
        ),
    ],
)
def test_impossible_nodes_say_why(nodes, streets, told):
    with pytest.raises(ValueError, match=told):
        to_opendrive(TownPlan("Nowhere", nodes, streets))


PAGE = Path(__file__).parents[3] / "docs/towns.md"


def test_the_page_of_towns_tells_of_each():
    rows = dict(re.findall(r"^\| (\w+) \| \**(train|test)\** \|", PAGE.read_text(), re.MULTILINE))
    assert rows == {name: towns.facts(name).split for name in towns.names()}
    assert all((PAGE.parent / f"images/towns/{name}.png").is_file() for name in rows)


def test_the_town_of_the_page_can_be_built(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(example, {})
    assert carla.Map("Mine", (tmp_path / "mine.xodr").read_text()).get_topology()
