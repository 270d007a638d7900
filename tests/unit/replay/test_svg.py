from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.svg import Curve, Marker, map_places, plot, road_picture, thinned
from tests.worlds import straight_route, street


def points_of(path: str) -> np.ndarray:
    """Read path text of one M and relative lines back."""
    numbers = [int(n) for n in re.findall(r"-?\d+", path.replace("h0", ""))]
    return np.cumsum(np.array(numbers).reshape(-1, 2), axis=0)


@given(st.lists(st.floats(0, 10), min_size=2, max_size=40))
def test_curves_pass_through_their_values(values: list[float]) -> None:
    times = np.linspace(0, 5, len(values))
    tree = ET.fromstring(plot([Curve("speed", times, np.array(values))], 5.0, 0.0, 10.0, []))
    path = next(p for p in tree if p.get("class") == "speed").get("d") or ""
    drawn = {int(column): int(row) for column, row in points_of(path)}
    for time_s, value in zip(times, values, strict=True):
        assert drawn[round(time_s * 200)] == pytest.approx(100 - value * 10, abs=0.51)


def test_unknown_values_make_gaps() -> None:
    values = np.array([1.0, 2.0, np.nan, np.nan, 3.0, 4.0])
    tree = ET.fromstring(plot([Curve("target", np.arange(6.0), values)], 5.0, 0.0, 10.0, []))
    path = next(p for p in tree if p.get("class") == "target").get("d") or ""
    assert path.count("M") == 2


def test_the_map_shows_roads_way_and_labelled_markers() -> None:
    route = straight_route(150).points[:, :2]
    markers = [Marker(3.25, 40.0, -1.75, '0:03 "<b>', "bad")]
    tree = ET.fromstring(road_picture(street(), route, route[:50], markers, 0.3))
    kinds = [str(path.get("class")) for path in tree]
    assert kinds.count("road") == 1 and {
        "route",
        "track",
        "dot start",
        "dot goal",
        "dot bad",
        "dot here",
    } <= set(kinds)
    marker = next(p for p in tree if p.get("class") == "dot bad")
    assert marker.get("data-seek") == "3.2" and marker.get("aria-label") == '0:03 "<b>'
    width, height = (float(v) for v in str(tree.get("viewBox")).split()[2:])
    places = np.array(map_places(route, route[:50]))
    assert (places >= 0).all() and (places <= (width, height)).all()
    assert str(next(p for p in tree if p.get("class") == "dot start").get("d")).startswith(
        f"M{places[0, 0]} {places[0, 1]}"
    )


def test_thinning_keeps_peaks() -> None:
    values = np.zeros(1000)
    values[777] = 9.0
    times, kept = thinned(np.arange(1000.0), values, 50, peaks=True)
    assert len(times) == 50 and kept.max() == 9.0
    assert len(thinned(np.arange(1000.0), values, 50)[0]) == 50
