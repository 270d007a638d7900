"""Small vectors and colours inside kernels: tuples of three float32, which cost nothing to pass around."""

from drive_agent.sim.render.kernel import F32, Scalar, device

Vector = tuple[Scalar, Scalar, Scalar]
Color = tuple[Scalar, Scalar, Scalar]  # linear red, green, blue; 1 is white, lamps are brighter


@device
def dot(a: Vector, b: Vector) -> Scalar:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@device
def scaled(a: Vector, k: Scalar) -> Vector:
    """All components times k."""
    return a[0] * k, a[1] * k, a[2] * k


@device
def times(a: Color, b: Color) -> Color:
    """Component by component: a colour under coloured light."""
    return a[0] * b[0], a[1] * b[1], a[2] * b[2]


@device
def plus(a: Vector, b: Vector, k: Scalar) -> Vector:
    """a + k b."""
    return a[0] + k * b[0], a[1] + k * b[1], a[2] + k * b[2]


@device
def mixed(a: Color, b: Color, share: Scalar) -> Color:
    """From a (share 0) to b (share 1)."""
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share


@device
def fading(x: Scalar) -> Scalar:
    """exp(-x) for x >= 0, within 4e-6: a short series of a sixteenth of it, squared four times. Faster than the library's."""
    y = min(x, F32(16.0)) * F32(1.0 / 16.0)
    share = F32(1.0) - y * (F32(1.0) - y * (F32(0.5) - y * (F32(1.0 / 6.0) - y * F32(1.0 / 24.0))))
    share *= share
    share *= share
    share *= share
    return share * share
