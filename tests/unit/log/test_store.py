"""Episodes survive writing and reading, cutting and killing."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import numpy as np
import pytest
from mcap.reader import make_reader
from mcap.writer import Writer

from drive_agent.log.records import decision_of
from drive_agent.log.schema import SCHEMA_VERSION, ImageRef, Outcome, ScenarioEvent
from drive_agent.log.store import Episode, EpisodeWriter
from drive_agent.types import (
    CameraImage,
    Collision,
    Command,
    ControlTerms,
    Decision,
    EgoState,
    Forecast,
    Frame,
    LightState,
    Maneuver,
    ObjectKind,
    Plan,
    PlanError,
    Prompt,
    PromptState,
    Reply,
    Scene,
    SceneObject,
)
from tests.worlds import TICK_US, car, header, straight_route, street, truth

ROUTE, MAP = straight_route(60), street(100, stop_m=50)
DONE = Outcome("Completed", "", 12.5, 3.0)
TERMS = ControlTerms(1.0, -0.25, 0.1, 0.0, float("nan"), saturated=True)


def picture(name: str, time_us: int, seed: int = 0) -> CameraImage:
    """As the frame stage makes them: encoded once, seen decoded."""
    noise = np.random.default_rng([seed, time_us]).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    jpeg = cv2.imencode(".jpg", noise)[1].tobytes()
    rgb = cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return CameraImage(name, time_us, rgb, jpeg)


def decision(time_us: int, **parts: object) -> Decision:
    return Decision(Command(0.5, -0.1, 0.0), TERMS, TERMS, "", None, timings_ms={"control": 0.2}, **parts)


def full_decision(time_us: int, previous: CameraImage | None = None) -> Decision:
    """A tick with a model call and everything that comes of it."""
    image = picture("wide", time_us)
    earlier = {"wide": previous} if previous else {}
    ego = EgoState(time_us, 1.0, 2.0, 0.1, 5.0, 0.5, 0.01, 40.0)
    frame = Frame(
        time_us, {"wide": image}, earlier, ego, np.ones((2, 4)), np.arange(6.0).reshape(3, 2),
        (Maneuver.LEFT,) * 3, Maneuver.LANE_FOLLOW,
    )  # fmt: skip
    state = PromptState(5.0, 40.0, Maneuver.LEFT, 12.0, np.zeros((2, 2)))
    prompt = Prompt(({"role": "user", "content": "drive"},), (image,), (previous,), state)
    return Decision(
        command=Command(0.5, -0.1, 0.0),
        lateral=TERMS,
        longitudinal=TERMS,
        guard="too_close",
        plan=Plan(
            time_us, np.arange(8.0).reshape(4, 2), np.array([0.5, 1.0]), np.array([4.0, 5.0]), "clear road"
        ),
        frame=frame,
        prompt=prompt,
        reply=Reply("ok", {"path": np.float32([[1, 2]])}, {"forward": 61.0}, 17),
        scene=Scene((SceneObject(ObjectKind.CYCLIST, 0.9, 10.0, 1.0, 0.1, 4.0),), LightState.RED, 0.8, None),
        forecast=Forecast(np.zeros((1, 3, 2))),
        timings_ms={"model": 61.0},
    )


def write(path: Path, ticks: int, outcome: Outcome | None = DONE) -> list[Decision]:
    """A drive with a model call each fourth tick, its plan held in between."""
    decisions = []
    held = None
    with EpisodeWriter(path, header(ROUTE), MAP) as log:
        for k in range(ticks):
            if k % 4 == 0:
                made = held = full_decision(k * TICK_US, held and held.frame.cameras["wide"])
            else:
                made = Decision(
                    Command(0.1 * k, 0.0, 0.0),
                    TERMS,
                    TERMS,
                    "",
                    held.plan,
                    scene=held.scene,
                    forecast=held.forecast,
                )
            others = {5: (30.0, 1.75, 9.0)} if k >= 10 else {}
            collisions = (Collision(5, "vehicle.tesla.model3", 900.0),) if k == 12 else ()
            log.write(
                truth(
                    k,
                    0.4 * k,
                    speed_mps=8.0,
                    others=others,
                    lights={"s1": LightState.RED},
                    collisions=collisions,
                ),
                made,
            )
            decisions.append(made)
        if outcome:
            log.finish(outcome)
    return decisions


def assert_same(a: object, b: object) -> None:
    """Numpy's comparison walks nested dataclasses when they are dictionaries."""
    np.testing.assert_equal(_nested(a), _nested(b))


def _nested(value: object) -> object:
    if hasattr(value, "__dataclass_fields__"):
        return {name: _nested(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {key: _nested(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_nested(item) for item in value]
    return value


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("log") / "log.mcap"
    write(path, 50)
    return path


def test_everything_comes_back(tmp_path):
    path = tmp_path / "log.mcap"
    decisions = write(path, 50)
    with Episode.open(path) as episode:
        assert episode.truncated is None
        assert episode.outcome == DONE
        assert episode.cameras == ("wide",)
        assert episode.end_us == 49 * TICK_US
        assert_same(episode.header, header(ROUTE))
        assert_same(episode.route, ROUTE)
        assert_same(episode.road_map.to_dict(), MAP.to_dict())
        restored = [decision_of(record, episode.image) for _, record in episode.ticks()]
        assert [time_us for time_us, _ in episode.ticks()] == [k * TICK_US for k in range(50)]
    assert_same(restored, decisions)


def test_truths_come_back(whole):
    with Episode.open(whole) as episode:
        truths = list(episode.truths())
    assert [t.frame_id for t in truths] == list(range(50))
    others = {5: (30.0, 1.75, 9.0)}
    assert_same(truths[20], truth(20, 8.0, speed_mps=8.0, others=others, lights={"s1": LightState.RED}))
    assert truths[12].collisions == (Collision(5, "vehicle.tesla.model3", 900.0),)
    assert truths[9].ids == (1,) and truths[9].infos.keys() == {1}


def _spaced(plain: object) -> bytes:
    """JSON with spaces, the keys in another order: what another writer might make of it."""
    return json.dumps(plain, sort_keys=True, default=np.ndarray.tolist).encode()


@pytest.mark.parametrize("packed", [None, _spaced])
def test_the_egos_alone_are_those_of_the_truths(packed, tmp_path, monkeypatch):
    if packed is not None:
        monkeypatch.setattr("drive_agent.log.store.dumps", packed)
    write(tmp_path / "log.mcap", 20)
    with Episode.open(tmp_path / "log.mcap") as episode:
        truths = list(episode.truths())
        egos = list(episode.egos())
        assert list(episode.egos(truths[7].time_us)) == egos[7:]
    assert [(t.time_us, t.actors[0].tolist(), len(t.ids)) for t in truths] == egos
    assert {count for _, _, count in egos} == {1, 2}


def test_each_picture_is_stored_once_and_unchanged(whole):
    with Episode.open(whole) as episode:
        images = list(episode.images("wide"))
        assert [time_us for time_us, _ in images] == [k * TICK_US for k in range(0, 50, 4)]
        assert all(jpeg == picture("wide", time_us).jpeg for time_us, jpeg in images)
        assert_same(episode.image(ImageRef("wide", 8 * TICK_US)), picture("wide", 8 * TICK_US))
        with pytest.raises(KeyError, match="no picture of camera 'wide' at 1 us"):
            episode.image(ImageRef("wide", 1))


def test_an_earlier_picture_that_was_in_no_frame_is_stored_too(tmp_path):
    first, between = full_decision(400_000), picture("wide", 100_000)
    with EpisodeWriter(tmp_path / "log.mcap", header(ROUTE), MAP) as log:
        log.write(truth(8, 0.0), first)
        log.write(truth(16, 0.0), full_decision(800_000, between))
    with Episode.open(tmp_path / "log.mcap") as episode:
        assert_same(episode.image(ImageRef("wide", 100_000)), between)


def test_a_changed_actor_is_known_from_then_on(tmp_path):
    renamed = truth(1, 0.0)
    renamed.infos[1] = car(1, "hero")
    with EpisodeWriter(tmp_path / "log.mcap", header(ROUTE), MAP) as log:
        log.write(truth(0, 0.0), None)
        log.write(renamed, None)
        log.write(truth(2, 0.0), None)
    with Episode.open(tmp_path / "log.mcap") as episode:
        assert [t.ego_info.type_id.split(".")[1] for t in episode.truths()] == ["lincoln", "tesla", "lincoln"]
        assert list(episode.ticks()) == []


def test_plan_errors_and_scenario_events_come_back(tmp_path):
    failed = decision(0, plan_error=PlanError("3 of 8 waypoints are missing"))
    timeout = ScenarioEvent(0, "ParkedObstacle_1", "timeout")
    with EpisodeWriter(tmp_path / "log.mcap", header(ROUTE), MAP) as log:
        log.write(truth(0, 0.0), failed, (timeout,))
    with Episode.open(tmp_path / "log.mcap") as episode:
        [(_, record)] = episode.ticks()
        assert_same(decision_of(record, episode.image), failed)
        assert list(episode.scenario_events()) == [timeout]


def test_a_drive_that_raises_leaves_a_closed_file_without_an_outcome(tmp_path):
    with pytest.raises(RuntimeError), EpisodeWriter(tmp_path / "log.mcap", header(ROUTE), MAP) as log:
        log.write(truth(0, 0.0), None)
        log.write(truth(1, 0.0), None)
        raise RuntimeError("server died")
    with Episode.open(tmp_path / "log.mcap") as episode:
        assert episode.outcome is None
        assert episode.truncated == "the drive was interrupted after 0.05 s, its outcome was not written"
        assert len(list(episode.truths())) == 2


def test_other_programs_can_read_it(whole):
    with whole.open("rb") as file:
        reader = make_reader(file)
        summary = reader.get_summary()
        topics = {channel.topic for channel in summary.channels.values()}
        times = [message.log_time for _, _, message in reader.iter_messages(topics=["/truth"])]
        [(shape, channel, run)] = list(reader.iter_messages(topics=["/run"]))
    assert topics == {"/run", "/road_map", "/actor", "/truth", "/tick", "/camera/wide", "/end"}
    assert times == [k * TICK_US * 1000 for k in range(50)]
    assert (shape.encoding, channel.message_encoding) == ("jsonschema", "json")
    assert json.loads(run.data)["schema_version"] == SCHEMA_VERSION


def test_a_file_cut_at_any_byte_opens_up_to_its_last_whole_part(whole, tmp_path):
    data = whole.read_bytes()
    with Episode.open(whole) as episode:
        expected = [t.frame_id for t in episode.truths()]
    cut_file = tmp_path / "log.mcap"
    read, refused = [], 0
    for size in [*range(1, len(data), 997), len(data) - 1]:
        cut_file.write_bytes(data[:size])
        try:
            with Episode.open(cut_file) as episode:
                frames = [t.frame_id for t in episode.truths()]
                ticks = [time_us // TICK_US for time_us, _ in episode.ticks()]
                assert frames == ticks == expected[: len(frames)]
                assert (
                    episode.truncated is not None or size > len(data) - 2000
                )  # the closing part is not needed
                read.append(len(frames))
        except ValueError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused < 10 and read == sorted(read) and read[-1] == 50
    assert len(set(read)) >= 3  # more of the file, more of the drive


def test_every_cut_near_a_part_border_opens(whole, tmp_path):
    """The places where a reader goes wrong: inside a part's index, between parts, in the closing part."""
    data = whole.read_bytes()
    cut_file = tmp_path / "log.mcap"
    for size in range(len(data) - 400, len(data)):
        cut_file.write_bytes(data[:size])
        with Episode.open(cut_file) as episode:
            assert len(list(episode.truths())) == 50


def test_a_killed_writer_leaves_a_readable_file(tmp_path):
    """The child writes 10.5 simulated seconds without closing, says so, and is killed."""
    path = tmp_path / "log.mcap"
    script = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        from drive_agent.log.store import EpisodeWriter
        from tests.worlds import header, straight_route, street, truth
        log = EpisodeWriter(Path({str(path)!r}), header(straight_route(60)), street(100)).__enter__()
        for k in range(210):
            log.write(truth(k, 0.1 * k), None)
        print("written", flush=True)
        time.sleep(60)
    """)
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert child.stdout.readline() == b"written\n"
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()
    with Episode.open(path) as episode:
        frames = [t.frame_id for t in episode.truths()]
        assert episode.truncated.startswith("the log is cut off after 10.00 s")
        assert episode.outcome is None
    assert frames == list(range(201))  # flushed at each whole second


def foreign_mcap(path: Path, topic: str, data: bytes) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        channel = writer.register_channel(topic, "json", 0)
        writer.add_message(channel, 0, data, 0)
        writer.finish()
    return path


def test_files_of_other_kinds_are_refused_in_one_line(tmp_path):
    empty = tmp_path / "empty.mcap"
    empty.touch()
    text = tmp_path / "text.mcap"
    text.write_text("no log at all")
    foreign = foreign_mcap(tmp_path / "foreign.mcap", "/tf", b"{}")
    newer = foreign_mcap(tmp_path / "newer.mcap", "/run", b'{"schema_version": 99}')
    for path, part in (
        (empty, "is empty, expected an episode log"),
        (text, "is no MCAP file"),
        (foreign, "is an MCAP file of another kind: it has no /run message"),
        (newer, "has log schema 99, expected 1 to 2: read it with the drive-agent version that wrote it"),
    ):
        with pytest.raises(ValueError, match=part) as caught:
            Episode.open(path)
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_a_damaged_part_is_reported(whole, tmp_path):
    data = bytearray(whole.read_bytes())
    data[len(data) // 2] ^= 0xFF
    damaged = tmp_path / "log.mcap"
    damaged.write_bytes(data)
    with pytest.raises(ValueError, match="is damaged at byte"), Episode.open(damaged) as episode:
        list(episode.truths())
        list(episode.images("wide"))
