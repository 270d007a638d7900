"""Cross-sections of streets: which lanes lie side by side in one driving direction, from the middle outwards.

Knows nothing of where a street runs and how many driving lanes it has.
"""

from __future__ import annotations

from dataclasses import dataclass

LaneShape = tuple[str, float]  # OpenDRIVE lane type, width_m


@dataclass(frozen=True)
class Profile:
    """Widths in metres; 0 leaves a strip out. The other direction is the mirror image.

    `median_m` is planted, and becomes a left-turn lane of the same width where lights protect the turn.
    """

    lane_m: float = 3.5
    median_m: float = 0.0
    biking_m: float = 0.0
    parking_m: float = 0.0
    shoulder_m: float = 0.4
    sidewalk_m: float = 2.5
    may_overtake: bool = False  # a broken line in the middle
    road_type: str = "town"  # OpenDRIVE's word

    def shapes(self, lanes: int, *, pocket: bool = False, at_crossing: bool = False) -> list[LaneShape]:
        """Lanes of one direction from the middle outwards.

        `pocket`: the median is a left-turn lane here. `at_crossing`: the last metres before or behind a crossing, where
        nobody parks and the median lies level with the road, so that a crosswalk passes.
        """
        median = "driving" if pocket else "shoulder" if at_crossing else "median"
        parking = "shoulder" if at_crossing else "parking"
        strips = [(median, self.median_m), *[("driving", self.lane_m)] * lanes, ("biking", self.biking_m)]
        strips += [(parking, self.parking_m), ("shoulder", self.shoulder_m), ("sidewalk", self.sidewalk_m)]
        return [(kind, width_m) for kind, width_m in strips if width_m > 0]

    def paved_m(self, lanes: int) -> float:
        """From the middle of the road to its kerb."""
        return sum(width_m for kind, width_m in self.shapes(lanes) if kind != "sidewalk")

    def half_m(self, lanes: int) -> float:
        """From the middle of the road to its outer edge."""
        return self.paved_m(lanes) + self.sidewalk_m


TOWN = Profile()
NARROW = Profile(lane_m=3.0, shoulder_m=0.3, sidewalk_m=1.8)
PARKED = Profile(lane_m=3.2, parking_m=2.2, shoulder_m=0.3, sidewalk_m=2.0, may_overtake=True)
CYCLED = Profile(lane_m=3.3, biking_m=1.8, shoulder_m=0.3)
BOULEVARD = Profile(lane_m=3.4, median_m=3.0, shoulder_m=0.4)
PARKED_BOULEVARD = Profile(lane_m=3.3, median_m=3.0, parking_m=2.2, shoulder_m=0.3)
CYCLED_BOULEVARD = Profile(lane_m=3.3, median_m=3.0, biking_m=1.8, shoulder_m=0.3)
RURAL = Profile(shoulder_m=1.2, sidewalk_m=0.0, may_overtake=True, road_type="rural")
MOTORWAY = Profile(lane_m=3.6, median_m=2.5, shoulder_m=2.6, sidewalk_m=0.0, road_type="motorway")
RAMP = Profile(lane_m=4.0, shoulder_m=1.2, sidewalk_m=0.0, road_type="motorway")
RING = Profile(lane_m=5.0, shoulder_m=0.4)  # of a roundabout
