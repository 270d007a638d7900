"""Labels in the form that losses compare with: bins, object maps, and masks projected from the path into pictures.

Knows the cameras and the labels, nothing of networks.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from drive_agent.models.embedded.objects import KINDS, encode
from drive_agent.rig import CELL_PX, FRONT_M, CameraMount, cell_grid
from drive_agent.types import PATH_STATIONS_M

_CORRIDOR_HALF_M = 1.6
_HORIZON = -0.03  # rays that fall less meet the ground too far away
_LINE_M = np.arange(1.0, 40.0)  # where the path is sampled for the masks


def soft_bins(values: torch.Tensor, centers: np.ndarray, sigma: float) -> torch.Tensor:
    """Ordinal targets (n, bins): a Gaussian of `sigma` bins around each value (n,), clipped to the bins' range."""
    unit = float(centers[1] - centers[0])
    place = values.clamp(float(centers[0]), float(centers[-1]))[:, None]
    return torch.softmax(-0.5 * ((torch.from_numpy(centers) - place) / (unit * sigma)) ** 2, 1)


def soft_bins_or_none(values: torch.Tensor, centers: np.ndarray, sigma: float) -> torch.Tensor:
    """As `soft_bins` with one more bin for values beyond the last; the two must not leak into each other."""
    none = values > float(centers[-1]) + 0.5 * float(centers[1] - centers[0])
    bins = functional.pad(soft_bins(values, centers, sigma), (0, 1))
    bins[none] = functional.one_hot(torch.tensor(len(centers)), len(centers) + 1).float()
    return bins


def path_lines(path: np.ndarray) -> np.ndarray:
    """Paths (n, stations, 2) sampled every metre of arc from the rear axle on, (n, 39, 2)."""
    points = np.concatenate([np.zeros((len(path), 1, 2)), path], 1)
    stations = np.concatenate([[0.0], PATH_STATIONS_M])
    k = np.searchsorted(stations, _LINE_M) - 1
    share = ((_LINE_M - stations[k]) / (stations[k + 1] - stations[k]))[:, None]
    return points[:, k] * (1 - share) + points[:, k + 1] * share


def cell_rays(camera: CameraMount) -> np.ndarray:
    """Ego-frame directions (rows * columns, 3) through the centres of the cells."""
    rows, columns = cell_grid(camera)
    v, u = np.meshgrid(np.arange(rows) + 0.5, np.arange(columns) + 0.5, indexing="ij")
    return camera.ray(np.stack([u.ravel(), v.ravel()], -1) * CELL_PX)


def corridor_mask(lines: np.ndarray, camera: CameraMount) -> np.ndarray:
    """Whether a cell shows the ground of the own way, bool (n, rows * columns), for `path_lines` (n, 39, 2)."""
    rays = cell_rays(camera)
    down = rays[:, 2] < _HORIZON
    ground = rays[down, :2] * (camera.z_m / -rays[down, 2:]) + (camera.x_m, camera.y_m)
    # |a - b|^2 as |a|^2 + |b|^2 - 2 a b: one matrix product instead of (n, cells, 39, 2) differences
    from_line2 = (lines**2).sum(-1)[:, None] - 2 * (ground @ lines.transpose(0, 2, 1))
    mask = np.zeros((len(lines), len(rays)), dtype=bool)
    mask[:, down] = from_line2.min(2) + (ground**2).sum(-1) < _CORRIDOR_HALF_M**2
    return mask


def lead_mask(lines: np.ndarray, gap_m: np.ndarray, camera: CameraMount) -> np.ndarray:
    """Whether a cell shows the first object in the own way, bool (n, rows * columns).

    The object is taken as car-sized and upright where the path is `gap_m` (n,) ahead of the front bumper.
    """
    rays = cell_rays(camera)
    arc = gap_m + FRONT_M + 0.5
    at = lines[np.arange(len(lines)), np.clip(np.round(arc - _LINE_M[0]).astype(int), 0, len(_LINE_M) - 1)]
    x, y = at[:, :1] - camera.x_m, at[:, 1:] - camera.y_m
    depth = np.maximum(x, 1.0)
    scale = depth / np.maximum(rays[:, 0], 0.1)
    half_cell = CELL_PX / 2 / camera.focal_px * depth
    height = camera.z_m + scale * rays[:, 2]
    near = np.abs(scale * rays[:, 1] - y) < 0.95 + half_cell
    upright = (height > -half_cell) & (height < 1.6 + half_cell / 2)
    return near & upright & (arc < _LINE_M[-1])[:, None] & (x > 0.5)


def object_targets(
    objects: np.ndarray, camera: CameraMount
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Targets of a camera's object map for labels (n, OBJECTS, 13).

    Returns the heat (n, rows, columns, KINDS) with 1 at centres and a Gaussian around them, the values (n, OBJECTS, 13)
    at the centres' cells, those cells' flat index (n, OBJECTS), and which of them count (n, OBJECTS).
    """
    rows, columns = cell_grid(camera)
    place, values, inside = encode(objects, camera)
    row, column = np.floor(place[..., 0]).clip(0, rows - 1), np.floor(place[..., 1]).clip(0, columns - 1)
    extent_m = np.maximum(objects[..., 6], 0.3)
    extent_cells = extent_m * camera.focal_px / (np.exp(values[..., 0]) * 10.0) / CELL_PX
    sigma = np.clip(extent_cells / 3, 0.5, 2.0)[..., None, None]
    grid_row, grid_column = np.arange(rows)[:, None], np.arange(columns)[None]
    distance2 = (grid_row - row[..., None, None]) ** 2 + (grid_column - column[..., None, None]) ** 2
    bumps = np.exp(-0.5 * distance2 / sigma**2) * inside[..., None, None]
    heat = np.zeros((len(objects), rows, columns, KINDS), dtype=np.float32)
    for kind in range(KINDS):
        heat[..., kind] = np.where((objects[..., 0] == kind)[..., None, None], bumps, 0).max(1)
    index = (row * columns + column).astype(np.int64)
    # Two centres in one cell: objects are stored nearest first, and the nearer one hides the other.
    first = inside & ~_repeats(np.where(inside, index, -1 - np.arange(index.shape[1])))
    return torch.from_numpy(heat), torch.from_numpy(values), torch.from_numpy(index), torch.from_numpy(first)


def _repeats(index: np.ndarray) -> np.ndarray:
    """Whether an entry (n, k) occurs earlier in its row."""
    same = index[:, :, None] == index[:, None, :]
    return np.triu(same, 1).any(1)
