"""Everything that can be drawn, as arrays for the kernels: the static world in chunks, bodies cached once, actors posed.

Bodies are kept in their own frames; a frame of traffic only writes one pose per part.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from drive_agent.sim.render import labels
from drive_agent.sim.render.bodies import body_class, build_body
from drive_agent.sim.render.body import ROLLS, STEERED, STEERED_ROLLS, SWINGS_AGAINST, SWINGS_WITH, Body
from drive_agent.sim.render.camera import DrawnActor, rotation_matrix
from drive_agent.sim.render.kernel import Draws, Instances, Triangles
from drive_agent.sim.render.materials import STREET_LAMP
from drive_agent.sim.render.mesh import Mesh, join

CHUNK_M = 32.0
BODY_REACH_M = 220.0
TOWN_REACH_M, DETAIL_REACH_M = 400.0, 100.0
UNLIMITED_M = 1e9
DETAIL_M = 1.7  # across: standing things as small as that are details
SWING_RAD, SWING_SPEED_MPS = 0.62, 1.6  # stride angle reached at this speed
GAMMA = 2.0
LIES_FLAT = (labels.ROADS, labels.SIDEWALKS, labels.TERRAIN, labels.ROAD_LINES)


@dataclass(frozen=True)
class _CachedBody:
    """Where the parts of a body are in the triangle table."""

    first: np.ndarray  # int32 (parts,)
    last: np.ndarray  # int32 (parts,)
    pivots: np.ndarray  # float64 (parts, 3)
    centers: np.ndarray  # float64 (parts, 3), of the bounding sphere, from the pivot
    radii: np.ndarray  # float64 (parts,)
    steered: np.ndarray  # float64 (parts,), 1 where the part turns with the wheel
    swing: np.ndarray  # float64 (parts,), +1, -1 or 0
    roll_per_m: np.ndarray  # float64 (parts,), rad for a metre of ground, 0 where nothing rolls
    stride_m: float


def _table(mesh: Mesh) -> Triangles:
    return Triangles(
        np.ascontiguousarray(mesh.corners, np.float32),
        np.ascontiguousarray(mesh.normals, np.float32),
        np.ascontiguousarray(mesh.colors**GAMMA, np.float32),
        mesh.materials,
        mesh.tags,
        mesh.objects,
        np.ascontiguousarray(mesh.params, np.float32),
    )


def _bounds(corners: np.ndarray) -> tuple[np.ndarray, float]:
    points = corners.reshape(-1, 3)
    low, high = points.min(0), points.max(0)
    center = (low + high) / 2
    return center, float(np.linalg.norm(points - center, axis=1).max())


def _is_detail(mesh: Mesh) -> np.ndarray:
    """bool (n,): triangles of standing objects that are too small to be seen from afar."""
    if not len(mesh):
        return np.zeros(0, bool)
    order = np.argsort(mesh.objects, kind="stable")
    ranked = mesh.objects[order]
    first = np.r_[0, np.nonzero(np.diff(ranked))[0] + 1]
    low = np.minimum.reduceat(mesh.corners.min(1)[order], first)
    high = np.maximum.reduceat(mesh.corners.max(1)[order], first)
    small = ((high - low).max(1) < DETAIL_M) & (ranked[first] < 0)
    detail = np.empty(len(mesh), bool)
    detail[order] = np.repeat(small, np.diff(np.r_[first, len(ranked)]))
    return detail


def _chunked(mesh: Mesh) -> tuple[Mesh, Draws, np.ndarray]:
    """The mesh sorted into square chunks, its draws, and which draws cast shadows. Ground never casts."""
    middle = mesh.corners.mean(1)
    cell = np.floor(middle[:, :2] / CHUNK_M).astype(np.int64)
    ground = np.isin(mesh.tags, LIES_FLAT) & (mesh.objects == 0)
    detail = _is_detail(mesh)
    key = (cell[:, 0] * 1_000_000 + cell[:, 1]) * 3 + np.where(detail, 2, ground)
    order = np.argsort(key, kind="stable")
    mesh = Mesh(*(getattr(mesh, name)[order] for name in Mesh.__dataclass_fields__))
    key = key[order]
    last = np.r_[np.nonzero(np.diff(key))[0] + 1, len(key)][: len(key)]
    first = np.r_[0, last[:-1]][: len(key)]
    low = np.minimum.reduceat(mesh.corners.min(1), first) if len(key) else np.zeros((0, 3))
    high = np.maximum.reduceat(mesh.corners.max(1), first) if len(key) else np.zeros((0, 3))
    draws = Draws(
        first.astype(np.int32),
        last.astype(np.int32),
        ((low + high) / 2).astype(np.float32),
        (np.linalg.norm(high - low, axis=1) / 2).astype(np.float32),
        np.where(key[first] % 3 == 2, DETAIL_REACH_M, TOWN_REACH_M).astype(np.float32),
        np.zeros(len(first), np.int32),
    )
    return mesh, draws, key[first] % 3 != 1


def _unlimited(backdrop: Mesh, start: int) -> Draws:
    """One run of triangles from `start` on, drawn whatever the distance."""
    center, radius = _bounds(backdrop.corners)
    return Draws(
        np.array([start], np.int32),
        np.array([start + len(backdrop)], np.int32),
        center[None].astype(np.float32),
        np.array([radius], np.float32),
        np.array([UNLIMITED_M], np.float32),
        np.zeros(1, np.int32),
    )


class Stage:
    """The triangle table and the draws of one town; `pose` adds the actors of one frame."""

    def __init__(self, static_mesh: Mesh, backdrop: Mesh | None = None):
        mesh, draws, casts = _chunked(static_mesh)
        self.static_casters = Draws(*(column[casts] for column in draws))
        self.static_draws = draws
        if backdrop is not None and len(backdrop):
            self.static_draws = joined(draws, _unlimited(backdrop, len(mesh)))
            mesh = join([mesh, backdrop])
        self.triangles = _table(mesh)
        self._static_corners = self.triangles.corners.copy()
        self._bodies: dict[tuple, _CachedBody] = {}

    def hide(self, objects: Collection[int]) -> None:
        """Take static objects out of the picture: their triangles shrink to points, which cover no sample."""
        count = len(self._static_corners)
        hidden = np.isin(self.triangles.objects[:count], list(objects))
        shown = self._static_corners
        self.triangles.corners[:count] = np.where(hidden[:, None, None], shown[:, :1], shown)

    def switch_off(self, objects: Collection[int]) -> None:
        """Street lamps that stay dark; all others shine at night."""
        count = len(self._static_corners)
        lamps = self.triangles.materials[:count] == STREET_LAMP
        dark = np.isin(self.triangles.objects[:count], list(objects))
        self.triangles.params[:count][lamps, 0] = dark[lamps]

    def _cache(self, body: Body) -> _CachedBody:
        """Append a body's triangles to the table."""
        count = len(self.triangles.tags)
        sizes = np.array([len(part.mesh) for part in body.parts])
        addition = _table(join([part.mesh for part in body.parts]))
        self.triangles = Triangles(
            *(np.concatenate(pair) for pair in zip(self.triangles, addition, strict=True))
        )
        bounds = [_bounds(part.mesh.corners) for part in body.parts]
        last = count + np.cumsum(sizes)
        return _CachedBody(
            (last - sizes).astype(np.int32),
            last.astype(np.int32),
            np.array([part.pivot for part in body.parts], float),
            np.array([center for center, _ in bounds], float),
            np.array([radius for _, radius in bounds], float),
            np.array([part.motion in (STEERED, STEERED_ROLLS) for part in body.parts], float),
            np.array(
                [(part.motion == SWINGS_WITH) - float(part.motion == SWINGS_AGAINST) for part in body.parts]
            ),
            np.array(
                [1.0 / part.pivot[2] if part.motion in (ROLLS, STEERED_ROLLS) else 0.0 for part in body.parts]
            ),
            body.stride_m,
        )

    def _body_of(self, actor: DrawnActor) -> _CachedBody:
        length, width, height = actor.half_extents
        half_extents = (round(length, 3), round(width, 3), round(height, 3))
        key = (actor.type_id, half_extents)
        if key not in self._bodies:
            body = build_body(body_class(actor.type_id, half_extents), half_extents, actor.type_id)
            self._bodies[key] = self._cache(body)
        return self._bodies[key]

    def pose(self, actors: Sequence[DrawnActor]) -> tuple[Draws, Instances]:
        """Draws and instances of the actors' parts; instance 0 is the static world."""
        bodies = [self._body_of(actor) for actor in actors]
        parts = np.array([len(body.first) for body in bodies], int)
        owner = np.repeat(np.arange(len(actors)), parts)
        turns = np.array([rotation_matrix(a.pitch_deg, a.yaw_deg, a.roll_deg) for a in actors]).reshape(
            -1, 3, 3
        )
        places = np.array([(a.x, a.y, a.z) for a in actors], float).reshape(-1, 3)
        if not actors:
            return self._no_draws(), _instances(np.zeros((0, 3, 3)), np.zeros((0, 3)), [], np.zeros(0, int))

        def of_parts(name: str) -> np.ndarray:
            return np.concatenate([getattr(body, name) for body in bodies])

        steer = np.radians([a.wheel_steer_deg for a in actors])[owner] * of_parts("steered")
        swing = np.array([_swing(a, body) for a, body in zip(actors, bodies, strict=True)])[owner] * of_parts(
            "swing"
        )
        roll = np.array([_covered_m(a) for a in actors])[owner] * of_parts("roll_per_m")
        rotations = turns[owner] @ _about_z_then_y(steer, swing - roll)
        translations = places[owner] + np.einsum("nij,nj->ni", turns[owner], of_parts("pivots"))
        centers = translations + np.einsum("nij,nj->ni", rotations, of_parts("centers"))
        draws = Draws(
            of_parts("first"),
            of_parts("last"),
            centers.astype(np.float32),
            of_parts("radii").astype(np.float32),
            np.full(len(owner), BODY_REACH_M, np.float32),
            np.arange(1, len(owner) + 1, dtype=np.int32),
        )
        return draws, _instances(rotations, translations, actors, owner)

    def _no_draws(self) -> Draws:
        return Draws(*(column[:0] for column in self.static_draws))


def _covered_m(actor: DrawnActor) -> float:
    """How far an actor is along its heading: legs and wheels turn by the ground they cover, and need no clock."""
    yaw = math.radians(actor.yaw_deg)
    return actor.x * math.cos(yaw) + actor.y * math.sin(yaw)


def _swing(actor: DrawnActor, body: _CachedBody) -> float:
    """Angle of the leading leg, rad."""
    amplitude = SWING_RAD * min(abs(actor.speed_mps) / SWING_SPEED_MPS, 1.0)
    return amplitude * math.sin(2 * math.pi * _covered_m(actor) / body.stride_m)


def _about_z_then_y(yaw: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Rotations (n, 3, 3) about z by `yaw` and then about y by `pitch`, rad."""
    cz, sz, cy, sy = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    zero = np.zeros_like(yaw)
    rows = [[cz * cy, -sz, -cz * sy], [sz * cy, cz, -sz * sy], [sy, zero, cy]]
    return np.moveaxis(np.array(rows), 2, 0)


def _instances(
    rotations: np.ndarray, translations: np.ndarray, actors: Sequence[DrawnActor], owner: np.ndarray
) -> Instances:
    """Poses and looks of all parts behind row 0, the static world."""
    paints = np.array([a.color_rgb for a in actors], float).reshape(-1, 3)[owner] / 255.0
    return Instances(
        np.concatenate([np.eye(3)[None], rotations]).astype(np.float32),
        np.concatenate([np.zeros((1, 3)), translations]).astype(np.float32),
        np.r_[0, np.array([a.id for a in actors], int)[owner]].astype(np.int32),
        np.concatenate([np.zeros((1, 3)), paints**GAMMA]).astype(np.float32),
        np.r_[0, np.array([a.light_flags for a in actors], int)[owner]].astype(np.int32),
    )


def joined(a: Draws, b: Draws) -> Draws:
    """Two lists of draws as one."""
    return Draws(*(np.concatenate(pair) for pair in zip(a, b, strict=True)))
