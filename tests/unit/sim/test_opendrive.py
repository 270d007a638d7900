"""What the XML says of lanes, signals and controllers."""

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


def test_objects_named_as_speed_signs_are_signs_for_the_side_they_are_oriented_to() -> None:
    sign = '<objects><object id="8" name="Speed_30" s="10" t="-4" orientation="-" type="-1"/></objects>'
    signals = opendrive.parse(TEXT.replace("<signals>", f"{sign}<signals>", 1)).signals
    (speed,) = [signal for signal in signals if signal.signal_id == "8"]
    assert (speed.kind, speed.value) == ("274", 30.0)
    assert speed.place.road_id == 1 and speed.place.lanes[0] < -2 and speed.place.lanes[1] == -1


def test_namespaces_of_newer_files_are_ignored() -> None:
    newer = TEXT.replace(
        "<OpenDRIVE>", '<OpenDRIVE xmlns="http://code.asam.net/simulation/standard/opendrive_schema">'
    )
    assert opendrive.parse(newer) == opendrive.parse(TEXT)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" ", "empty"),
        ("<OpenDRIVE>", "well-formed"),
        ("<a/>", "expected <OpenDRIVE>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><OpenDRIVE/>', "entities"),
        (TEXT.replace('id="-1"', 'id="right"'), "<lane id='right'>: expected a whole number"),
    ],
)
def test_what_is_no_map_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        opendrive.parse(text)
