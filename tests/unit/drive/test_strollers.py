import numpy as np
import pytest

from drive_agent.drive.strollers import Pavements, Stroller, new_stroller, walk
from drive_agent.roadmap import Lane, RoadMap

STEP_US = 200_000
NO_CARS = np.zeros((0, 7))


def pavement(index: int, y: float, lane_id: int, x: tuple[float, float] = (0.0, 80.0)) -> Lane:
    xs = np.linspace(*x, 81)
    center = np.stack([xs, np.full(81, y), np.zeros(81)], -1)
    return Lane(
        index, 1, 0, lane_id, "sidewalk", -1, center, np.zeros(81), np.full(81, 2.5), (), (), -1, -1, False, False,
        ("none", "white"), ("none", "white"), 13.9,
    )  # fmt: skip


@pytest.fixture
def street() -> Pavements:
    return Pavements(RoadMap("street", (pavement(0, -6.0, -3), pavement(1, 6.0, 3)), (), (), (0.0, 0.0)))


def stroll(
    person: Stroller, street: Pavements, seconds: float, cars: np.ndarray = NO_CARS, seed: int = 0
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    position = street.lines[person.pavement].points[person.place].copy()
    track = []
    for _ in range(int(seconds * 1e6 / STEP_US)):
        position = position + walk(person, position, street, cars, STEP_US, rng) * STEP_US / 1e6
        track.append(position)
    return np.array(track)


def test_people_stay_on_pavements_or_cross_between_them(street):
    track = stroll(new_stroller(street, 0, 20, np.random.default_rng(1)), street, 300.0)
    assert (np.abs(track[:, 1]) < 7.0).all()
    assert (track[:, 0] > -1.5).all()
    assert (track[:, 0] < 81.5).all()
    crossed = np.abs(np.diff(np.sign(track[:, 1]))) > 0
    assert 1 <= crossed.sum() < 30
    on_road = np.abs(track[:, 1]) < 4.5
    assert on_road.mean() < 0.4


def test_nobody_starts_over_the_road_before_a_fast_car(street):
    person = Stroller(0, 20, 1, 1.4, 0.0, [np.array([40.0, 6.0])], look_at=1, came_from=(0, 20))
    car = np.array([[25.0, 0.0, 9.0, 0.0, 0.0, 2.4, 1.0]])
    track = stroll(person, street, 2.0, car)
    assert (track[:, 1] < -5.0).all()


def test_people_walk_round_a_standing_car_and_arrive(street):
    person = Stroller(1, 20, 1, 1.4, 0.3, [np.array([40.0, 6.0])], came_from=(0, 20))
    car = np.array([[40.0, 0.0, 0.0, 0.0, 0.0, 2.4, 1.0]])
    rng = np.random.default_rng(0)
    position, nearest = np.array([40.0, -6.0]), 99.0
    for _ in range(100):
        position = position + walk(person, position, street, car, STEP_US, rng) * STEP_US / 1e6
        outside = np.maximum(np.abs(position - (40.0, 0.0)) - (2.4, 1.0), 0.0)
        nearest = min(nearest, float(np.hypot(*outside)))
        if position[1] > 5.0:
            break
    assert position[1] > 5.0
    assert 0.1 < nearest < 1.5


@pytest.mark.parametrize("post_y", [0.0, 5.9])
def test_people_walk_round_a_post_that_does_not_give_way(street, post_y):
    post, radius_m = np.array([40.0, post_y]), 0.6
    person = Stroller(1, 20, 1, 1.4, 0.3, [np.array([40.0, 6.0])], came_from=(0, 20))
    rng = np.random.default_rng(0)
    position = np.array([40.0, -6.0])
    for _ in range(150):
        position = position + walk(person, position, street, NO_CARS, STEP_US, rng) * STEP_US / 1e6
        gap = position - post
        if np.hypot(*gap) < radius_m:
            position = post + gap / np.hypot(*gap) * radius_m
    assert abs(position[0] - 40.0) > 5.0


def test_only_a_crosswalk_over_the_same_road_is_taken():
    ring = np.array(
        [[-1.5, -4.0, 0.0], [1.5, -4.0, 0.0], [1.5, 4.0, 0.0], [-1.5, 4.0, 0.0], [-1.5, -4.0, 0.0]]
    )
    over_this, over_another = ring + (45.0, 0.0, 0.0), ring[:, [1, 0, 2]] + (38.0, -4.0, 0.0)
    lanes = (pavement(0, -6.0, -3), pavement(1, 6.0, 3))
    pavements = Pavements(RoadMap("street", lanes, (), (over_this, over_another), (0.0, 0.0)))
    ways = [pavements.over(0, 20, np.random.default_rng(k)) for k in range(20)]
    firsts = [way[0][0] for way in ways if way is not None and len(way[0]) == 3]
    assert len(firsts) > 5
    assert all(43.0 < x < 47.0 and y == -4.0 for x, y in firsts)


def test_a_town_without_pavements_is_refused():
    with pytest.raises(ValueError, match="no pavement"):
        Pavements(RoadMap("desert", (), (), (), (0.0, 0.0)))


def test_every_point_of_a_pavement_is_found_again(street):
    found = [street.place_of(k) for k in range(len(street.points))]
    assert found == [(k, at) for k, line in enumerate(street.lines) for at in range(len(line.points))]
    assert (street.points[45] == street.lines[1].points[45 - len(street.lines[0].points)]).all()
