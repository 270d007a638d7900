import numpy as np

from drive_agent.sim.render.junctions import junction_floors
from drive_agent.sim.render.streets import Ribbon


def _ribbon(center: list[tuple[float, float]], junction_id: int) -> Ribbon:
    points = np.array([(x, y, 1.0) for x, y in center])
    along = np.gradient(points[:, :2], axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    right = np.stack([-along[:, 1], along[:, 0], np.zeros(len(points))], 1)
    steps = np.arange(len(points), dtype=float)
    width_m = np.full(len(points), 3.0)
    flags = dict.fromkeys(("outermost", "innermost", "alone"), True) | {
        "by_median": False,
        "on_motorway": False,
    }
    return Ribbon(
        1, -1, "driving", junction_id, s_m=steps, center=points, right=right, width_m=width_m, **flags
    )


def _loop(junction_id: int) -> list[Ribbon]:
    """Four lanes around a square with a hole of 5 m x 5 m in the middle."""
    corners = [(-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)]
    lanes = []
    for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
        share = np.linspace(-0.2, 1.2, 12)
        lanes.append(
            _ribbon([(a[0] + (b[0] - a[0]) * s, a[1] + (b[1] - a[1]) * s) for s in share], junction_id)
        )
    return lanes


def test_holes_between_lanes_of_a_junction_are_filled() -> None:
    mesh, holes = junction_floors(_loop(7))
    assert np.abs(holes).max() < 2.6
    assert len(holes) * 0.25 > 0.7 * 25.0
    assert np.allclose(mesh.corners[..., 2], 1.0 - 0.02)
    assert (mesh.normals[:, 2] > 0.99).all()


def test_a_block_of_houses_is_no_junction() -> None:
    mesh, holes = junction_floors(_loop(-1))
    assert len(mesh) == 0
    assert len(holes) == 0
