"""Sensor packets in, `EgoState` every tick and `Frame` when the cameras delivered.

Fuses GNSS, compass and odometry into a smooth pose, keeps the history, encodes each picture once (the model sees the
decoded result, the log keeps the bytes), and looks the route up ahead. Knows nothing of simulators or models.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from drive_agent.geometry import to_frame, wrap_angle
from drive_agent.types import Briefing, CameraImage, EgoState, Frame, SensorPacket

EARTH_RADIUS_M = 6_378_137.0  # WGS-84 equatorial, the one CARLA projects with
GNSS_GAIN = 0.05  # share of a position fix that corrects the odometry: noise 0.5 m -> about 0.1 m
COMPASS_GAIN = 0.1
STOPPED_MPS = 0.1
SINCE_STOP_MAX_M = 50.0
# In a small picture a light is a few pixels, which have to stay; large ones make up most of a log.
FINE_QUALITY, QUALITY = 92, 78
SMALL_PX = 50_000
PREVIOUS_US = 500_000  # the earlier picture that shows motion
HISTORY_US = 500_000


def to_local(points_deg: np.ndarray, origin_deg: np.ndarray) -> np.ndarray:
    """Geographic points (..., 2) latitude, longitude as metres east and north of an origin, on the local tangent."""
    delta = np.radians(np.asarray(points_deg, dtype=float) - origin_deg) * EARTH_RADIUS_M
    return np.stack([delta[..., 1] * np.cos(np.radians(origin_deg[0])), delta[..., 0]], -1)


class FrameBuilder:
    """One per route: feed it every packet in order."""

    def __init__(self, briefing: Briefing) -> None:
        self._origin_deg = np.asarray(briefing.route_deg[0], dtype=float)
        self._route = to_local(briefing.route_deg, self._origin_deg)
        self._maneuvers = briefing.maneuvers
        self._next_point = 1
        self._state: EgoState | None = None
        self._past: deque[EgoState] = deque(maxlen=64)
        self._pictures: deque[dict[str, CameraImage]] = deque(maxlen=8)

    def ego(self, packet: SensorPacket) -> EgoState:
        """Fuse one packet. The pose moves by odometry and is pulled gently to GNSS and compass."""
        fix = to_local(np.array([packet.latitude_deg, packet.longitude_deg]), self._origin_deg)
        last = self._state
        if last is None:
            x, y, yaw, since_stop = float(fix[0]), float(fix[1]), packet.yaw_rad, 0.0
        else:
            x, y, yaw, since_stop = _dead_reckon(last, packet)
            x += GNSS_GAIN * (fix[0] - x)
            y += GNSS_GAIN * (fix[1] - y)
            yaw += COMPASS_GAIN * float(wrap_angle(packet.yaw_rad - yaw))
        self._state = EgoState(
            packet.time_us, float(x), float(y), float(wrap_angle(yaw)), packet.speed_mps, packet.accel_mps2,
            packet.yaw_rate_radps, since_stop,
        )  # fmt: skip
        self._past.append(self._state)
        self._advance_route()
        return self._state

    def frame(self, packet: SensorPacket) -> Frame:
        """The `Frame` of the packet just fused; its pictures must be there."""
        state = self._state
        if state is None or state.time_us != packet.time_us:
            raise ValueError(f"frame() at {packet.time_us} us needs ego() of the same packet first")
        cameras = {name: encode_picture(name, packet.time_us, rgb) for name, rgb in packet.images.items()}
        previous = self._earlier_pictures(packet.time_us)
        self.remember(cameras)
        ahead = slice(self._next_point, self._next_point + 6)
        return Frame(
            time_us=packet.time_us,
            cameras=cameras,
            previous=previous,
            ego=state,
            history_ego=self._history(state),
            route_ego=to_frame(self._route[ahead], state.x_m, state.y_m, state.yaw_rad),
            route_maneuvers=self._maneuvers[ahead],
            maneuver=self._maneuvers[self._next_point - 1],
        )

    def ego_at(self, time_us: int) -> EgoState:
        """The state of one of the last packets. Raises ValueError when it is too old, or was none."""
        for state in reversed(self._past):
            if state.time_us == time_us:
                return state
        raise ValueError(f"no own state of {time_us} us is known, only the last {len(self._past)}")

    def remember(self, cameras: dict[str, CameraImage]) -> None:
        """Take in pictures of a past frame as they were seen then."""
        self._pictures.append(cameras)

    def _advance_route(self) -> None:
        """Drop route points that lie behind: passed when the car is beyond the plane through the point."""
        state = self._state
        assert state is not None
        while self._next_point < len(self._route) - 1:
            before, point = self._route[self._next_point - 1 : self._next_point + 1]
            direction = (point - before) / max(float(np.linalg.norm(point - before)), 1e-6)
            to_go = float((point - (state.x_m, state.y_m)) @ direction)
            near = float(np.hypot(*(point - (state.x_m, state.y_m)))) < 15.0
            if to_go > 0.0 or not near:
                return
            self._next_point += 1

    def _earlier_pictures(self, time_us: int) -> dict[str, CameraImage]:
        """The pictures taken nearest to `PREVIOUS_US` ago, within 40 %; empty when there are none."""
        best: dict[str, CameraImage] = {}
        best_gap = 0.4 * PREVIOUS_US
        for pictures in self._pictures:
            for picture in list(pictures.values())[:1]:
                gap = abs(time_us - picture.time_us - PREVIOUS_US)
                if gap <= best_gap:
                    best, best_gap = pictures, gap
        return best

    def _history(self, state: EgoState) -> np.ndarray:
        wanted = [s for s in self._past if (state.time_us - s.time_us) % HISTORY_US == 0]
        past = np.array([(s.x_m, s.y_m) for s in wanted])
        xy = to_frame(past, state.x_m, state.y_m, state.yaw_rad)
        turns = wrap_angle(np.array([s.yaw_rad for s in wanted]) - state.yaw_rad)
        times = (np.array([s.time_us for s in wanted]) - state.time_us) / 1e6
        return np.column_stack([times, xy, turns])


def _dead_reckon(last: EgoState, packet: SensorPacket) -> tuple[float, float, float, float]:
    step_s = (packet.time_us - last.time_us) / 1e6
    moved = packet.speed_mps * step_s
    heading = last.yaw_rad + 0.5 * packet.yaw_rate_radps * step_s
    since_stop = 0.0 if packet.speed_mps < STOPPED_MPS else min(last.since_stop_m + moved, SINCE_STOP_MAX_M)
    return (
        last.x_m + moved * np.cos(heading),
        last.y_m + moved * np.sin(heading),
        last.yaw_rad + packet.yaw_rate_radps * step_s,
        since_stop,
    )


def encode_picture(name: str, time_us: int, rgb: np.ndarray) -> CameraImage:
    """A picture uint8 (h, w, 3) as it is logged and seen: its JPEG, and what decoding that gives."""
    quality = FINE_QUALITY if rgb.shape[0] * rgb.shape[1] < SMALL_PX else QUALITY
    # Optimised tables: 4 % smaller, the same pixels when decoded, 0.15 ms more for 320x180.
    flags = (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1)
    done, data = cv2.imencode(".jpg", rgb[:, :, ::-1], flags)
    if not done:
        raise ValueError(f"picture of camera {name!r} {rgb.shape} {rgb.dtype} could not be encoded as JPEG")
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1]
    return CameraImage(name, time_us, np.ascontiguousarray(decoded), data.tobytes())
