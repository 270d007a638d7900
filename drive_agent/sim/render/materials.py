"""What surfaces look like: procedural colour, gloss and glow of every material. No texture files.

Material numbers are stored per triangle (uint8). `params` of a triangle mean, by material:
WINDOWS and SHOPFRONT: start of the wall along itself (m), height of its base (m), width of a bay (m), height of a
storey (m). BULB: the colour it shows, 0 red, 1 yellow, 2 green (its light is `-object - 1`). Others: unused.
"""

from drive_agent.sim.render.kernel import F32, Instances, Triangles, device, floor_int
from drive_agent.sim.render.noise import cell_hash, value_noise

PLAIN, ASPHALT, WINDOWS, GRASS, FOLIAGE, PAVING, MARKING, GLASS, PAINT = range(9)
HEADLAMP, TAIL_LAMP, LEFT_BLINKER, RIGHT_BLINKER, REVERSE_LAMP, BEACON = range(9, 15)
BULB, STREET_LAMP, SHOPFRONT, SIGN, ROOF, CLOTH = range(15, 21)

# carla.VehicleLightState
POSITION, LOW_BEAM, HIGH_BEAM, BRAKE, RIGHT_BLINK, LEFT_BLINK, REVERSE, SPECIAL = 1, 2, 4, 8, 16, 32, 64, 128

ZERO, HALF, ONE = F32(0.0), F32(0.5), F32(1.0)


@device
def _fade(size: float, footprint: float) -> float:
    """1 where a detail of this size spans several pixels, 0 where it would only flicker."""
    return min(ONE, size / footprint)


@device
def _scaled(r: float, g: float, b: float, k: float) -> tuple[float, float, float]:
    return r * k, g * k, b * k


@device
def _ground(material, r, g, b, x, y, footprint, wetness):
    """Asphalt, markings, grass and paving; returns colour and gloss."""
    gloss = ZERO
    if material == ASPHALT:
        k = ONE + F32(0.20) * (value_noise(x * F32(0.35), y * F32(0.35)) - HALF)
        grain = _fade(F32(0.05), footprint)
        if grain > F32(0.1):
            k += F32(0.13) * grain * (cell_hash(floor_int(x * F32(14)), floor_int(y * F32(14)), 1) - HALF)
        if wetness > ZERO:
            puddle = max(ZERO, value_noise(x * F32(0.22) + F32(7), y * F32(0.22)) - F32(0.35))
            gloss = wetness * min(F32(0.75), F32(0.32) + F32(1.1) * puddle)
            k *= ONE - F32(0.45) * wetness
        r, g, b = _scaled(r, g, b, k)
    elif material == MARKING:
        worn = ONE - F32(0.22) * value_noise(x * F32(1.7), y * F32(1.7)) * _fade(F32(0.15), footprint)
        r, g, b = _scaled(r, g, b, worn * (ONE - F32(0.2) * wetness))
        gloss = wetness * F32(0.25)
    elif material == GRASS:
        patch = value_noise(x * F32(0.06), y * F32(0.06))
        k = F32(0.72) + F32(0.5) * value_noise(x * F32(0.31) + F32(31), y * F32(0.31))
        blade = _fade(F32(0.10), footprint)
        if blade > F32(0.1):
            k += F32(0.4) * blade * (cell_hash(floor_int(x * F32(7)), floor_int(y * F32(7)), 3) - HALF)
        r, g, b = r * k * (F32(0.8) + F32(0.5) * patch), g * k, b * k * (F32(0.85) + F32(0.3) * patch)
    else:
        column, row = floor_int(x * F32(1.1)), floor_int(y * F32(1.1))
        k = ONE + F32(0.16) * (cell_hash(column, row, 5) - HALF)
        joint = F32(0.04)
        if footprint < F32(0.06) and (x * F32(1.1) - F32(column) < joint or y * F32(1.1) - F32(row) < joint):
            k *= F32(0.72)
        r, g, b = _scaled(r, g, b, k * (ONE - F32(0.35) * wetness))
        gloss = wetness * F32(0.25)
    return r, g, b, gloss


@device
def _facade(shop, r, g, b, along, height, bay, storey, seed, footprint, lit_share):
    """A wall of windows or shop fronts; returns colour, gloss, and the share of the colour that is light."""
    column, row = floor_int(along / bay), floor_int(height / storey)
    u = along / bay - F32(column)
    v = height / storey - F32(row)
    chance = cell_hash(column, row, seed)
    left, right, low, high = F32(0.24), F32(0.76), F32(0.28), F32(0.80)
    if shop:
        left, right, low, high = F32(0.05), F32(0.95), F32(0.10), F32(0.70)
        if v > F32(0.74) and v < F32(0.95):
            hue = cell_hash(floor_int(along / (bay * F32(2))), 0, seed)
            sign_r, sign_g, sign_b = F32(0.55) * hue, F32(0.25) * (ONE - hue) + F32(0.04), F32(0.12)
            if hue > F32(0.5):
                sign_r, sign_g, sign_b = F32(0.05), F32(0.12), F32(0.45) * hue
            glow = F32(0.7) if lit_share > ZERO else ZERO
            return sign_r, sign_g, sign_b, ZERO, glow
    frame = F32(0.07)
    if u > left - frame and u < right + frame and v > low - frame and v < high + frame:
        inside = u > left and u < right and v > low and v < high
        mullion = F32(0.035) if footprint < F32(0.12) else ZERO
        if inside and abs(u - HALF) > mullion:
            if chance < lit_share:
                warm = F32(0.75) + F32(0.5) * chance / lit_share
                return F32(1.0) * warm, F32(0.78) * warm, F32(0.45) * warm, ZERO, ONE
            tone = F32(0.035) + F32(0.05) * chance
            return tone, tone * F32(1.25), tone * F32(1.6), F32(0.45), ZERO
        if footprint < F32(0.25):
            return r * F32(0.55) + F32(0.28), g * F32(0.55) + F32(0.27), b * F32(0.55) + F32(0.25), ZERO, ZERO
    elif v < F32(0.05):
        return r * F32(0.7), g * F32(0.7), b * F32(0.7), ZERO, ZERO
    return r, g, b, ZERO, ZERO


@device
def _lamp(material, flags, r, g, b):
    """Lamps of vehicles: glass when off, light when on; returns colour and glow."""
    if material == HEADLAMP:
        if flags & (LOW_BEAM | HIGH_BEAM):
            return F32(3.0), F32(2.9), F32(2.5), ONE
        if flags & POSITION:
            return F32(1.2), F32(1.15), F32(1.0), ONE
    elif material == TAIL_LAMP:
        if flags & BRAKE:
            return F32(3.2), F32(0.10), F32(0.05), ONE
        if flags & (POSITION | LOW_BEAM | HIGH_BEAM):
            return F32(0.75), F32(0.03), F32(0.02), ONE
    elif material == LEFT_BLINKER:
        if flags & LEFT_BLINK:
            return F32(3.0), F32(1.05), F32(0.03), ONE
    elif material == RIGHT_BLINKER:
        if flags & RIGHT_BLINK:
            return F32(3.0), F32(1.05), F32(0.03), ONE
    elif material == REVERSE_LAMP:
        if flags & REVERSE:
            return F32(2.2), F32(2.2), F32(2.2), ONE
    elif flags & SPECIAL:
        return F32(2.5) * (r > b), F32(0.2), F32(2.5) * (b >= r), ONE
    return r, g, b, ZERO


@device
def _bulb(shows, state, r, g, b):
    """A traffic light's bulb: bright and saturated when its colour is on, nearly black when off."""
    if shows == state:
        if shows == 0:
            return F32(3.6), F32(0.07), F32(0.04), ONE
        if shows == 1:
            return F32(3.4), F32(2.1), F32(0.03), ONE
        return F32(0.06), F32(3.2), F32(0.55), ONE
    return r, g, b, ZERO


@device
def surface(
    triangles: Triangles,
    t,
    instances: Instances,
    i,
    x,
    y,
    z,
    footprint,
    wetness,
    night,
    lit_windows,
    light_states,
):
    """Colour (linear), gloss 0..1 and glow 0..1 (share of the colour that needs no light) of a point of triangle t.

    x, y, z: world, metres; footprint: width of a pixel there, metres; light_states: uint8 (lights,).
    """
    r, g, b = triangles.colors[t, 0], triangles.colors[t, 1], triangles.colors[t, 2]
    material = triangles.materials[t]
    gloss, glow = ZERO, ZERO
    if material in (PLAIN, CLOTH):
        return r, g, b, gloss, glow
    if material in (ASPHALT, GRASS, PAVING, MARKING):
        r, g, b, gloss = _ground(material, r, g, b, x, y, footprint, wetness)
    elif material in (WINDOWS, SHOPFRONT):
        params = triangles.params[t]
        along = triangles.normals[t, 0] * y - triangles.normals[t, 1] * x - params[0]
        r, g, b, gloss, glow = _facade(
            material == SHOPFRONT,
            r,
            g,
            b,
            along,
            z - params[1],
            params[2],
            params[3],
            triangles.objects[t],
            footprint,
            lit_windows,
        )
    elif material == FOLIAGE:
        leaf = _fade(F32(0.25), footprint)
        k = ONE + F32(0.9) * leaf * (
            cell_hash(floor_int(x * F32(4)), floor_int(y * F32(4)), floor_int(z * F32(4))) - HALF
        )
        r, g, b = _scaled(r, g, b, k)
    elif material == PAINT:
        r, g, b = instances.paints[i, 0] * r, instances.paints[i, 1] * g, instances.paints[i, 2] * b
        gloss = F32(0.16)
    elif material == GLASS:
        gloss = F32(0.5)
    elif material == BULB:
        light = -triangles.objects[t] - 1
        r, g, b, glow = _bulb(int(triangles.params[t, 0]), light_states[light], r, g, b)
    elif material == STREET_LAMP:
        if night > F32(0.3):
            r, g, b, glow = F32(2.2), F32(1.9), F32(1.3), ONE
    elif material == SIGN:
        # Retro-reflective sheeting: by night it returns the light of the driver's own lamps.
        glow = F32(0.45) * night
    elif material == ROOF:
        band = z * F32(3.0) - F32(floor_int(z * F32(3.0)))
        r, g, b = _scaled(r, g, b, F32(0.82) if band < F32(0.25) and footprint < F32(0.2) else ONE)
    else:
        r, g, b, glow = _lamp(material, instances.flags[i], r, g, b)
    return r, g, b, gloss, glow
