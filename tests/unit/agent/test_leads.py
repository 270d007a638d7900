"""A near lead that is not told for a moment is kept where it must be by then, and not for long."""

from dataclasses import replace

import pytest

from drive_agent.agent.leads import KEEP_US, Leads
from drive_agent.types import EgoState

START = EgoState(0, 10.0, 5.0, 0.0, 3.0, 0.0, 0.0, 50.0)
LOOK_US = 250_000


def after(looks: int, moved_m: float) -> EgoState:
    return replace(START, time_us=looks * LOOK_US, x_m=START.x_m + moved_m)


def told(gap_m: float = 8.0, speed_mps: float = 0.0) -> Leads:
    leads = Leads()
    assert leads.ahead(gap_m, speed_mps, START) == (gap_m, speed_mps)
    return leads


@pytest.mark.parametrize("lost", [None, 20.0])
def test_who_is_lost_from_sight_is_kept_by_odometry(lost):
    leads = told()
    assert leads.ahead(lost, 5.0, after(1, 1.0)) == (7.0, 0.0)
    assert leads.ahead(lost, 5.0, after(2, 2.5)) == (5.5, 0.0)
    assert leads.ahead(4.0, 1.0, after(3, 3.5)) == (4.0, 1.0)  # told again: the newer word counts


def test_a_lead_that_drives_is_kept_where_it_drives():
    gap_m, speed_mps = told(speed_mps=2.0).ahead(None, 0.0, after(1, 1.0))
    assert (gap_m, speed_mps) == (pytest.approx(7.5), 2.0)


def test_who_is_not_told_again_is_gone_after_a_moment():
    leads = told()
    looks = KEEP_US // LOOK_US
    assert leads.ahead(None, 0.0, after(looks, 1.0))[0] == 7.0
    assert leads.ahead(None, 0.0, after(looks + 1, 1.0))[0] is None
    assert leads.ahead(None, 0.0, after(looks + 2, 1.0))[0] is None


def test_far_leads_come_and_go_as_they_are_told():
    assert told(20.0).ahead(None, 0.0, after(1, 1.0))[0] is None
    assert told().ahead(10.0, 0.0, after(1, 0.0)) == (10.0, 0.0)  # drives off, no jump


def test_another_route_begins_with_nobody():
    assert told().ahead(None, 0.0, after(-1, 0.0))[0] is None
    assert Leads().ahead(None, 0.0, START)[0] is None
