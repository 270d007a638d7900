"""A drive as a video: camera with plan and perception, the view from above, the strip of numbers. H.264, seekable.

Works on whole and cut-off logs, with and without pictures. The file appears under its name only when it is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from replay import dashboard, palette
from replay.birdseye import BirdsEye, sideways_view, upward_view
from replay.camera_view import CameraView
from replay.dashboard import Dashboard, draw_captions
from replay.episode import Moment, Timeline

WIDTH = 1280
PICTURE_HEIGHT = 428
HEIGHT = PICTURE_HEIGHT + dashboard.HEIGHT  # 544, a multiple of 16: no padding when coded
GAP = 4
MAX_CAMERA_WIDTH = 856
TRAIL_S = 20.0
CAPTION_S = 2.0
INSET_PX = 124
QUALITY = "23"  # x264's constant rate factor


def write_video(log_path: Path | str, out_path: Path | str, fps: int = 10) -> Path:
    """Draw a log into an mp4 file of `fps` frames per simulated second; returns its path.

    Raises ValueError for a log without ticks or with a rig that is not known.
    """
    out = Path(out_path)
    part = out.with_name(out.name + ".part")
    timeline = Timeline(Path(log_path))
    try:
        _encode(part, frames(timeline, fps), fps)
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return out


def frames(timeline: Timeline, fps: int) -> Iterator[np.ndarray]:
    """The pictures of the video, uint8 (HEIGHT, WIDTH, 3) RGB. The array is used again for the next one."""
    screen = Screen(timeline)
    step_us = 1e6 / fps
    for k in range(int(timeline.duration_s * fps + 1e-6) + 1):
        yield screen.draw(timeline.index_at(round(timeline.start_us + k * step_us)))


class Screen:
    """Everything of one moment on one picture."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._image = np.full((HEIGHT, WIDTH, 3), palette.LINE, np.uint8)
        self._camera = CameraPanel(timeline) if timeline.front is not None else None
        left = self._camera.width + GAP if self._camera is not None else 0
        make_view = upward_view if left else sideways_view
        view = make_view(WIDTH - left, PICTURE_HEIGHT)
        self._birdseye = BirdsEye(timeline.road_map, timeline.header.route.points, view)
        self._dashboard = Dashboard(timeline, WIDTH)
        self._caption_center = (left or WIDTH) // 2

    def draw(self, index: int) -> np.ndarray:
        """The picture of the tick with this index; the array is used again by the next call."""
        moment, image = self._timeline.moments[index], self._image
        view = self._birdseye.draw(moment, self._trail(index))
        image[:PICTURE_HEIGHT, WIDTH - view.shape[1] :] = view
        image[PICTURE_HEIGHT:] = self._dashboard.draw(index)
        if self._camera is not None:
            image[:PICTURE_HEIGHT, : self._camera.width] = self._camera.draw(moment)
        draw_captions(image, self._captions(moment), self._caption_center, 20)
        return image

    def _trail(self, index: int) -> np.ndarray:
        first = self._timeline.index_at(self._timeline.times_us[index] - round(TRAIL_S * 1e6))
        return self._timeline.track[first : index + 1 : 4]

    def _captions(self, moment: Moment) -> list[str]:
        events = self._timeline.events
        return [event.kind for event in events if 0 <= moment.time_us - event.time_us < CAPTION_S * 1e6]


class CameraPanel:
    """The front camera's part of the screen; drawn anew only when the picture, the plan or the scene is another."""

    def __init__(self, timeline: Timeline) -> None:
        assert timeline.front is not None
        self._front, self._inset = timeline.front, timeline.inset
        mount = self._front.mount
        self.width = min(round(PICTURE_HEIGHT * mount.width / mount.height / 2) * 2, MAX_CAMERA_WIDTH)
        height = round(self.width * mount.height / mount.width)
        inset = (self.width - INSET_PX - 16, 12 - (PICTURE_HEIGHT - height) // 2, INSET_PX + 4, INSET_PX + 4)
        self._view = CameraView(mount, self.width, height, (inset,) if self._inset is not None else ())
        self._image = np.full((PICTURE_HEIGHT, self.width, 3), palette.GROUND, np.uint8)
        self._shown: tuple[int | None, int, int] | None = None

    def draw(self, moment: Moment) -> np.ndarray:
        """The panel as uint8 (PICTURE_HEIGHT, width, 3)."""
        number = self._front.index_at(moment.time_us)
        wanted = (
            number,
            id(moment.plan),
            id(moment.scene),
        )  # the timeline keeps them alive: ids are not used again
        if number is not None and wanted != self._shown:
            top = (PICTURE_HEIGHT - self._view.height) // 2
            drawn = self._view.draw(self._front.picture(number), moment)
            self._image[top : top + self._view.height] = drawn
            self._draw_inset(moment.time_us)
            self._shown = wanted
        return self._image

    def _draw_inset(self, time_us: int) -> None:
        number = self._inset.index_at(time_us) if self._inset is not None else None
        if self._inset is None or number is None:
            return
        picture = cv2.resize(
            self._inset.picture(number).rgb, (INSET_PX, INSET_PX), interpolation=cv2.INTER_CUBIC
        )
        left = self.width - INSET_PX - 14
        self._image[12 : 16 + INSET_PX, left - 2 : left + INSET_PX + 2] = palette.PANEL
        self._image[14 : 14 + INSET_PX, left : left + INSET_PX] = picture


def _encode(path: Path, pictures: Iterator[np.ndarray], fps: int) -> None:
    """H.264 that browsers play and seek: 4:2:0, the index in front, a key frame each second."""
    options = {"movflags": "faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream(
            "libx264", rate=fps, options={"preset": "veryfast", "crf": QUALITY, "tune": "animation"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = fps
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = Fraction(1, fps)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
