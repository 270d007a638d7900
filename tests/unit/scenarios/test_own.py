"""Scenario types from a user's file: the guide's own example, and files that are wrong."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from drive_agent.drive.offline_maps import offline_road_map
from scenarios import types as register
from scenarios.checks import plan
from scenarios.drafts import route_element, write_routes
from scenarios.own import load_own_types
from scenarios.places import Atlas
from scenarios.recipes import single_scenarios
from scenarios.rehearsal import rehearse
from scenarios.routes import route_set

GUIDE = Path(__file__).parents[3] / "docs" / "scenarios.md"


@pytest.fixture(autouse=True)
def own_register(monkeypatch):
    monkeypatch.setattr(register, "_TYPES", dict(register._TYPES))


def test_the_guides_example_is_short_found_written_and_rehearsed(tmp_path):
    block = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
    assert block is not None and block[1].count("\n") < 40
    file = tmp_path / "stalled.py"
    file.write_text(block[1])
    assert load_own_types(str(file)) == ("StalledCar",) == load_own_types(str(file))
    atlas = Atlas(offline_road_map, seed=0)
    made = single_scenarios(atlas, ["StalledCar"], ["Brookfield"], 1)
    write_routes(tmp_path / "mine.xml", [route_element("0", made.drafts[0], {"cloudiness": 5.0})])
    (spec,) = route_set(str(tmp_path / "mine.xml"))
    route = plan(spec, atlas.road_map("Brookfield"))
    (car,) = rehearse(spec, atlas.road_map("Brookfield"), route)
    gap_m = np.linalg.norm(np.subtract(car.pose[:2], spec.scenarios[0].trigger[:2]))
    assert car.model == "vehicle.*" and gap_m == pytest.approx(
        float(spec.scenarios[0].parameters["distance"]["value"]), abs=5.0
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1 / 0", ":1: ZeroDivisionError"),
        ("import numpy\nx = (", ":2: SyntaxError"),
        ("x = 1", "registers no type"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_line(tmp_path, text, words):
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(ValueError, match="^scenarios=") as caught:
        load_own_types(str(file))
    assert words in str(caught.value)


def test_a_file_that_is_not_there():
    with pytest.raises(ValueError, match="no such Python file"):
        load_own_types("nowhere.py")
