"""Who drives what next: towns are kept, the longest come first, spoiled ones last."""

from __future__ import annotations

import numpy as np
import pytest

from drive_agent.drive.agenda import Agenda, way_m
from drive_agent.drive.jobs import Job
from scenarios.routes import RouteSpec


def job(name: str, town: str, length_m: float) -> Job:
    return Job(RouteSpec(name, town, np.array([[0.0, 0.0, 0.0], [length_m, 0.0, 5.0]]), (), ()), 0, 0)


A = [job("a1", "Ash", 100.0), job("a2", "Ash", 300.0), job("a3", "Ash", 200.0)]
B = [job("b1", "Birch", 900.0), job("b2", "Birch", 100.0)]


def names(agenda: Agenda, *places: int) -> list[str]:
    return [agenda.take(place).spec.id for place in places]


def test_the_way_is_measured_on_the_ground():
    assert way_m(A[0]) == 100.0


def test_one_place_drives_town_by_town_the_longest_first():
    assert names(Agenda([*A, *B]), *[0] * 5) == ["b1", "b2", "a2", "a3", "a1"]


def test_two_places_keep_to_towns_of_their_own_and_share_the_last_one():
    assert names(Agenda([*A, *B]), 0, 1, 0, 0, 1) == ["b1", "a2", "b2", "a3", "a1"]


def test_routes_of_equal_length_keep_their_order():
    agenda = Agenda([job(name, "Ash", 100.0) for name in "dcba"])
    assert names(agenda, 0, 0, 0, 0) == list("dcba")


def test_spoiled_routes_come_last_and_those_of_a_lost_place_first():
    agenda = Agenda(A)
    first, second = agenda.take(0), agenda.take(1)
    agenda.again(first)
    agenda.put_back(second)
    assert names(agenda, 0, 0, 0) == ["a3", "a1", "a2"]
    assert not agenda
    with pytest.raises(IndexError):
        agenda.take(0)
