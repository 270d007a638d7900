"""Pictures of one set of cameras as another set would have taken them: what a model was trained to see, out of others.

Every pixel of the wanted camera looks along a ray; the given camera that looks most nearly there lends the pixel. That
is exact for what is far away; near things shift by the cameras' distance, and what no camera saw is black.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from drive_agent.data.clips import CameraShot
from drive_agent.rig import CameraMount
from drive_agent.types import CameraImage

JPEG_QUALITY = 92

_Table = tuple[
    np.ndarray, np.ndarray
]  # pixels (h, w, 2) in a given picture, cosine (h, w) to its axis, -1 outside


class Resighter:
    """Keeps its look-up tables for as long as the given cameras stay where they are."""

    def __init__(self, wanted: Sequence[CameraMount]) -> None:
        self._wanted = tuple(wanted)
        self._tables: dict[bytes, list[list[_Table]]] = {}

    def pictures(self, shots: Sequence[CameraShot], token: str) -> dict[str, np.ndarray]:
        """RGB pictures by name. A camera that is there by name and size is taken as it is.

        Raises ValueError when there is no picture at all, or one that is no JPEG.
        """
        by_name = {shot.name: shot for shot in shots}
        if all(self._is_same(by_name.get(mount.name), mount) for mount in self._wanted):
            return {mount.name: decoded(by_name[mount.name], token) for mount in self._wanted}
        if not shots:
            raise ValueError(
                f"sample {token} has no picture; a model needs a drive that was recorded with cameras"
            )
        key = b"".join(shot.intrinsic.tobytes() + shot.camera_to_ego.tobytes() for shot in shots)
        if key not in self._tables:
            self._tables = {key: [[_table(mount, shot) for shot in shots] for mount in self._wanted]}
        sources = [decoded(shot, token) for shot in shots]
        return {
            mount.name: _blend(mount, shots, sources, tables)
            for mount, tables in zip(self._wanted, self._tables[key], strict=True)
        }

    @staticmethod
    def _is_same(shot: CameraShot | None, mount: CameraMount) -> bool:
        return shot is not None and (shot.width, shot.height) == (mount.width, mount.height)


def decoded(shot: CameraShot, token: str) -> np.ndarray:
    """A picture as uint8 (height, width, 3) RGB."""
    bgr = cv2.imdecode(np.frombuffer(shot.read(), np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f"the picture of {shot.name} of sample {token} is no JPEG; copy it again")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def encoded(name: str, time_us: int, rgb: np.ndarray) -> CameraImage:
    """A picture as JPEG, and as what decoding that gives. Raises ValueError when it cannot be encoded."""
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    if not done:
        raise ValueError(f"the picture of {name} at {time_us} us cannot be encoded as JPEG")
    seen = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return CameraImage(name, time_us, seen, data.tobytes())


def _table(mount: CameraMount, shot: CameraShot) -> _Table:
    """For each pixel of `mount`: where it lies in the shot (height, width, 2), and how directly the shot looks there."""
    columns, rows = np.meshgrid(np.arange(mount.width) + 0.5, np.arange(mount.height) + 0.5)
    rays = mount.ray(np.stack([columns.ravel(), rows.ravel()], axis=-1))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    in_shot = rays @ shot.camera_to_ego[:3, :3]
    depth = in_shot[:, 2]
    pixels = in_shot @ shot.intrinsic.T
    pixels = pixels[:, :2] / np.where(depth > 1e-3, depth, 1.0)[:, None] - 0.5
    inside = (
        (depth > 1e-3)
        & (pixels >= 0).all(axis=1)
        & (pixels[:, 0] <= shot.width - 1)
        & (pixels[:, 1] <= shot.height - 1)
    )
    shape = (mount.height, mount.width)
    return pixels.reshape(*shape, 2).astype(np.float32), np.where(inside, depth, -1.0).reshape(shape)


def _blend(
    mount: CameraMount, shots: Sequence[CameraShot], sources: list[np.ndarray], tables: list[_Table]
) -> np.ndarray:
    best = np.argmax([directness for _, directness in tables], axis=0)
    picture = np.zeros((mount.height, mount.width, 3), np.uint8)
    for k, (shot, source, (pixels, directness)) in enumerate(zip(shots, sources, tables, strict=True)):
        mine = (best == k) & (directness > 0)
        if mine.any():
            shrinks = float(shot.intrinsic[0, 0]) / mount.focal_px
            smooth = cv2.GaussianBlur(source, (0, 0), 0.4 * shrinks) if shrinks > 1 else source
            picture[mine] = cv2.remap(smooth, pixels, np.empty(0, np.float32), cv2.INTER_LINEAR)[mine]
    return picture
