import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.sim.render.kernel import F32, Projected
from drive_agent.sim.render.raster import fill, projected_buffers

SIZE = 24
INSIDE = st.floats(-6.0, SIZE + 6.0, width=32)


def _filled(
    triangles: list[list[tuple[float, float]]], closeness: list[float]
) -> tuple[np.ndarray, np.ndarray]:
    buffers: Projected = projected_buffers(len(triangles))
    for row, (corners, near) in enumerate(zip(triangles, closeness, strict=True)):
        buffers.xy[row] = np.array(corners, np.float32).ravel()
        buffers.closeness[row] = F32(near)
    nearest, winner = np.zeros((SIZE, SIZE), np.float32), np.full((SIZE, SIZE), -1, np.int32)
    fill(buffers, len(triangles), nearest, winner, 0, SIZE)
    return nearest, winner


def test_a_triangle_covers_the_sample_centres_inside_it() -> None:
    _, winner = _filled([[(2.0, 2.0), (10.0, 2.0), (2.0, 10.0)]], [1.0])
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    strictly_inside = (columns > 2) & (rows > 2) & (columns + rows < 11.999)
    outside = (columns < 2) | (rows < 2) | (columns + rows > 12.001)
    assert (winner[strictly_inside] == 0).all()
    assert (winner[outside] == -1).all()


def test_the_nearer_triangle_wins_in_any_order() -> None:
    far, near = [(0, 0), (20, 0), (0, 20)], [(0, 0), (20, 0), (0, 20)]
    for order in ((0, 1), (1, 0)):
        shapes, depth = [far, near], [0.1, 0.5]
        nearest, _ = _filled([shapes[k] for k in order], [depth[k] for k in order])
        assert nearest[3, 3] == F32(0.5)


@settings(max_examples=200, deadline=None)
@given(st.tuples(INSIDE, INSIDE))
def test_a_fan_over_the_whole_picture_has_no_holes(hub: tuple[float, float]) -> None:
    """Whatever the shared edges, every sample belongs to some triangle of the fan."""
    rim = [(-50, -50), (SIZE / 2, -70), (SIZE + 50, -50), (SIZE + 50, SIZE + 50), (-50, SIZE + 50)]
    fan = [[hub, rim[k], rim[(k + 1) % len(rim)]] for k in range(len(rim))]
    _, winner = _filled(fan, [1.0] * len(fan))
    assert (winner >= 0).all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(INSIDE, INSIDE), min_size=3, max_size=3), st.integers(1, SIZE - 1))
def test_bands_of_rows_give_the_same_as_the_whole(corners: list[tuple[float, float]], cut: int) -> None:
    whole, _ = _filled([corners], [1.0])
    buffers = projected_buffers(1)
    buffers.xy[0], buffers.closeness[0] = np.array(corners, np.float32).ravel(), F32(1.0)
    nearest, winner = np.zeros((SIZE, SIZE), np.float32), np.full((SIZE, SIZE), -1, np.int32)
    fill(buffers, 1, nearest, winner, cut, SIZE)
    fill(buffers, 1, nearest, winner, 0, cut)
    assert (nearest == whole).all()
