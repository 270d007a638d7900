import numpy as np
import pytest

from drive_agent.sim.render import labels
from drive_agent.sim.render.body import Section, hull, ring
from drive_agent.sim.render.mesh import Mesh, box, cylinder, join, sphere, strip, wall

GREY = (0.5, 0.5, 0.5)
SKIN = (GREY, 0)


def _convex_solids() -> dict[str, Mesh]:
    return {
        "box": box((2, 3, 4), (1, 2, 3), GREY, labels.STATIC),
        "tapered box": box((2, 3, 4), (1, 2, 3), GREY, labels.STATIC, top=(0.5, 0.7), shift_x=0.4),
        "cylinder": cylinder(1.0, 3.0, (1, 2, 3), GREY, labels.STATIC, axis=1),
        "cone": cylinder(1.0, 3.0, (1, 2, 3), GREY, labels.STATIC, end_radius=0.2),
        "sphere": sphere((1, 2, 0.5), (1, 2, 3), GREY, labels.STATIC),
        "hull": hull([Section(2, 0, 1, 1, 1), Section(-2, 0, 1, 1, 1)], labels.CAR, SKIN, [SKIN], SKIN),
    }


@pytest.mark.parametrize("name", list(_convex_solids()))
def test_normals_of_solids_point_outwards_and_have_length_one(name: str) -> None:
    solid = _convex_solids()[name]
    outward = solid.corners.mean(1) - solid.corners.reshape(-1, 3).mean(0)
    assert (np.einsum("ij,ij->i", solid.normals, outward) > 0).all()
    assert np.allclose(np.linalg.norm(solid.normals, axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("name", list(_convex_solids()))
def test_solids_are_closed(name: str) -> None:
    """By the divergence theorem the areas of a closed surface, as vectors, add up to nothing."""
    solid = _convex_solids()[name]
    corners = solid.corners.astype(float)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    assert np.abs((solid.normals * area[:, None]).sum(0)).max() < 1e-3 * area.sum()


def test_box_has_its_size() -> None:
    points = box((2, 3, 4), (1, 2, 3), GREY, labels.STATIC).corners.reshape(-1, 3)
    assert points.min(0).tolist() == [0.0, 0.5, 1.0]
    assert points.max(0).tolist() == [2.0, 3.5, 5.0]


def test_placing_turns_corners_and_normals_together() -> None:
    solid = box((2, 1, 1), (1, 0, 0), GREY, labels.STATIC)
    placed = solid.placed(10.0, 20.0, 30.0, np.pi / 2)
    assert np.allclose(placed.corners.reshape(-1, 3).max(0), [10.5, 22.0, 30.5], atol=1e-5)
    outward = placed.corners.mean(1) - placed.corners.reshape(-1, 3).mean(0)
    assert (np.einsum("ij,ij->i", placed.normals, outward) > 0).all()


def test_strips_look_up_and_walls_look_where_they_are_told() -> None:
    left, right = np.array([[0.0, 0, 0], [5, 0, 1]]), np.array([[0.0, 2, 0], [5, 2, 1]])
    assert (strip(left, right, GREY, labels.ROADS).normals[:, 2] > 0.9).all()
    assert (strip(right, left, GREY, labels.ROADS).normals[:, 2] > 0.9).all()
    toward = np.array([[0.0, -1, 0]] * 2)
    assert (wall(left, 0.2, toward, GREY, labels.SIDEWALKS).normals[:, 1] < -0.9).all()


def test_tyre_ring_is_open_in_the_middle() -> None:
    tyre = ring(0.35, 0.3, 0.05, (0, 0, 0), GREY, labels.BICYCLE)
    assert np.linalg.norm(tyre.corners[..., [0, 2]], axis=2).min() > 0.28


def test_joining_nothing_is_an_empty_mesh() -> None:
    assert len(join([])) == 0
