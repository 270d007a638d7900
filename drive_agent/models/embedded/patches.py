"""Pictures to the rows that the vision tower reads, in the layout of Hugging Face's Qwen2-VL image processor.

A row holds one patch of two pictures: colour, then frame (previous, current), then row, then column. Rows run in merge
blocks, so that four consecutive rows are the patches of one visual token. The fourth input channel is a fixed code of
the patch's place and camera; it is the same for every picture, so it is kept apart here (`position_code`).
"""

from __future__ import annotations

import numpy as np
import torch

from drive_agent.models.embedded.config import FRAMES, MERGE, PATCH_PX, patch_grid
from drive_agent.rig import CameraMount

_MEAN = torch.tensor([123.0, 117.0, 104.0])
_STD = torch.tensor([68.0, 67.0, 70.0])
_WAVELENGTHS_PATCHES = (64, 32, 16, 8, 4)


def patchify(previous: torch.Tensor, current: torch.Tensor) -> torch.Tensor:
    """Two pictures uint8 (n, height, width, 3) as rows float32 (n, patches, 3 * 2 * 14 * 14)."""
    n, height, width, _ = current.shape
    rows, columns = height // PATCH_PX, width // PATCH_PX
    pictures = torch.stack([previous, current], 1).float().sub_(_MEAN).div_(_STD)
    blocks = pictures.view(n, FRAMES, rows // MERGE, MERGE, PATCH_PX, columns // MERGE, MERGE, PATCH_PX, 3)
    return blocks.permute(0, 2, 5, 3, 6, 8, 1, 4, 7).reshape(n, rows * columns, -1)


def merge_order(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of every patch, each (rows * columns,), in the order of `patchify`."""
    index = np.arange(rows * columns).reshape(rows // MERGE, MERGE, columns // MERGE, MERGE)
    flat = index.transpose(0, 2, 1, 3).reshape(-1)
    return flat // columns, flat % columns


def position_code(camera: CameraMount, camera_index: int) -> torch.Tensor:
    """Fourth input channel of every patch of a camera, (patches, 2 * 14 * 14).

    Sines and cosines of the patch's row and column and the camera's number, repeated until the channel is full. The
    tower's rotary code is relative only; without this it learns slowly where in the picture it looks.
    """
    row, column = merge_order(*patch_grid(camera))
    features = []
    for wavelength in _WAVELENGTHS_PATCHES:
        for place in (row + 0.5, column + 0.5):
            angle = 2 * np.pi / wavelength * place
            features += [np.sin(angle), np.cos(angle)]
    features += [np.full(row.shape, 1.0 if camera_index == k else -1.0) for k in range(2)]
    code = np.stack(features, 1)
    width = FRAMES * PATCH_PX * PATCH_PX
    return torch.from_numpy(np.resize(code.T, (width, len(row))).T.astype(np.float32).copy())
