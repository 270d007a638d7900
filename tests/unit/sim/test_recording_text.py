"""Reports on recordings are in CARLA's words, to the letter: ScenarioRunner's metrics parse them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from drive_agent.carla_recorder import (
    NO_ACTOR,
    RECORDS,
    ActorClass,
    Appeared,
    Attribute,
    Frame,
    Packet,
    Physics,
    Recording,
    read_recording,
)
from drive_agent.sim.recording_text import blocked_text, collisions_text, info_text

RUNNER = Path(os.environ.get("SCENARIO_RUNNER_ROOT", "/nowhere"))
REAL = Path(__file__).parents[4] / "shared/data/carla/recordings"

HERO = Appeared(
    7, ActorClass.VEHICLE, (39250.0, -19500.125, 60.7119), (0.0, 0.0, 90.0), 26, "vehicle.lincoln.mkz_2017",
    (Attribute(3, "role_name", "hero"), Attribute(2, "mass", "")),
)  # fmt: skip
WALKER = Appeared(8, ActorClass.WALKER, (0.0, 0.0, 1e-5), (0.0, 0.0, 0.0), 3, "walker.pedestrian.0001")
SENSOR = Appeared(9, ActorClass.SENSOR, (100.0, 0.0, 200.0), (0.0, 0.0, 0.0), 5, "sensor.other.imu")
LIGHT = Appeared(2, ActorClass.TRAFFIC_LIGHT, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0, "traffic.traffic_light")
PHYSICS = Physics(
    7, 6500.0, 1.0, (0.05, 2.0, 0.35), True, 10.0, 3.21, 1696.0, 0.3, (0.6, 0.0, -0.3),
    ((1000.0, 347.0), (6500.0, 466.0)), ((4.584, 0.23, 0.54),), ((0.0, 1.0), (120.0, 0.7)),
    ((3.5, 0.25, 70.0, 35.5, 800.0, 0.0, 3.0, 20.0, 3000.0, 39328.5, 19647.8, 86.4026),),
)  # fmt: skip


def rows(packet: Packet, *values: tuple) -> np.ndarray:
    return np.array(list(values), RECORDS[packet])


def frames() -> tuple[Frame, ...]:
    first = {
        Packet.PARENTS: rows(Packet.PARENTS, (9, 7)),
        Packet.COLLISIONS: rows(Packet.COLLISIONS, (0, 7, 8, 1, 0), (1, 7, NO_ACTOR, 1, 0)),
        Packet.POSITIONS: rows(
            Packet.POSITIONS, (7, (39250, 19500, 0.25), (0, -0.0, 90)), (8, (0, 1e6, 0), (0, 0, 0))
        ),
        Packet.LIGHTS: rows(Packet.LIGHTS, (2, 0, 0.167068, 2)),
        Packet.VEHICLES: rows(Packet.VEHICLES, (7, -0.25, 1.0, 0.0, 1, -1)),
        Packet.WALKERS: rows(Packet.WALKERS, (8, 140.0)),
        Packet.VEHICLE_LIGHTS: rows(Packet.VEHICLE_LIGHTS, (7, 1 | 32 | 128 | 256), (8, 0)),
        Packet.SCENE_LIGHTS: rows(Packet.SCENE_LIGHTS, (4, 1000.0, (1.0, 0.5, 0.0, 1.0), 1, 2)),
        Packet.KINEMATICS: rows(Packet.KINEMATICS, (7, (1.5, 0, 0), (0, 0, 12.5)), (8, (0, 0, 0), (0, 0, 0))),
        Packet.BOXES: rows(Packet.BOXES, (7, (0, 0, 75), (245, 106, 75))),
        Packet.TRIGGERS: rows(Packet.TRIGGERS, (2, (1, 2, 3), (4, 5, 6))),
        Packet.LIGHT_TIMES: rows(Packet.LIGHT_TIMES, (2, 10, 3, 2)),
        Packet.DOORS: rows(Packet.DOORS, (7, 0, 1)),
    }
    second = {
        Packet.GONE: rows(Packet.GONE, (8,)),
        Packet.COLLISIONS: rows(Packet.COLLISIONS, (2, 7, 8, 1, 0)),
        Packet.POSITIONS: rows(Packet.POSITIONS, (7, (39250, 19501, 0.25), (0, 0, 90))),
    }
    third = {Packet.POSITIONS: rows(Packet.POSITIONS, (7, (39250, 19900, 0.25), (0, 0, 90)))}
    return (
        Frame(1, 2.5, 0.0, (HERO, WALKER, SENSOR, LIGHT), first, (PHYSICS,), 0.00325, 17),
        Frame(2, 0.5, 2.5, (), second),
        Frame(3, -1.0, 3.0, (), third),
    )


RECORDING = Recording("Town01", 1637671165, frames())
HEAD = (
    "Version: 1\nMap: Town01\nDate: "
    + time.strftime("%m/%d/%y %H:%M:%S", time.localtime(1637671165))
    + "\n\n"
)
EVENTS = """Frame 1 at 0 seconds
 Create 7: vehicle.lincoln.mkz_2017 (1) at (39250, -19500.1, 60.7119)
  role_name = hero
  mass =\x20
 Create 8: walker.pedestrian.0001 (2) at (0, 0, 1e-05)
 Create 9: sensor.other.imu (5) at (100, 0, 200)
 Create 2: traffic.traffic_light (3) at (0, 0, 0)
 Collision id 0 between 7 (hero)  with 8
 Collision id 1 between 7 (hero)  with 4294967295
 Parenting 9 with 7 (parent)
"""
DETAILS = """ Positions: 2
  Id: 7 Location: (39250, 19500, 0.25) Rotation: (0, -0, 90)
  Id: 8 Location: (0, 1e+06, 0) Rotation: (0, 0, 0)
 State traffic lights: 1
  Id: 2 state: 2 frozen: 0 elapsedTime: 0.167068
 Vehicle animations: 1
  Id: 7 Steering: -0.25 Throttle: 1 Brake: 0 Handbrake: 1 Gear: -1
 Walker animations: 1
  Id: 8 speed: 140
 Vehicle light animations: 2
  Id: 7 Position LeftBlinker Interior Fog
  Id: 8 None
 Scene light changes: 1
  Id: 4 enabled: True intensity: 1000 RGB_color: (1, 0.5, 0)
 Dynamic actors: 2
  Id: 7 linear_velocity: (1.5, 0, 0) angular_velocity: (0, 0, 12.5)
  Id: 8 linear_velocity: (0, 0, 0) angular_velocity: (0, 0, 0)
 Actor bounding boxes: 1
  Id: 7 origin: (0, 0, 75) extension: (245, 106, 75)
 Actor trigger volumes: 1
  Id: 2 origin: (1, 2, 3) extension: (4, 5, 6)
 Current platform time: 0.00325
 Physics Control events: 1
  Id: 7
   max_rpm = 6500
   MOI = 1
   damping_rate_full_throttle = 0.05
   damping_rate_zero_throttle_clutch_engaged = 2
   damping_rate_zero_throttle_clutch_disengaged = 0.35
   use_gear_auto_box = true
   gear_switch_time = 0
   clutch_strength = 10
   final_ratio = 3.21
   mass = 1696
   drag_coefficient = 0.3
   center_of_mass = (0.6, 0, -0.3)
   torque_curve = (1000, 347) (6500, 466)
   steering_curve = (0, 1) (120, 0.7)
   forward_gears:
    gear 0: ratio 4.584 down_ratio 0.23 up_ratio 0.54
   wheels:
    wheel 0: tire_friction 3.5 damping_rate 0.25 max_steer_angle 70 radius 35.5 max_brake_torque 800 max_handbrake_torque 0 position (39328.5, 19647.8, 86.4026)
 Traffic Light time events: 1
  Id: 2 green_time: 10 yellow_time: 3 red_time: 2
 Vehicle door animations: 1
  Id: 7
  Doors opened:  Front Left\x20
"""
SECOND = """Frame 2 at 2.5 seconds
 Destroy 8
 Collision id 2 between 7 (hero)  with 8
"""
FOOT = "\nFrames: 3\nDuration: 3 seconds\n"


def test_everything_is_told_line_by_line() -> None:
    rest = " Positions: 1\n  Id: 7 Location: (39250, 19501, 0.25) Rotation: (0, 0, 90)\n"
    last = rest.replace("19501", "19900")
    assert "".join(info_text(RECORDING, show_all=True)) == (
        HEAD + EVENTS + DETAILS + SECOND + rest + "Frame 3 at 3 seconds\n" + last + FOOT
    )


def test_events_alone_leave_out_frames_without_any() -> None:
    assert "".join(info_text(RECORDING, show_all=False)) == HEAD + EVENTS + SECOND + FOOT


def test_a_collision_is_listed_when_it_begins() -> None:
    title = f"    Time  Types     Id {'Actor 1':<35}     Id {'Actor 2':<35}\n"
    first = f"       0   v w       7 {HERO.type_id:<35}      8 {WALKER.type_id:<35}\n"
    wall = f"       0   v o       7 {HERO.type_id:<35} 4294967295 {'':<35}\n"
    assert "".join(collisions_text(RECORDING, "a", "a")) == HEAD + title + first + wall + FOOT
    assert "".join(collisions_text(RECORDING, "h", "w")) == HEAD + title + first + FOOT
    assert "".join(collisions_text(RECORDING, "w", "a")) == HEAD + title + FOOT


def test_who_stands_is_listed_with_how_long() -> None:
    title = f"    Time     Id {'Actor':<35}   Duration\n"
    stood = f"       2      7 {HERO.type_id:<35}          0\n"
    assert "".join(blocked_text(RECORDING, 0.5, 100.0)) == HEAD + title + stood + FOOT
    assert "".join(blocked_text(RECORDING, 0.6, 100.0)) == HEAD + title + FOOT


def test_a_file_that_was_cut_off_says_so_at_the_end() -> None:
    cut = Recording(
        "Town01", 1637671165, frames(), "cut off after frame 3: 12 bytes of an unfinished one are ignored"
    )
    assert "".join(info_text(cut, show_all=False)).endswith(FOOT + cut.missing + "\n")


@pytest.mark.skipif(
    not (RUNNER / "srunner/metrics/tools/metrics_log.py").is_file(),
    reason="set SCENARIO_RUNNER_ROOT to a checkout of ScenarioRunner",
)
class TestScenarioRunnersParser:
    @pytest.fixture(autouse=True)
    def _path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "path", [str(RUNNER), *sys.path])

    def test_it_reads_every_packet(self) -> None:
        from srunner.metrics.tools.metrics_log import MetricsLog  # type: ignore[import-not-found]

        log = MetricsLog("".join(info_text(RECORDING, show_all=True)))
        assert log.get_ego_vehicle_id() == 7
        assert log.get_actor_collisions(7) == {0: [8, NO_ACTOR], 1: [8]}
        assert log.get_actor_transform(7, 1).location.x == 392.5
        assert log.get_vehicle_control(7, 1).gear == -1
        assert log.get_actor_velocity(7, 1).x == 1.5
        assert log.get_vehicle_physics_control(7, 1).mass == 1696.0
        assert log.get_actor_bounding_box(7).extent.x == pytest.approx(2.45)
        assert log.get_platform_time(0) == 0.00325
        assert log.get_walker_speed(8, 1) == "140"
        assert log.get_total_frame_count() == 3

    @pytest.mark.skipif(
        not REAL.is_dir(), reason="the recordings of ScenarioRunner's metrics are not at hand"
    )
    @pytest.mark.parametrize(
        ("name", "count"), [("DistanceBetweenVehicles", 847), ("DistanceToLaneCenter", 432)]
    )
    def test_it_reads_carlas_own_recordings(self, name: str, count: int) -> None:
        from srunner.metrics.tools.metrics_log import MetricsLog  # type: ignore[import-not-found]

        recording = read_recording((REAL / f"{name}.log").read_bytes())
        log = MetricsLog("".join(info_text(recording, show_all=True)))
        assert log.get_total_frame_count() == count
        hero = log.get_ego_vehicle_id()
        for frame in recording.frames[:-1:50]:
            [position] = [r for r in frame.of(Packet.POSITIONS) if r["id"] == hero]
            place = log.get_actor_transform(hero, frame.number).location
            assert (place.x, place.y) == pytest.approx(position["location_cm"][:2] / 100.0, abs=1e-3)
