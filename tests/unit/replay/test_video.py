from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from replay import palette, video
from replay.episode import Timeline
from replay.video import HEIGHT, WIDTH, Screen, write_video

FPS = 10


@pytest.fixture(scope="module")
def mp4(log_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(log_path, tmp_path_factory.mktemp("video") / "video.mp4", FPS)


def test_it_is_h264_of_the_right_size_and_length(mp4: Path) -> None:
    with av.open(str(mp4)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.average_rate) == (WIDTH, HEIGHT, FPS)
        frames = list(container.decode(video=0))
    assert len(frames) == 60  # 5.95 s: one frame each 0.1 s from 0.0 to 5.9
    assert [frame.time for frame in frames] == pytest.approx(np.arange(60) / FPS)
    assert [k for k, frame in enumerate(frames) if frame.key_frame] == list(range(0, 60, FPS))


def test_the_index_comes_first_and_it_can_be_entered_anywhere(mp4: Path) -> None:
    data = mp4.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(mp4)) as container:
        container.seek(4_250_000)
        frame = next(container.decode(video=0))
    assert frame.time == pytest.approx(4.0)


def test_frames_look_like_what_was_drawn(mp4: Path, log_path: Path) -> None:
    timeline = Timeline(log_path)
    drawn = Screen(timeline).draw(timeline.index_at(timeline.start_us + 3_000_000)).astype(float)
    with av.open(str(mp4)) as container:
        shown = [f for k, f in enumerate(container.decode(video=0)) if k == 30][0].to_ndarray(format="rgb24")
    assert np.abs(shown - drawn).mean() < 4.0


def caption_pixels(timeline: Timeline, seconds_after: float) -> int:
    screen = Screen(timeline)
    image = screen.draw(timeline.index_at(timeline.events[0].time_us + round(seconds_after * 1e6)))
    return int((np.abs(image[15:60, 200:600].astype(int) - palette.STOP).max(-1) < 12).sum())


def test_an_infraction_is_captioned_for_two_seconds(log_path: Path) -> None:
    timeline = Timeline(log_path)
    assert caption_pixels(timeline, -0.1) == 0
    assert caption_pixels(timeline, 0.0) > 500
    assert caption_pixels(timeline, 2.05) == 0


def test_captions_do_not_stay_on_the_camera_picture(log_path: Path) -> None:
    timeline = Timeline(log_path)
    after = timeline.index_at(timeline.events[0].time_us + 2_100_000)
    fresh = Screen(timeline).draw(after).copy()
    used = Screen(timeline)
    for index in range(after + 1):
        last = used.draw(index)
    assert np.array_equal(last, fresh)


def test_drives_without_pictures_and_cut_logs_become_videos(
    blind_log_path: Path, cut_log_path: Path, tmp_path: Path
) -> None:
    for log in (blind_log_path, cut_log_path):
        out = write_video(log, tmp_path / f"{log.parent.name}.mp4", FPS)
        with av.open(str(out)) as container:
            count = sum(1 for _ in container.decode(video=0))
        assert count == int(Timeline(log).duration_s * FPS + 1e-6) + 1


def test_a_failure_leaves_the_old_file_and_no_rest(log_path: Path, tmp_path: Path, monkeypatch) -> None:
    out = tmp_path / "video.mp4"
    out.write_bytes(b"old")

    def broken(self: Screen, index: int) -> np.ndarray:
        raise ValueError("no ink")

    monkeypatch.setattr(video.Screen, "draw", broken)
    with pytest.raises(ValueError, match="no ink"):
        write_video(log_path, out)
    assert out.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]
