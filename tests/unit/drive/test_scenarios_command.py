"""`drive-agent scenarios`: what it says, how wide, and what it makes."""

from __future__ import annotations

import cv2
import pytest

from drive_agent.config import ConfigError
from drive_agent.drive.scenarios_command import HELP, run
from scenarios import towns
from scenarios.abilities import TYPES
from scenarios.catalogue import UNITS, snippet
from scenarios.parameters import Interval, Number, read_parameters
from scenarios.routes import parse_routes, route_set, set_names
from scenarios.types import find_type


def said(*words: str) -> str:
    lines: list[str] = []
    assert run(list(words), lines.append) == 0
    return "\n".join(lines)


def test_the_list_has_all_names_within_80_columns():
    text = said("list")
    assert all(name in text for name in (*towns.names(), *set_names(), *TYPES))
    assert max(map(len, (text + "\n" + HELP).splitlines())) <= 80


def test_every_type_can_be_shown_with_units_and_a_snippet_that_reads_back():
    for name in sorted(TYPES):
        kind = find_type(name)
        assert max(map(len, said("show", name).splitlines())) <= 80
        numbers = {k for k, p in kind.parameters.items() if isinstance(p, (Number, Interval))}
        assert numbers <= set(UNITS)
        route = f"""<routes><route id="0" town="Gridley"><waypoints><position x="0" y="0" z="0"/>
            <position x="1" y="0" z="0"/></waypoints><scenarios>{snippet(kind)}</scenarios></route></routes>"""
        (spec,) = parse_routes(route, "snippet")
        told = read_parameters(kind.parameters, spec.scenarios[0].parameters)
        assert all(p.default in (None, told[k]) for k, p in kind.parameters.items())


def test_towns_sets_and_routes_are_shown():
    assert "boulevard" in said("show", "Fairmont")
    assert len(said("show", "dev").splitlines()) >= 2 + 12
    assert "trigger x=" in said("show", "dev", "route=3")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["lst"], "did you mean 'list'"),
        (["list", "town"], "did you mean 'towns'"),
        (["show", "Gridly"], "did you mean 'Gridley'"),
        (["show", "dev", "rout=3"], "did you mean 'route'"),
        (["show", "dev", "route=99"], "route=99: dev has 0, 1, 2"),
        (["preview", "dev", "out=all.png"], "has 12 routes; add route=ID"),
        (["preview", "dev"], "out=route.png"),
        (["make", "benc", "out=x.xml"], "did you mean 'bench'"),
        (["make", "types=Acident", "out=x.xml"], "did you mean Accident"),
        (["make", "types=Accident", "each=0", "out=x.xml"], "each=0: expected a whole number, 1 or more"),
    ],
)
def test_wrong_calls_are_told_the_remedy(words, told):
    with pytest.raises(ValueError) as caught:
        run(words, print)
    assert told in str(caught.value)


def test_made_routes_are_the_same_again_and_can_be_previewed(tmp_path):
    words = ["make", "types=HardBreakRoute,VehicleTurningRoute", "towns=Brookfield", "each=1", "seed=4"]
    for name in ("a.xml", "b.xml"):
        said(*words, f"out={tmp_path / name}")
    assert (tmp_path / "a.xml").read_text() == (tmp_path / "b.xml").read_text()
    specs = route_set(str(tmp_path / "a.xml"))
    assert [spec.scenarios[0].type for spec in specs] == ["HardBreakRoute", "VehicleTurningRoute"]
    said("preview", str(tmp_path / "a.xml"), "route=1", f"out={tmp_path / 'p.png'}")
    image = cv2.imread(str(tmp_path / "p.png"))
    red = (image[..., 2] > 190) & (image[..., :2].max(axis=2) < 60)
    assert red.sum() > 100, "the trigger is drawn"


def test_a_preview_refuses_what_cannot_be_played(tmp_path):
    said("make", "types=HardBreakRoute", "towns=Brookfield", f"out={tmp_path / 'a.xml'}")
    text = (tmp_path / "a.xml").read_text().replace("HardBreakRoute", "ParkingCutIn")
    (tmp_path / "b.xml").write_text(text)
    with pytest.raises(ValueError, match="no parking lane on the right"):
        run(["preview", str(tmp_path / "b.xml"), f"out={tmp_path / 'p.png'}"], print)


def test_calls_that_are_wrong_are_config_errors():
    with pytest.raises(ConfigError):
        run([], print)


BROKEN = """<routes><route id="3" town="{town}"><waypoints>
<position x="58.3" y="12.8" z="0"/><position x="208.0" y="5.4" z="0"/></waypoints><scenarios>
<scenario name="S_1" type="{type}"><trigger_point x="70.2" y="{y}" yaw="5" z="0"/></scenario></scenarios></route></routes>"""


@pytest.mark.parametrize(
    ("fault", "element", "remedy"),
    [
        ({"type": "Acident"}, "route '3': <scenario> 'S_1'", "did you mean Accident"),
        (
            {"y": "22"},
            "route '3': <scenario> 'S_1': <trigger_point>",
            "move it onto the route, nearest at x=",
        ),
        ({"type": "HighwayExit"}, "route '3': <scenario> 'S_1': <start_actor_flow>", "is missing: add it"),
        ({"town": "Town12"}, "route '3': <route> town", "maps=DIR"),
    ],
)
def test_a_broken_file_is_one_line_with_file_element_and_remedy(tmp_path, fault, element, remedy):
    path = tmp_path / "broken.xml"
    path.write_text(BROKEN.format(**{"town": "Brookfield", "type": "HardBreakRoute", "y": "14.7"} | fault))
    with pytest.raises(ValueError) as caught:
        run(["preview", str(path), f"out={tmp_path}"], lambda text: None)
    told = str(caught.value)
    assert told.startswith(f"{path}: {element}") and remedy in told and "\n" not in told
    assert not list(tmp_path.glob("*.png"))
