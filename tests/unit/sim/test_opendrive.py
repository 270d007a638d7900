"""What the XML says of lanes, signals and controllers, and what is known to crash the client's parser."""

from __future__ import annotations

import pytest

from drive_agent.sim import opendrive

TEXT = """<?xml version="1.0"?><OpenDRIVE>
<road id="1" length="100" junction="-1">
  <type s="0" type="town"><speed max="50" unit="km/h"/></type>
  <type s="60" type="town"><speed max="25" unit="mph"/></type>
  <lanes>
    <laneSection s="0"><left><lane id="1" type="driving"/></left><center><lane id="0" type="none"/></center>
      <right><lane id="-1" type="driving"><speed sOffset="0" max="5" unit="m/s"/></lane></right></laneSection>
    <laneSection s="60"><right><lane id="-1" type="driving"/><lane id="-2" type="sidewalk"/></right></laneSection>
  </lanes>
  <signals><signal id="7" s="90" t="-4" zOffset="3" orientation="+" type="1000001" value="-1">
    <validity fromLane="-2" toLane="-1"/></signal></signals>
</road>
<road id="2" length="20" junction="9"><lanes><laneSection s="0"/></lanes>
  <signals><signalReference id="7" s="1" orientation="+"><validity fromLane="-1" toLane="-1"/></signalReference></signals>
</road>
<controller id="3"><control signalId="7"/><control signalId="7"/></controller>
<junction id="9"><controller id="3"/></junction>
</OpenDRIVE>"""


def test_lanes_have_their_section_kind_and_speed() -> None:
    lanes = {(lane.start_s, lane.lane_id): lane for lane in opendrive.parse(TEXT).lanes}
    assert lanes[0.0, 1].speed_limit_mps == pytest.approx(50 / 3.6)
    assert lanes[0.0, -1].speed_limit_mps == 5.0
    assert lanes[60.0, -1].speed_limit_mps == pytest.approx(11.176)
    assert (lanes[0.0, 1].end_s, lanes[60.0, -1].end_s) == (60.0, 100.0)
    assert not lanes[60.0, -2].drivable


def test_a_signal_knows_its_lanes_and_references() -> None:
    (signal,) = opendrive.parse(TEXT).signals
    assert signal.place == opendrive.SignalPlace(1, 90.0, (-2, -1), "+")
    assert signal.references == (opendrive.SignalPlace(2, 1.0, (-1, -1), "+"),)


def test_a_controller_has_each_signal_once_and_its_junction() -> None:
    assert opendrive.parse(TEXT).controllers == (opendrive.Controller("3", ("7",), 9),)


def test_a_controller_of_an_unknown_signal_is_a_fault() -> None:
    assert opendrive.faults(TEXT) == []
    assert "names signal 8" in opendrive.faults(TEXT.replace('signalId="7"', 'signalId="8"'))[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("<OpenDRIVE>", "well-formed"), ("<a/>", "root element"), ("<OpenDRIVE/>", "no road")],
)
def test_what_is_no_map_is_a_fault(text: str, reason: str) -> None:
    assert reason in opendrive.faults(text)[0]
