"""The director sets scenarios up, triggers them, reports and cleans up: on a recorded world with a street in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pytest

from drive_agent.types import Command, LightState, Truth
from scenarios import types as register
from scenarios.director import Director
from scenarios.parameters import Number
from scenarios.routes import Pose, RouteSpec, ScenarioSpec, Weather
from scenarios.scene import ScenarioError, Scene, Script
from tests.worlds import EGO_LANE_Y, straight_route, street, truth

MAP, ROUTE = street(600), straight_route(500)
SPEED_MPS = 10.0


class Recorder:
    """A world that notes what is asked of it."""

    def __init__(self) -> None:
        self.here: dict[int, str] = {}
        self.notes: list[tuple] = []
        self.standing_at: float | None = None  # x of a background car

    def spawn(
        self,
        model: str,
        pose: Pose,
        *,
        wanted: Mapping[str, str] | None = None,
        role: str = "",
        physics: bool = True,
    ) -> int | None:
        if self.standing_at is not None and abs(pose[0] - self.standing_at) < 4.0:
            return None
        actor = 100 + len(self.notes)
        self.notes.append(("spawn", model, pose))
        self.here[actor] = model
        return actor

    def destroy(self, actors: Iterable[int]) -> None:
        for actor in actors:
            del self.here[actor]

    def set_weather(self, values: Mapping[str, float]) -> None:
        self.notes.append(("weather", dict(values)))

    def drive(self, actor: int, command: Command, *, hand_brake: bool = False, reverse: bool = False) -> None:
        self.notes.append(("drive", actor, command))

    def remove_background(self, actors: Iterable[int]) -> None:
        gone = tuple(actors)
        self.notes.append(("remove", gone))
        if gone:
            self.standing_at = None

    def place(self, actor: int, pose: Pose) -> None: ...
    def launch(self, actor: int, velocity_mps: np.ndarray) -> None: ...
    def walk(self, actor: int, velocity_mps: np.ndarray) -> None: ...
    def show_lights(self, actor: int, names: Iterable[str]) -> None: ...
    def open_door(self, actor: int, side: str) -> None: ...
    def hold_light(self, signal_id: str, state: LightState) -> None:
        self.notes.append(("light", signal_id, state))

    def release_lights(self, signal_ids: Iterable[str]) -> None:
        self.notes.append(("released", tuple(signal_ids)))

    def disturb(self, throttle: float, steer: float) -> None: ...


@pytest.fixture(autouse=True)
def two_types(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Types of this test's own, forgotten afterwards."""
    monkeypatch.setattr(register, "_TYPES", dict(register._TYPES))

    @register.scenario_type("Box", site=lambda setting, rng: None, distance=Number(30.0))
    def box(scene: Scene) -> Script:
        """A box lies on the road."""
        scene.prop("box", scene.here.ahead(scene.told["distance"]))
        yield from scene.triggered()
        yield from scene.seconds(2.0)

    @register.scenario_type("Wall", site=lambda setting, rng: None)
    def wall(scene: Scene) -> Script:
        """A wall that nobody passes."""
        yield from scene.triggered()
        yield from scene.until_or_timeout(lambda: False, within_s=3.0)

    @register.scenario_type("Red", site=lambda setting, rng: None)
    def red(scene: Scene) -> Script:
        """A light turns red for a while."""
        yield from scene.triggered()
        scene.hold_lights({"a": LightState.RED, "b": LightState.GREEN})
        yield from scene.seconds(5.0)

    yield


def route_with(*scenarios: ScenarioSpec, weathers: tuple[Weather, ...] = (Weather(0.0, {}),)) -> RouteSpec:
    return RouteSpec("7", "Street", ROUTE.points[[0, -1]], weathers, scenarios)


def scenario(kind: str, x_m: float, left_m: float = 0.0, **parameters: str) -> ScenarioSpec:
    told = {name: {"value": text} for name, text in parameters.items()}
    return ScenarioSpec(f"{kind}_1", kind, (x_m, EGO_LANE_Y + left_m, 0.0, 0.0), (), told)


def drive(director: Director, seconds: float, begin_m: float = 0.0) -> Iterator[tuple[Truth, list[str]]]:
    """Truths of a car that drives along, and what the director reports."""
    for k in range(int(seconds * 20)):
        now = truth(k, begin_m + SPEED_MPS * k / 20, EGO_LANE_Y, speed_mps=SPEED_MPS)
        yield now, [event.what for event in director.step(now)]


def test_a_scenario_is_set_up_near_its_trigger_begins_there_and_cleans_up() -> None:
    world = Recorder()
    director = Director(world, route_with(scenario("Box", 300.0, distance="25")), MAP, ROUTE, seed=0)
    present, reports = {}, {}
    for now, events in drive(director, 35.0):
        present[round(now.ego[0])] = bool(world.here)
        reports.update({event: float(now.ego[0]) for event in events})
    assert not present[95] and present[105]  # 200 m before the trigger
    assert reports["started"] == pytest.approx(298.0, abs=1.0)
    assert reports["ended"] == pytest.approx(318.0, abs=1.0)  # two seconds later
    assert not world.here
    ((_, model, pose),) = [note for note in world.notes if note[0] == "spawn"]
    assert model == "static.prop.box" and pose[0] == pytest.approx(325.0, abs=0.5)


def test_a_scenario_that_runs_out_of_time_is_reported() -> None:
    director = Director(Recorder(), route_with(scenario("Wall", 50.0)), MAP, ROUTE, seed=0)
    reports = [event for _, events in drive(director, 15.0) for event in events]
    assert reports == ["started", "timeout", "ended"]


def test_closing_takes_everything_away() -> None:
    world = Recorder()
    director = Director(world, route_with(scenario("Box", 100.0)), MAP, ROUTE, seed=0)
    next(drive(director, 1.0))
    assert world.here
    director.close()
    assert not world.here


def test_weather_changes_along_the_route_and_is_sent_only_then() -> None:
    changing = (Weather(0.0, {"cloudiness": 0.0}), Weather(100.0, {"cloudiness": 100.0}))
    for weathers, sent in ((changing, 10), ((changing[0], changing[0]), 0)):
        world = Recorder()
        director = Director(world, route_with(weathers=weathers), MAP, ROUTE, seed=0)
        for _ in drive(director, 11.0):
            pass
        clouds = [note[1]["cloudiness"] for note in world.notes]
        assert clouds == sorted(clouds) and len(clouds) >= sent and bool(clouds) == bool(sent)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (scenario("Bx", 100.0), "route '7': <scenario> 'Bx_1': unknown scenario type 'Bx'; did you mean Box"),
        (
            scenario("Box", 100.0, left_m=5.0),
            "is 5.0 m and 0 deg off the route, expected at most 2 m and 10 deg",
        ),
        (scenario("Box", 100.0, distance="far"), "<distance> value='far' is not a finite number: correct it"),
    ],
)
def test_broken_scenarios_are_named_before_the_drive(spec: ScenarioSpec, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        Director(Recorder(), route_with(spec), MAP, ROUTE, seed=0)
    assert words in str(caught.value)


def behind_a_car(role: str) -> tuple[Recorder, Director, Truth]:
    """Somebody stands where a box has to lie."""
    world = Recorder()
    world.standing_at = 86.0
    director = Director(world, route_with(scenario("Box", 60.0, distance="25")), MAP, ROUTE, seed=0)
    cars = {50: (86.0, EGO_LANE_Y, 0.0), 51: (105.0, EGO_LANE_Y, 0.0)}
    return world, director, truth(1, 5.0, others=cars, role=role)


def test_a_background_car_makes_room() -> None:
    world, director, now = behind_a_car("background")
    director.step(now)
    assert [note for note in world.notes if note[0] == "remove"] == [("remove", (50,))]
    assert list(world.here.values()) == ["static.prop.box"]


def test_who_belongs_to_a_scenario_stays() -> None:
    _, director, now = behind_a_car("scenario")
    with pytest.raises(ScenarioError, match="no room for static.prop.box"):
        director.step(now)


def test_held_lights_turn_yellow_before_red_and_are_let_go_at_the_end() -> None:
    world = Recorder()
    director = Director(world, route_with(scenario("Red", 10.0)), MAP, ROUTE, seed=0)
    shown = {"a": LightState.GREEN, "b": LightState.RED}
    times_s: dict[tuple, float] = {}
    for k in range(140):
        director.step(truth(k, 20.0, lights=shown))
        for _, *what in (note for note in world.notes if note[0] in ("light", "released")):
            times_s.setdefault(tuple(what), k / 20)
            if len(what) == 2:
                shown = shown | {what[0]: what[1]}
        world.notes.clear()
    order = [("a", LightState.YELLOW), ("b", LightState.RED), ("a", LightState.RED), ("b", LightState.GREEN)]
    assert [what for what in times_s if len(what) == 2] == order
    assert times_s["b", LightState.GREEN] - times_s["a", LightState.YELLOW] == pytest.approx(3.0)
    assert times_s[(("a", "b"),)] == pytest.approx(5.0, abs=0.1)
