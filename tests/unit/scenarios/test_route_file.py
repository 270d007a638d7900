"""Routes written are routes read."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scenarios.route_file import route_text
from scenarios.routes import parse_routes, route_set, set_names


@pytest.mark.parametrize("name", set_names())
def test_what_is_written_reads_back_alike(name):
    specs = route_set(name)
    again = parse_routes(route_text(specs, "a note -- with dashes"), "again")
    assert [spec.id for spec in again] == [spec.id for spec in specs]
    for a, b in zip(specs, again, strict=True):
        assert (a.town, a.weathers) == (b.town, b.weathers)
        np.testing.assert_array_equal(a.keypoints, b.keypoints)
        assert len(a.scenarios) == len(b.scenarios)
        for x, y in zip(a.scenarios, b.scenarios, strict=True):
            assert (x.name, x.type, x.parameters, x.trigger[:3]) == (
                y.name,
                y.type,
                y.parameters,
                y.trigger[:3],
            )
            assert math.isclose(x.trigger[3], y.trigger[3], abs_tol=1e-12)
            assert [actor.attributes for actor in x.other_actors] == [
                actor.attributes for actor in y.other_actors
            ]


def test_hostile_names_stay_names():
    [spec] = route_set("default")[:1]
    from dataclasses import replace

    hostile = '"><scenario/> & <!--'
    [again] = parse_routes(route_text([replace(spec, id=hostile)], hostile + " --> "), "again")
    assert again.id == hostile
