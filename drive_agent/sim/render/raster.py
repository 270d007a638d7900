"""From triangles to a visibility buffer: which triangle is nearest in every sample.

`project` culls, clips at the near plane and projects; `fill` draws the projected triangles into a z-buffer. The same
two kernels draw cameras (perspective) and shadow maps (orthographic). They know nothing of colours.
"""

import math

import numpy as np

from drive_agent.sim.render.kernel import (
    F32,
    Draws,
    Instances,
    Projected,
    Scalar,
    Triangles,
    View,
    ceil_int,
    device,
    floor_int,
    kernel,
)

ZERO, HALF, ONE = F32(0.0), F32(0.5), F32(1.0)
NO_BOUND = F32(-1e30)


def projected_buffers(capacity: int) -> Projected:
    """Room for `capacity` projected triangles; `project` needs at most two for every triangle drawn."""
    return Projected(
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty((capacity, 6), np.float32),
        np.empty((capacity, 3), np.float32),
        np.empty(3, np.float32),
        np.empty((3, 3), np.float32),
        np.empty((3, 3), np.float32),
        np.empty((4, 3), np.float32),
    )


@device
def _sphere_in_view(view: View, center: np.ndarray, radius: Scalar, reach: Scalar) -> bool:
    dx = center[0] - view.position[0]
    dy = center[1] - view.position[1]
    dz = center[2] - view.position[2]
    axes = view.axes
    ahead = dx * axes[0, 0] + dy * axes[0, 1] + dz * axes[0, 2]
    right = abs(dx * axes[1, 0] + dy * axes[1, 1] + dz * axes[1, 2])
    up = abs(dx * axes[2, 0] + dy * axes[2, 1] + dz * axes[2, 2])
    half_x = view.center_x / view.focal
    half_y = view.center_y / view.focal
    if view.orthographic:
        return right - radius <= half_x and up - radius <= half_y
    if ahead + radius < view.near or ahead - radius > view.far:
        return False
    if dx * dx + dy * dy + dz * dz > (reach + radius) * (reach + radius):
        return False
    if (right - half_x * ahead) > radius * math.sqrt(ONE + half_x * half_x):
        return False
    return (up - half_y * ahead) <= radius * math.sqrt(ONE + half_y * half_y)


@device
def _camera_in_instance(view: View, instances: Instances, i: int, eye: np.ndarray, axes: np.ndarray) -> None:
    """The view's position and axes in the frame of instance `i`: cheaper than moving the triangles to the world."""
    rotation = instances.rotations[i]
    dx = view.position[0] - instances.translations[i, 0]
    dy = view.position[1] - instances.translations[i, 1]
    dz = view.position[2] - instances.translations[i, 2]
    for k in range(3):
        eye[k] = rotation[0, k] * dx + rotation[1, k] * dy + rotation[2, k] * dz
        for a in range(3):
            axes[a, k] = (
                rotation[0, k] * view.axes[a, 0]
                + rotation[1, k] * view.axes[a, 1]
                + rotation[2, k] * view.axes[a, 2]
            )


@device
def _to_view(
    triangles: Triangles, t: int, eye: np.ndarray, axes: np.ndarray, near: Scalar, corners: np.ndarray
) -> int:
    """Write the corners of triangle t as rows (depth, right, up); return how many lie behind the near plane."""
    behind = 0
    for k in range(3):
        x = triangles.corners[t, k, 0] - eye[0]
        y = triangles.corners[t, k, 1] - eye[1]
        z = triangles.corners[t, k, 2] - eye[2]
        for a in range(3):
            corners[k, a] = x * axes[a, 0] + y * axes[a, 1] + z * axes[a, 2]
        if corners[k, 0] < near:
            behind += 1
    return behind


@device
def _clip_near(corners: np.ndarray, behind: int, near: Scalar, polygon: np.ndarray) -> int:
    """Sutherland-Hodgman against depth >= near; rows are (depth, right, up). Returns the number of corners, 0 to 4."""
    count = 0
    if behind == 3:
        return count
    for k in range(3):
        following = (k + 1) % 3
        inside = corners[k, 0] >= near
        if inside:
            for a in range(3):
                polygon[count, a] = corners[k, a]
            count += 1
        if behind > 0 and inside != (corners[following, 0] >= near):
            share = (near - corners[k, 0]) / (corners[following, 0] - corners[k, 0])
            polygon[count, 0] = near
            for a in range(1, 3):
                polygon[count, a] = corners[k, a] + share * (corners[following, a] - corners[k, a])
            count += 1
    return count


@device
def _to_screen(view: View, polygon: np.ndarray, count: int) -> None:
    """Rows (depth, right, up) become (closeness, x, y) in samples, in place."""
    for k in range(count):
        if view.orthographic:
            scale = view.focal
            polygon[k, 0] = -polygon[k, 0]
        else:
            polygon[k, 0] = ONE / polygon[k, 0]
            scale = view.focal * polygon[k, 0]
        polygon[k, 1] = view.center_x + scale * polygon[k, 1]
        polygon[k, 2] = view.center_y - scale * polygon[k, 2]


@device
def _emit(view: View, polygon: np.ndarray, k: int, out: Projected, n: int) -> bool:
    """Store the triangle (0, k, k + 1) of the polygon at row `n`, unless it covers no sample centre."""
    x0, x1, x2 = polygon[0, 1], polygon[k, 1], polygon[k + 1, 1]
    y0, y1, y2 = polygon[0, 2], polygon[k, 2], polygon[k + 1, 2]
    left, right = min(x0, min(x1, x2)), max(x0, max(x1, x2))
    top, bottom = min(y0, min(y1, y2)), max(y0, max(y1, y2))
    if right < ZERO or bottom < ZERO or left >= view.width or top >= view.height:
        return False
    # Without a sample centre between its sides the triangle can hit nothing; huge ones are not worth the test.
    if right - left < ONE and floor_int(right - HALF) < ceil_int(left - HALF):
        return False
    if bottom - top < ONE and floor_int(bottom - HALF) < ceil_int(top - HALF):
        return False
    xy = out.xy[n]
    xy[0], xy[1], xy[2], xy[3], xy[4], xy[5] = x0, y0, x1, y1, x2, y2
    closeness = out.closeness[n]
    closeness[0], closeness[1], closeness[2] = polygon[0, 0], polygon[k, 0], polygon[k + 1, 0]
    return True


@device
def _is_drawn(view: View, triangles: Triangles, t: int, eye: np.ndarray, axes: np.ndarray) -> bool:
    """Perspective views keep the sides that face the camera. Orthographic ones are shadow maps and keep the sides that
    face away from the light: a lit side then never shades itself.
    """
    nx, ny, nz = triangles.normals[t, 0], triangles.normals[t, 1], triangles.normals[t, 2]
    if view.orthographic:
        return nx * axes[0, 0] + ny * axes[0, 1] + nz * axes[0, 2] > ZERO
    x = triangles.corners[t, 0, 0] - eye[0]
    y = triangles.corners[t, 0, 1] - eye[1]
    z = triangles.corners[t, 0, 2] - eye[2]
    return nx * x + ny * y + nz * z < ZERO


@kernel
def project(view: View, triangles: Triangles, draws: Draws, instances: Instances, out: Projected) -> int:
    """Project every visible triangle of `draws` into `out` and return their number."""
    eye, axes, corners, polygon = out.eye, out.axes, out.corners, out.polygon
    n = 0
    for d in range(draws.first.shape[0]):
        if not _sphere_in_view(view, draws.centers[d], draws.radii[d], draws.reaches[d]):
            continue
        i = draws.instances[d]
        _camera_in_instance(view, instances, i, eye, axes)
        for t in range(draws.first[d], draws.last[d]):
            if not _is_drawn(view, triangles, t, eye, axes):
                continue
            behind = _to_view(triangles, t, eye, axes, view.near, corners)
            count = _clip_near(corners, behind, view.near, polygon)
            _to_screen(view, polygon, count)
            for k in range(1, count - 1):
                if _emit(view, polygon, k, out, n):
                    out.triangle[n] = t
                    out.instance[n] = i
                    n += 1
    return n


@device
def _edge(x0: Scalar, y0: Scalar, x1: Scalar, y1: Scalar) -> tuple[Scalar, Scalar, Scalar, bool]:
    """Slope dx/dy, a point on the edge, and whether it bounds the inside on the right (else on the left).

    Computed from the upper end in both directions, so that two triangles agree exactly about the edge they share.
    """
    if y0 == y1:
        return ZERO, NO_BOUND, y0, False
    if y1 > y0:
        return (x1 - x0) / (y1 - y0), x0, y0, True
    return (x0 - x1) / (y0 - y1), x1, y1, False


@kernel
def fill(
    projected: Projected, count: int, nearest: np.ndarray, winner: np.ndarray, top: int, bottom: int
) -> None:
    """Z-buffer the first `count` projected triangles into the rows [top, bottom).

    nearest: float32 (h, w), largest closeness so far, changed. winner: int32 (h, w), row of `projected`, changed.
    """
    width = nearest.shape[1]
    beyond = F32(width)
    for q in range(count):
        xy = projected.xy[q]
        xa, ya, xb, yb, xc, yc = xy[0], xy[1], xy[2], xy[3], xy[4], xy[5]
        first_row = ceil_int(max(min(ya, min(yb, yc)) - HALF, F32(top)))
        last_row = floor_int(min(max(ya, max(yb, yc)) - HALF, F32(bottom - 1)))
        if first_row > last_row:
            continue
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if area == ZERO:
            continue
        wa, wb, wc = projected.closeness[q, 0], projected.closeness[q, 1], projected.closeness[q, 2]
        if area < ZERO:
            xb, xc, yb, yc, wb, wc, area = xc, xb, yc, yb, wc, wb, -area
        dw_dx = ((wb - wa) * (yc - ya) - (wc - wa) * (yb - ya)) / area
        dw_dy = ((wc - wa) * (xb - xa) - (wb - wa) * (xc - xa)) / area
        left = max(min(xa, min(xb, xc)) - HALF, ZERO)
        right = min(max(xa, max(xb, xc)) - HALF, F32(width - 1))
        slope0, x0, y0, is_right0 = _edge(xa, ya, xb, yb)
        slope1, x1, y1, is_right1 = _edge(xb, yb, xc, yc)
        slope2, x2, y2, is_right2 = _edge(xc, yc, xa, ya)
        for row in range(first_row, last_row + 1):
            y = F32(row) + HALF
            low, high = left, right
            bound = x0 + slope0 * (y - y0) - HALF
            if is_right0:
                high = min(high, bound)
            else:
                low = max(low, bound)
            bound = x1 + slope1 * (y - y1) - HALF
            if is_right1:
                high = min(high, bound)
            else:
                low = max(low, bound)
            bound = x2 + slope2 * (y - y2) - HALF
            if is_right2:
                high = min(high, bound)
            else:
                low = max(low, bound)
            first = ceil_int(min(low, beyond))
            last = floor_int(max(high, -ONE))
            if first > last:
                continue
            w = wa + dw_dx * (F32(first) + HALF - xa) + dw_dy * (y - ya)
            for column in range(first, last + 1):
                if w > nearest[row, column]:
                    nearest[row, column] = w
                    winner[row, column] = q
                w += dw_dx
