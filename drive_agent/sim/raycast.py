"""What rays and swept spheres meet: the triangles that the cameras see, static ones and those of actors.

One geometry for lidar, radar, obstacle detector, `cast_ray` and `project_point`. Knows neither sensors nor the world's
tables; CARLA's axes, metres.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from drive_agent.sim.render import bvh, trace
from drive_agent.sim.render.camera import DrawnActor
from drive_agent.sim.render.kernel import Draws, Instances, Triangles
from drive_agent.sim.render.mesh import Mesh
from drive_agent.sim.render.stage import Stage
from drive_agent.sim.sweep import sweep_sphere

_STEP_PAST_M = 1e-3  # beyond a hit, where the search for the next thing goes on
_MOST_THINGS = 256  # along one ray

Vector = np.ndarray  # float64 (3,)


@dataclass(frozen=True)
class Scan:
    """What n rays met, one entry a ray."""

    distance_m: np.ndarray  # float32 (n,); the reach where nothing was met
    tag: np.ndarray  # uint8 (n,), see render/labels.py; 0 where nothing was met
    target: np.ndarray  # int32 (n,): actor id; negative for a static object; 0 for surfaces and nothing
    cos_incidence: np.ndarray  # float32 (n,)
    met: np.ndarray  # bool (n,)


@dataclass(frozen=True)
class Touch:
    """One thing along a ray or before a moving sphere."""

    distance_m: float
    tag: int
    target: int  # as in Scan


class Geometry:
    """The meshes of a town and of the bodies seen in it so far, ready for rays. Trees grow when they are first needed."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._bodies = bvh.no_surfaces()
        self._parts: dict[int, _Part] = {}  # by first row in Triangles
        self._hidden: frozenset[int] = frozenset()

    @cached_property
    def _stage(self) -> Stage:
        return Stage(self._mesh)

    @cached_property
    def _town(self) -> bvh.Surfaces:
        triangles = self._stage.triangles
        return bvh.build_surfaces(triangles.corners, triangles.normals, 0)

    def at(self, actors: Sequence[DrawnActor], hidden: frozenset[int] = frozenset()) -> "Moment":
        """The town with these actors in it and without the static objects of these numbers."""
        town = self._without(hidden)
        draws, instances = self._stage.pose(actors)
        triangles = self._stage.triangles
        parts = [
            self._part(int(first), int(last)) for first, last in zip(draws.first, draws.last, strict=True)
        ]
        return Moment(triangles, town, _crowd(self._bodies, parts, draws, instances), instances, draws)

    def _without(self, hidden: frozenset[int]) -> bvh.Surfaces:
        if hidden != self._hidden:
            self.__dict__.pop("_town", None)
            self._hidden = hidden
            gone = np.isin(self._stage.triangles.objects[self._town.triangles], list(hidden))
            self._town.planes[gone] = 0.0  # a plane without a normal is never met
        return self._town

    def _part(self, first: int, last: int) -> "_Part":
        if first not in self._parts:
            corners = self._stage.triangles.corners[first:last]
            surfaces = bvh.build_surfaces(corners, self._stage.triangles.normals[first:last], first)
            self._bodies, root = bvh.with_tree(self._bodies, surfaces)
            low, high = corners.min((0, 1)), corners.max((0, 1))
            self._parts[first] = _Part(root, (low + high) / 2, (high - low) / 2)
        return self._parts[first]


@dataclass(frozen=True)
class _Part:
    """One rigid part of a body in its own frame."""

    root: int  # of its tree
    center: np.ndarray  # float32 (3,), of its box
    half: np.ndarray  # float32 (3,)


def _crowd(bodies: bvh.Surfaces, parts: list[_Part], draws: Draws, instances: Instances) -> trace.Crowd:
    """Parts in their places, under a tree over their upright boxes."""
    if not parts:
        return trace.Crowd(bodies, bvh.no_surfaces().tree, np.zeros(0, np.int32), np.zeros(1, np.int32))
    turns, places = instances.rotations[draws.instances], instances.translations[draws.instances]
    centers = np.einsum("nij,nj->ni", turns, np.array([part.center for part in parts])) + places
    halves = np.einsum("nij,nj->ni", np.abs(turns), np.array([part.half for part in parts]))
    tree, order = bvh.build_tree(centers - halves, centers + halves)
    roots = np.zeros(len(instances.ids), np.int32)
    roots[draws.instances] = [part.root for part in parts]
    return trace.Crowd(bodies, tree, draws.instances[order], roots)


@dataclass(frozen=True)
class Moment:
    """Everything that rays can meet at one moment."""

    triangles: Triangles
    town: bvh.Surfaces
    crowd: trace.Crowd
    instances: Instances
    draws: Draws  # of the actors

    def cast(self, origin: npt.ArrayLike, directions: np.ndarray, reach_m: float) -> Scan:
        """The first thing that each unit direction (n, 3) meets within `reach_m` of `origin`."""
        hits = trace.cast_rays(
            self.town, self.crowd, self.instances, np.asarray(origin, np.float32),
            np.ascontiguousarray(directions, np.float32), reach_m,
        )  # fmt: skip
        met = hits.triangle >= 0
        rows = hits.triangle[met]
        tag, target = np.zeros(len(met), np.uint8), np.zeros(len(met), np.int32)
        tag[met], target[met] = self.triangles.tags[rows], self.triangles.objects[rows]
        bodies = np.nonzero(hits.instance)[0]
        target[bodies] = self.instances.ids[hits.instance[bodies]]
        return Scan(hits.distance_m, tag, target, hits.cos_incidence, met)

    def along(self, origin: Vector, direction: Vector, reach_m: float) -> Iterator[Touch]:
        """Everything that a ray (unit direction) goes through, each thing once, the nearest first."""
        seen: set[tuple[int, int]] = set()
        done_m = 0.0
        while len(seen) < _MOST_THINGS and done_m < reach_m:
            scan = self.cast(origin + direction * done_m, direction[None], reach_m - done_m)
            if not scan.met[0]:
                return
            done_m += float(scan.distance_m[0])
            touch = Touch(done_m, int(scan.tag[0]), int(scan.target[0]))
            # an actor is one thing; of the surfaces each kind is one
            thing = (touch.target, 0 if touch.target > 0 else touch.tag)
            if thing not in seen:
                seen.add(thing)
                yield touch
            done_m += _STEP_PAST_M

    def sweep(
        self, origin: Vector, direction: Vector, radius_m: float, reach_m: float, ignored: Collection[int], *, town: bool
    ) -> Touch | None:  # fmt: skip
        """The first thing that a sphere moving along a unit direction touches, and how far it got; None if nothing.

        `ignored` are ids of actors; without `town` only actors count.
        """
        end = origin + direction * reach_m
        low, high = np.minimum(origin, end) - radius_m, np.maximum(origin, end) + radius_m
        best: Touch | None = None
        for corners, normals, rows, actor_id in self._near(low, high, ignored, town=town):
            distance, row = sweep_sphere(corners, normals, origin, direction, radius_m, reach_m)
            if row >= 0 and (best is None or distance < best.distance_m):
                target = actor_id or int(self.triangles.objects[rows[row]])
                best = Touch(distance, int(self.triangles.tags[rows[row]]), target)
        return best

    def _near(
        self, low: Vector, high: Vector, ignored: Collection[int], *, town: bool
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, int]]:
        """Triangles that may reach into an upright box: corners and normals in the world, rows, the owner's id or 0."""
        if town:
            faces = trace.faces_within(self.town, low.astype(np.float32), high.astype(np.float32))
            rows = self.town.triangles[faces[self.town.planes[faces, :3].any(1)]]  # hidden ones have no plane
            yield self.triangles.corners[rows], self.triangles.normals[rows], rows, 0
        draws, radii = self.draws, self.draws.radii[:, None]
        close = ((draws.centers + radii > low) & (draws.centers - radii < high)).all(1)
        for first, last, instance in zip(
            draws.first[close], draws.last[close], draws.instances[close], strict=True
        ):
            actor_id = int(self.instances.ids[instance])
            if actor_id not in ignored:
                turn, rows = self.instances.rotations[instance], np.arange(first, last)
                corners = self.triangles.corners[rows] @ turn.T + self.instances.translations[instance]
                yield corners, self.triangles.normals[rows] @ turn.T, rows, actor_id
