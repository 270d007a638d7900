import numpy as np
import pytest

from drive_agent.sim.render import labels
from drive_agent.sim.render.mesh import box
from drive_agent.sim.render.weather import Weather, atmosphere

NOON = [10.0, 0, 0, 5, 45, 70, 2, 0.75, 0.1, 0, 1, 0.03, 0.0331, 0]


def _with(**changes: float) -> list[float]:
    names = list(Weather.__dataclass_fields__)
    values = list(NOON)
    for name, value in changes.items():
        values[names.index(name)] = value
    return values


def _mean(renderer, camera, weather: list[float]) -> np.ndarray:
    renderer.set_weather(weather)
    return renderer.render([camera], [])[0].bgra[..., :3].astype(float)


def test_negative_values_mean_the_default_noon() -> None:
    assert Weather.from_carla([-1.0] * 14) == Weather()
    assert Weather.from_carla(_with(sun_altitude_deg=-30.0)).sun_altitude_deg == -30.0


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Weather.from_carla(_with(wetness=float("nan")))


def test_night_is_darker_than_dusk_and_dusk_than_noon(world, front) -> None:
    renderer = world()
    noon, dusk, night = (
        _mean(renderer, front(), _with(sun_altitude_deg=a)).mean() for a in (70.0, 3.0, -30.0)
    )
    assert noon > 1.2 * dusk > 1.2 * 1.2 * night


def test_street_lamps_light_the_ground_by_night_only(world, front) -> None:
    above = front(33, 33, 40.0, x=0.0, z=15.0, pitch_deg=-90.0)
    for altitude, brighter in ((-30.0, True), (70.0, False)):
        weather = _with(sun_altitude_deg=altitude)
        dark, lit = _mean(world(), above, weather), _mean(world(lamps=((0.0, 0.0, 0.0),)), above, weather)
        assert (lit[16, 16].mean() > dark[16, 16].mean() + 25) == brighter


def test_headlamps_light_the_road_ahead_by_night(world, front, actor) -> None:
    renderer = world()
    renderer.set_weather(_with(sun_altitude_deg=-30.0))
    beams = [
        renderer.render([front(160, 90, x=-4.0)], [actor(x=0.0, light_flags=flags)])[0]
        .bgra[..., :3]
        .astype(float)
        for flags in (0, 2)
    ]
    ahead = beams[1] - beams[0]
    assert ahead.max() > 40


def test_fog_hides_far_things_more_than_near_ones(world, front) -> None:
    wall = [box((1, 400, 40), (x, 0, 20), (0.1, 0.1, 0.1), labels.BUILDINGS) for x in (10.0, 90.0)]
    for solid, change in zip(wall, (30.0, 90.0), strict=True):
        renderer = world(solid)
        clear, foggy = (_mean(renderer, front(9, 9, 20.0), _with(fog_density=d)).mean() for d in (0.0, 60.0))
        assert foggy > clear + change - 20
    near, far = (_mean(world(solid), front(9, 9, 20.0), _with(fog_density=60.0)).mean() for solid in wall)
    assert far > near + 20


def test_an_overcast_sky_throws_hardly_any_shadow() -> None:
    clear, overcast = (atmosphere(Weather.from_carla(_with(cloudiness=c))) for c in (0.0, 100.0))
    assert max(overcast.sun_color) < 0.1 * max(clear.sun_color)


CHANGES = [  # parameter, one value, another, and the weather around it
    ("cloudiness", 0.0, 100.0, {}),
    ("precipitation", 0.0, 100.0, {}),
    ("precipitation_deposits", 0.0, 100.0, {}),
    ("wind_intensity", 0.0, 100.0, {"precipitation": 100.0}),
    ("sun_azimuth_deg", 0.0, 100.0, {}),
    ("sun_altitude_deg", 70.0, 5.0, {}),
    ("fog_density", 0.0, 100.0, {}),
    ("fog_distance", 0.0, 30.0, {"fog_density": 80.0}),
    ("fog_falloff", 0.0, 2.0, {"fog_density": 30.0}),
    ("wetness", 0.0, 100.0, {}),
    ("scattering", 0.0, 3.0, {"fog_density": 50.0}),
    ("mie", 0.03, 0.5, {}),
    ("rayleigh", 0.0, 0.0662, {}),
    ("dust_storm", 0.0, 100.0, {}),
]


@pytest.mark.parametrize(("name", "low", "high", "around"), CHANGES, ids=[row[0] for row in CHANGES])
def test_every_parameter_changes_the_picture(
    world, front, name: str, low: float, high: float, around: dict[str, float]
) -> None:
    renderer = world(box((4, 4, 20), (30.0, 3.0, 10.0), (0.7, 0.7, 0.7), labels.BUILDINGS))
    before, after = (_mean(renderer, front(), _with(**around, **{name: value})) for value in (low, high))
    assert np.abs(before - after).mean() > 0.3


def test_the_sky_of_the_presets_is_the_usual_one() -> None:
    usual = atmosphere(Weather.from_carla(_with()))
    assert max(usual.zenith) == usual.zenith[2]
    red, blue = (atmosphere(Weather.from_carla(_with(rayleigh=value))) for value in (0.0, 0.0662))
    bluer, as_usual, greyer = (air.zenith[2] - air.zenith[0] for air in (blue, usual, red))
    assert bluer > as_usual > greyer


def test_high_things_stick_out_of_low_fog(world, front) -> None:
    tower = box((4, 40, 80), (60.0, 0.0, 40.0), (0.1, 0.1, 0.1), labels.BUILDINGS)
    renderer, up = world(tower), front(9, 9, 10.0, pitch_deg=40.0)
    thick, low = (_mean(renderer, up, _with(fog_density=60.0, fog_falloff=f)).mean() for f in (0.0, 1.0))
    assert thick > low + 40


def test_weather_can_be_taken_back(world, front) -> None:
    renderer = world()
    first = _mean(renderer, front(), NOON)
    _mean(renderer, front(), _with(sun_altitude_deg=-30.0, fog_density=50.0))
    assert (_mean(renderer, front(), NOON) == first).all()
