"""The shift that clears a block, by how the ego stands behind it."""

from __future__ import annotations

import pytest

from drive_agent.expert.blockers import Block
from drive_agent.expert.detour import CLOSE_M, TIGHT_EXTRA_M, WAIT_M, ways_round
from drive_agent.expert.others import EgoPose
from drive_agent.expert.room import Room

CAR = Block(
    tail_m=100.0, head_m=104.0, right_m=-0.9, left_m=0.9, speed_mps=0.0, what="a standing vehicle", actor_id=1
)
EGO = EgoPose(x_m=0.0, y_m=0.0, yaw_rad=0.0, speed_mps=0.0, front_m=3.9, length_m=4.9, half_width_m=0.95)
STREET = Room(left_m=5.25, right_m=-1.75, own_left_m=1.75, own_right_m=-1.75, same_left_m=1.75)


def left_m(behind_m: float, room: Room = STREET) -> float:
    way = ways_round(CAR, room, EGO, CAR.tail_m - behind_m - EGO.front_m)
    assert way is not None and way.over == "oncoming"
    return way.shift.left_m


def test_who_has_queued_close_behind_passes_with_more_beside():
    assert left_m(CLOSE_M) == pytest.approx(left_m(WAIT_M) + TIGHT_EXTRA_M)


def test_no_farther_aside_than_the_road_is_wide():
    narrow = Room(left_m=3.7, right_m=-1.75, own_left_m=1.75, own_right_m=-1.75, same_left_m=1.75)
    assert left_m(CLOSE_M, narrow) == left_m(WAIT_M, narrow)
