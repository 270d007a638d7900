"""Rays through trees of triangles: the nearest outer side that a ray meets, exactly, in about 0.3 microseconds.

Bodies keep a tree each in their own frame; a small tree over the boxes of their parts, built anew for every moment,
places them in the world. Only the outer sides of triangles are met, as only they are drawn.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from drive_agent.sim.render.bvh import INNER, STACK, Surfaces, Tree
from drive_agent.sim.render.kernel import F32, Instances, Scalar, device, kernel

ZERO, ONE = F32(0.0), F32(1.0)
FAR, TINY = F32(1e30), F32(1e-12)
INSIDE = F32(-1e-5)  # barycentric slack: rays that meet the seam of two triangles meet one of them


class Ray(NamedTuple):
    """Origin, unit direction and its inverse."""

    x: np.float32
    y: np.float32
    z: np.float32
    dx: np.float32
    dy: np.float32
    dz: np.float32
    inverse_x: np.float32
    inverse_y: np.float32
    inverse_z: np.float32


class Crowd(NamedTuple):
    """Bodies at one moment."""

    surfaces: Surfaces  # of all bodies, each in its own frame
    tree: Tree  # over the boxes of the parts
    parts: np.ndarray  # int32 (k,), in the order of the leaves: row of Instances
    roots: np.ndarray  # int32 (rows of Instances,): node of `surfaces` where the part's tree begins


class Hits(NamedTuple):
    """What n rays met."""

    distance_m: np.ndarray  # float32 (n,); the reach where nothing was met
    triangle: np.ndarray  # int32 (n,), row of kernel.Triangles; -1: nothing
    instance: np.ndarray  # int32 (n,), row of Instances; 0: the static world
    cos_incidence: np.ndarray  # float32 (n,)


def cast_rays(
    town: Surfaces,
    crowd: Crowd,
    instances: Instances,
    origin: np.ndarray,
    directions: np.ndarray,
    reach_m: float,
) -> Hits:
    """The first thing that each unit direction, float32 (n, 3), meets within `reach_m` of `origin`, float32 (3,)."""
    count = len(directions)
    hits = Hits(
        np.empty(count, np.float32), np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count, np.float32)
    )  # fmt: skip
    stacks = np.empty((2, STACK), np.int32), np.empty((2, STACK), np.float32)
    _cast(town, crowd, instances, origin, directions, F32(reach_m), hits, *stacks)
    return hits


def faces_within(surfaces: Surfaces, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The faces (rows of `planes`) whose leaves reach into an upright box, float32 (3,) each; int32 (k,)."""
    faces = np.empty(len(surfaces.triangles), np.int32)
    return faces[: _within(surfaces, low, high, np.empty(STACK, np.int32), faces)]


@device
def _ray(x: Scalar, y: Scalar, z: Scalar, dx: Scalar, dy: Scalar, dz: Scalar) -> Ray:
    # a direction without a component gets a tiny one: no division by zero, no difference that a float32 could show
    return Ray(
        x, y, z, dx, dy, dz,
        ONE / (dx if abs(dx) > TINY else TINY), ONE / (dy if abs(dy) > TINY else TINY),
        ONE / (dz if abs(dz) > TINY else TINY),
    )  # fmt: skip


@device
def _entry(bounds: np.ndarray, node: int, side: int, ray: Ray, limit: Scalar) -> Scalar:
    """Distance at which the ray enters a child's box; FAR for a miss or where it lies beyond `limit`."""
    # the side of the box that lies towards the origin depends on the direction's sign alone
    from_x, from_y, from_z = int(ray.inverse_x < ZERO), int(ray.inverse_y < ZERO), int(ray.inverse_z < ZERO)
    box = bounds[node, side]
    near = max(ZERO, (box[from_x, 0] - ray.x) * ray.inverse_x)
    near = max(near, (box[from_y, 1] - ray.y) * ray.inverse_y)
    near = max(near, (box[from_z, 2] - ray.z) * ray.inverse_z)
    far = min(limit, (box[1 - from_x, 0] - ray.x) * ray.inverse_x)
    far = min(far, (box[1 - from_y, 1] - ray.y) * ray.inverse_y)
    far = min(far, (box[1 - from_z, 2] - ray.z) * ray.inverse_z)
    return near if near <= far else FAR


@device
def _met(planes: np.ndarray, face: int, ray: Ray, limit: Scalar) -> Scalar:
    """Distance to the outer side of a triangle, or `limit`."""
    plane = planes[face]
    falling = ray.dx * plane[0] + ray.dy * plane[1] + ray.dz * plane[2]
    if falling < ZERO:
        distance = -(ray.x * plane[0] + ray.y * plane[1] + ray.z * plane[2] + plane[3]) / falling
        if ZERO < distance < limit:
            x, y, z = ray.x + distance * ray.dx, ray.y + distance * ray.dy, ray.z + distance * ray.dz
            u = x * plane[4] + y * plane[5] + z * plane[6] + plane[7]
            v = x * plane[8] + y * plane[9] + z * plane[10] + plane[11]
            if u >= INSIDE and v >= INSIDE and u + v <= ONE - INSIDE:
                return distance
    return limit


@device
def _nearest_face(
    surfaces: Surfaces, root: int, ray: Ray, limit: Scalar, stack: np.ndarray, entries: np.ndarray
) -> tuple[Scalar, int]:
    """Distance and face of the nearest triangle of the tree at `root`, nearer than `limit`; face -1: none."""
    tree, found = surfaces.tree, -1
    stack[0], entries[0], waiting = root, ZERO, 1
    while waiting > 0:
        waiting -= 1
        if entries[waiting] >= limit:
            continue
        node = stack[waiting]
        while node >= 0:
            here, near, there = -1, FAR, FAR
            for side in range(2):
                entry = _entry(tree.bounds, node, side, ray, limit)
                if entry < FAR:
                    child, count = tree.children[node, side], tree.counts[node, side]
                    if count == INNER:
                        if here < 0:
                            here, near = child, entry
                        else:
                            there = entry
                            if there < near:
                                child, here = here, child
                                near, there = there, near
                            stack[waiting], entries[waiting] = child, there
                            waiting += 1
                    else:
                        for face in range(child, child + count):
                            distance = _met(surfaces.planes, face, ray, limit)
                            if distance < limit:
                                limit, found = distance, face
            node = here
    return limit, found


@device
def _in_frame_of(instances: Instances, i: int, ray: Ray) -> Ray:
    turn, place = instances.rotations[i], instances.translations[i]
    x, y, z = ray.x - place[0], ray.y - place[1], ray.z - place[2]
    return _ray(
        turn[0, 0] * x + turn[1, 0] * y + turn[2, 0] * z,
        turn[0, 1] * x + turn[1, 1] * y + turn[2, 1] * z,
        turn[0, 2] * x + turn[1, 2] * y + turn[2, 2] * z,
        turn[0, 0] * ray.dx + turn[1, 0] * ray.dy + turn[2, 0] * ray.dz,
        turn[0, 1] * ray.dx + turn[1, 1] * ray.dy + turn[2, 1] * ray.dz,
        turn[0, 2] * ray.dx + turn[1, 2] * ray.dy + turn[2, 2] * ray.dz,
    )


@kernel
def _cast(
    town: Surfaces, crowd: Crowd, instances: Instances, origin: np.ndarray, directions: np.ndarray, reach_m: Scalar,
    hits: Hits, stacks: np.ndarray, entries: np.ndarray,
) -> None:  # fmt: skip
    """Fill `hits`; stacks: int32 (2, STACK) and entries: float32 (2, STACK) are scratch."""
    x, y, z = origin[0], origin[1], origin[2]
    before = (
        -1
    )  # the face that the ray before met: most often this one meets it too, and then little is left to search
    for r in range(directions.shape[0]):
        ray = _ray(x, y, z, directions[r, 0], directions[r, 1], directions[r, 2])
        limit, found = reach_m, -1
        if before >= 0:
            limit = _met(town.planes, before, ray, reach_m)
            found = before if limit < reach_m else -1
        distance, face = _nearest_face(town, 0, ray, limit, stacks[0], entries[0])
        if face >= 0:
            limit, found = distance, face
        before = found
        hits.instance[r], hits.triangle[r], hits.cos_incidence[r] = 0, -1, ZERO
        if found >= 0:
            plane = town.planes[found]
            hits.triangle[r] = town.triangles[found]
            hits.cos_incidence[r] = -(ray.dx * plane[0] + ray.dy * plane[1] + ray.dz * plane[2])
        hits.distance_m[r] = limit
        if crowd.parts.shape[0] > 0:
            _cast_at_crowd(crowd, instances, ray, r, hits, stacks, entries)


@device
def _cast_at_crowd(
    crowd: Crowd, instances: Instances, ray: Ray, r: int, hits: Hits, stacks: np.ndarray, entries: np.ndarray
) -> None:
    """Let bodies nearer than hit r take its place."""
    tree, stack, waiting = crowd.tree, stacks[1], 1
    stack[0] = 0
    while waiting > 0:
        waiting -= 1
        node = stack[waiting]
        for side in range(2):
            if _entry(tree.bounds, node, side, ray, hits.distance_m[r]) == FAR:
                continue
            child, count = tree.children[node, side], tree.counts[node, side]
            if count == INNER:
                stack[waiting] = child
                waiting += 1
                continue
            for k in range(child, child + count):
                i = crowd.parts[k]
                own = _in_frame_of(instances, i, ray)
                distance, face = _nearest_face(
                    crowd.surfaces, crowd.roots[i], own, hits.distance_m[r], stacks[0], entries[0]
                )
                if face >= 0:
                    plane = crowd.surfaces.planes[face]
                    hits.distance_m[r], hits.instance[r] = distance, i
                    hits.triangle[r] = crowd.surfaces.triangles[face]
                    hits.cos_incidence[r] = -(own.dx * plane[0] + own.dy * plane[1] + own.dz * plane[2])


@kernel
def _within(
    surfaces: Surfaces, low: np.ndarray, high: np.ndarray, stack: np.ndarray, faces: np.ndarray
) -> int:
    """Write the faces whose leaves reach into an upright box, float32 (3,) each, to `faces`; returns their number."""
    tree, found, waiting = surfaces.tree, 0, 1
    stack[0] = 0
    while waiting > 0:
        waiting -= 1
        node = stack[waiting]
        for side in range(2):
            box, apart = tree.bounds[node, side], False
            for axis in range(3):
                apart = apart or box[0, axis] > high[axis] or box[1, axis] < low[axis]
            child, count = tree.children[node, side], tree.counts[node, side]
            if apart:
                continue
            if count == INNER:
                stack[waiting] = child
                waiting += 1
            else:
                for face in range(child, child + count):
                    faces[found] = face
                    found += 1
    return found
