from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from replay.labels import Label, draw_labels, overlap, places

ACROSS = 800
somewhere = st.builds(
    Label, st.sampled_from(["vehicle 9 m", "walker 30 m · 1 m/s"]), st.floats(-50, 850), st.floats(0, 400)
)


@given(st.lists(somewhere, max_size=12), st.lists(st.tuples(*[st.integers(0, 300)] * 4), max_size=3))
def test_no_label_lies_on_another_or_on_what_is_taken(labels, taken):
    found = [place for _, place in places(labels, ACROSS, taken)]
    assert not any(overlap(*pair) for pair in combinations(found, 2))
    assert not any(overlap(place, other) for place in found for other in taken if min(other[2:]) > 0)
    assert all(left >= 0 and top >= 0 and left + width <= ACROSS for left, top, width, _ in found)


def test_the_first_one_keeps_its_place_and_the_next_moves_up():
    first, second = (Label("vehicle 16 m", 300.0, 200.0), Label("vehicle 20 m", 310.0, 200.0))
    (_, below), (_, above) = places([first, second], ACROSS)
    assert below == next(places([first], ACROSS))[1] and above[1] + above[3] <= below[1]


def test_one_for_which_there_is_no_room_is_left_out():
    crowd = [Label(f"vehicle {k} m", 300.0, 200.0) for k in range(10)]
    assert [label for label, _ in places(crowd, ACROSS)] == crowd[:4]
    wall = (0, 0, ACROSS, 400)
    assert list(places(crowd, ACROSS, [wall])) == []


def test_a_label_that_moved_up_has_a_line_to_its_thing():
    image = np.zeros((300, ACROSS, 3), np.uint8)
    draw_labels(image, [Label("a", 100.0, 200.0), Label("b", 400.0, 200.0)], (255, 0, 0))
    assert not image[198:200, 390:410].any()  # both in their first place: nothing between words and thing
    draw_labels(image, [Label("wide enough", 400.0, 200.0), Label("b", 400.0, 200.0)], (255, 0, 0))
    assert image[198:200, 390:410].max() > 100
