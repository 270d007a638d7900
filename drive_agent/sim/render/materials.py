"""What surfaces look like: procedural colour, gloss and glow of every material. No texture files.

Material numbers are stored per triangle (uint8). `params` of a triangle mean, by material:
WINDOWS and SHOPFRONT: start of the wall along itself (m), height of its base (m), width of a bay (m), height of a
storey (m). BULB: the colour it shows, 0 red, 1 yellow, 2 green (its light is `-object - 1`). STREET_LAMP: 1 where it is
switched off. FIELD: slopes along x and y and value at the origin of the depth inside the field (m; below 0 grass grows),
and the crop, plus TURNED where its rows run along y. Others: unused.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from drive_agent.sim.render.kernel import F32, Instances, Scalar, Triangles, device, floor_int
from drive_agent.sim.render.noise import cell_hash, value_noise
from drive_agent.sim.render.vectors import Color, Vector, mixed, scaled, times
from drive_agent.sim.render.vehicle_lights import (
    BAR_BLUE,
    BAR_RED,
    BRAKE,
    FOG,
    HIGH_BEAM,
    INTERIOR,
    LEFT_BLINK,
    LOW_BEAM,
    POSITION,
    REVERSE,
    RIGHT_BLINK,
)

PLAIN, ASPHALT, WINDOWS, GRASS, FOLIAGE, PAVING, MARKING, GLASS, PAINT = range(9)
HEADLAMP, TAIL_LAMP, LEFT_BLINKER, RIGHT_BLINKER, REVERSE_LAMP, BEACON = range(9, 15)
BULB, STREET_LAMP, SHOPFRONT, SIGN, ROOF, FOG_LAMP, FIELD, FAR_LAND = range(15, 23)
MEADOW, PASTURE, WHEAT, RAPE, EARTH, ROWS, WOOD = range(7)  # crops
TURNED = 8

ZERO, HALF, ONE, TWO = F32(0.0), F32(0.5), F32(1.0), F32(2.0)
LAMPS_ON = F32(0.3)  # of night: street lamps light up

# Lit lamps are brighter than white, so that a lamp smaller than a pixel still stands out; hues stay pure.
HEAD_LIGHT: Color = (F32(3.0), F32(2.9), F32(2.5))
POSITION_LIGHT: Color = (F32(1.2), F32(1.15), F32(1.0))
BRAKE_LIGHT: Color = (F32(3.2), F32(0.10), F32(0.05))
TAIL_LIGHT: Color = (F32(0.75), F32(0.03), F32(0.02))
AMBER_LIGHT: Color = (F32(3.0), F32(1.05), F32(0.03))
FOG_LIGHT: Color = (F32(2.6), F32(2.4), F32(1.6))
REVERSE_LIGHT: Color = (F32(2.2), F32(2.2), F32(2.2))
BEACON_RED: Color = (F32(2.5), F32(0.2), F32(0.1))
BEACON_BLUE: Color = (F32(0.1), F32(0.2), F32(2.5))
ROOF_SIGN_LIGHT: Color = (F32(2.2), F32(1.5), F32(0.25))
STREET_LIGHT: Color = (F32(2.2), F32(1.9), F32(1.3))
RED_BULB: Color = (F32(3.6), F32(0.07), F32(0.04))
YELLOW_BULB: Color = (F32(3.4), F32(2.1), F32(0.03))
GREEN_BULB: Color = (F32(0.06), F32(3.2), F32(0.55))
ROOM_LIGHT: Color = (F32(1.0), F32(0.78), F32(0.45))
SHOP_BLUE: Color = (F32(0.05), F32(0.12), F32(0.40))
SHOP_RED: Color = (F32(0.42), F32(0.06), F32(0.05))
SHOP_GREEN: Color = (F32(0.04), F32(0.24), F32(0.12))
FRAME: Color = (F32(0.28), F32(0.27), F32(0.25))
RAILING: Color = (F32(0.06), F32(0.06), F32(0.065))
BLIND: Color = (F32(0.62), F32(0.60), F32(0.54))
PASTURE_GREEN: Color = (F32(0.13), F32(0.25), F32(0.05))
WHEAT_GOLD: Color = (F32(0.42), F32(0.33), F32(0.12))
RAPE_YELLOW: Color = (F32(0.50), F32(0.44), F32(0.04))
EARTH_BROWN: Color = (F32(0.17), F32(0.11), F32(0.065))
LEAF_GREEN: Color = (F32(0.09), F32(0.20), F32(0.035))
WOOD_GREEN: Color = (F32(0.035), F32(0.075), F32(0.025))
STAINS_M = F32(0.4)  # width of a pixel from which on they are not seen
FURROW_M, TRACKS_M = F32(0.75), F32(18.0)  # from row to row, from one pair of a tractor's tracks to the next


class Conditions(NamedTuple):
    """What changes the looks of materials."""

    wetness: np.float32  # 0..1
    night: np.float32  # 0..1
    lit_windows: np.float32  # 0..1, share of windows with light
    light_states: np.ndarray  # uint8 (lights,), 0 red, 1 yellow, 2 green, 3 off


@device
def _fade(size: Scalar, footprint: Scalar) -> Scalar:
    """1 where a detail of this size spans several pixels, 0 where it would only flicker."""
    return min(ONE, size / footprint)


@device
def wet_gloss(x: Scalar, y: Scalar, wetness: Scalar) -> Scalar:
    """Gloss of wet asphalt: some everywhere, more in puddles."""
    puddle = max(ZERO, value_noise(x * F32(0.22) + F32(7), y * F32(0.22)) - F32(0.35))
    return wetness * min(F32(0.75), F32(0.32) + F32(1.1) * puddle)


@device
def _asphalt(color: Color, x: Scalar, y: Scalar, footprint: Scalar, wetness: Scalar) -> tuple[Color, Scalar]:
    """Patches and grain; in the wet dark and glossy, most of all in puddles."""
    k = ONE + F32(0.20) * (value_noise(x * F32(0.35), y * F32(0.35)) - HALF)
    grain = _fade(F32(0.05), footprint)
    if grain > F32(0.1):
        k += F32(0.13) * grain * (cell_hash(floor_int(x * F32(14)), floor_int(y * F32(14)), 1) - HALF)
    gloss = ZERO
    if wetness > ZERO:
        gloss = wet_gloss(x, y, wetness)
        k *= ONE - F32(0.45) * wetness
    return scaled(color, k), gloss


@device
def _grass(color: Color, x: Scalar, y: Scalar, footprint: Scalar) -> Color:
    """Meadow patches tens of metres wide, tufts, and blades where near enough."""
    patch = value_noise(x * F32(0.06), y * F32(0.06))
    k = F32(0.72) + F32(0.5) * value_noise(x * F32(0.31) + F32(31), y * F32(0.31))
    blade = _fade(F32(0.10), footprint)
    if blade > F32(0.1):
        k += F32(0.4) * blade * (cell_hash(floor_int(x * F32(7)), floor_int(y * F32(7)), 3) - HALF)
    tint = (F32(0.8) + F32(0.5) * patch, ONE, F32(0.85) + F32(0.3) * patch)
    return scaled(times(color, tint), k)


@device
def _crop(crop: Scalar, row: Scalar) -> Color:
    """Colour of a crop; `row` is 1 on top of a row and 0 between two."""
    if crop == WHEAT:
        return WHEAT_GOLD
    if crop == RAPE:
        return RAPE_YELLOW
    if crop == EARTH:
        return EARTH_BROWN
    if crop == ROWS:
        return mixed(EARTH_BROWN, LEAF_GREEN, F32(0.25) + F32(0.75) * row)
    if crop == WOOD:
        return WOOD_GREEN
    return PASTURE_GREEN


@device
def _field(color: Color, params: np.ndarray, x: Scalar, y: Scalar, footprint: Scalar) -> Color:
    """A crop in its rows, with a tractor's tracks; grass around it."""
    crop = int(params[3])
    turned = crop >= TURNED
    if turned:
        crop -= TURNED
    if crop == MEADOW or params[0] * x + params[1] * y + params[2] < ZERO:
        return _grass(color, x, y, footprint)
    across = x if turned else y
    # the ground is seen at a slant: a pixel is longer than wide by its distance, that is by its width
    sharp = min(ONE, FURROW_M / (F32(60.0) * footprint * footprint))
    row = HALF
    if sharp > F32(0.05):
        place = across / FURROW_M
        row += (abs(TWO * (place - F32(floor_int(place))) - ONE) - HALF) * sharp
    k = F32(0.82) + F32(0.36) * value_noise(x * F32(0.07), y * F32(0.07))
    if crop not in (PASTURE, WOOD):
        k *= F32(0.8) + F32(0.4) * row
        place = across / TRACKS_M
        place -= F32(floor_int(place))
        if place < F32(0.03) or (place > F32(0.10) and place < F32(0.13)):
            k *= F32(0.72)
    elif footprint < F32(0.15):
        k += F32(0.25) * (cell_hash(floor_int(x * F32(5)), floor_int(y * F32(5)), 3) - HALF)
    return scaled(_crop(crop, row), k)


@device
def _far_land(x: Scalar, y: Scalar) -> Color:
    """Woods and fields as one sees them from far away."""
    bend = F32(0.9) * value_noise(x * F32(0.006), y * F32(0.006) + F32(5))
    if value_noise(x * F32(0.009) + F32(11), y * F32(0.009)) > F32(0.55):
        leaf = cell_hash(floor_int(x * F32(0.12)), floor_int(y * F32(0.12)), 9) - HALF
        return scaled(WOOD_GREEN, ONE + F32(0.7) * leaf)
    chance = cell_hash(floor_int(x * F32(0.008) + bend), floor_int(y * F32(0.011) - bend), 9)
    if chance < F32(0.18):
        return WHEAT_GOLD
    if chance < F32(0.24):
        return RAPE_YELLOW
    if chance < F32(0.36):
        return EARTH_BROWN
    return scaled(PASTURE_GREEN, F32(0.4) + chance)


@device
def _paving(color: Color, x: Scalar, y: Scalar, footprint: Scalar, wetness: Scalar) -> Color:
    """Slabs 0.9 m wide with joints."""
    across, along = x * F32(1.1), y * F32(1.1)
    column, row = floor_int(across), floor_int(along)
    k = ONE + F32(0.16) * (cell_hash(column, row, 5) - HALF)
    joint = F32(0.04)
    if footprint < F32(0.06) and (across - F32(column) < joint or along - F32(row) < joint):
        k *= F32(0.72)
    return scaled(color, k * (ONE - F32(0.35) * wetness))


@device
def _shop_sign(along: Scalar, bay: Scalar, seed: Scalar) -> Color:
    """The band above shop windows: one colour for every three bays."""
    hue = cell_hash(floor_int(along / (bay * F32(3))), 0, seed)
    if hue < F32(0.34):
        return SHOP_BLUE
    if hue < F32(0.67):
        return SHOP_RED
    return SHOP_GREEN


@device
def _opening(style: Scalar, is_shop: Scalar) -> tuple[Scalar, Scalar, Scalar, Scalar]:
    """Left, right, low and high side of the window in a bay: shop fronts, tall windows, bands of glass, usual ones."""
    if is_shop:
        return F32(0.05), F32(0.95), F32(0.10), F32(0.70)
    if style < F32(0.25):
        return F32(0.30), F32(0.70), F32(0.12), F32(0.84)
    if style < F32(0.45):
        return F32(0.02), F32(0.98), F32(0.34), F32(0.80)
    return F32(0.24), F32(0.76), F32(0.28), F32(0.80)


@device
def _is_door(u: Scalar, v: Scalar, row: Scalar, column: Scalar, seed: Scalar) -> bool:
    return row == 0 and v < F32(0.68) and abs(u - HALF) < F32(0.19) and cell_hash(column, 1, seed) < F32(0.22)


@device
def _masonry(color: Color, along: Scalar, above: Scalar, style: Scalar, footprint: Scalar) -> Color:
    """Bricks on some houses; on others render with the stains of years."""
    if style > F32(0.6) and footprint < F32(0.12):
        course = floor_int(above * F32(6.0))
        brick = cell_hash(floor_int(along * F32(2.6) + HALF * F32(course & 1)), course, 17)
        return scaled(color, ONE + F32(0.28) * (brick - HALF) * _fade(F32(0.08), footprint))
    if footprint > STAINS_M:
        return color
    stain = value_noise(along * F32(0.5), above * F32(0.22)) - HALF
    return scaled(color, ONE + F32(0.16) * stain * (ONE - footprint / STAINS_M))


@device
def _wall(
    color: Color, u: Scalar, v: Scalar, chance: Scalar, style: Scalar, footprint: Scalar, lit_share: Scalar, is_shop: Scalar
) -> tuple[Color, Scalar, Scalar]:  # fmt: skip
    """A bay of a wall with its window, (u, v) in 0..1; returns colour, gloss and glow."""
    left, right, low, high = _opening(style, is_shop)
    frame = F32(0.07)
    if u > left - frame and u < right + frame and v > low - frame and v < high + frame:
        mullion = F32(0.035) if footprint < F32(0.12) else ZERO
        if u > left and u < right and v > low and v < high and abs(u - HALF) > mullion:
            if style < F32(0.25) and v < F32(0.34) and not is_shop:
                return RAILING, ZERO, ZERO
            if chance < lit_share:
                return scaled(ROOM_LIGHT, F32(0.7) + F32(0.5) * chance / lit_share), ZERO, ONE
            if chance > F32(0.86) and v > F32(0.58) and not is_shop:
                return scaled(BLIND, F32(0.6) + F32(0.4) * style), ZERO, ZERO
            tone = F32(0.035) + F32(0.05) * chance
            return (tone, tone * F32(1.25), tone * F32(1.6)), F32(0.45), ZERO
        if footprint < F32(0.25):
            faded = scaled(color, F32(0.55))
            return (faded[0] + FRAME[0], faded[1] + FRAME[1], faded[2] + FRAME[2]), ZERO, ZERO
    elif v < F32(0.05):
        return scaled(color, F32(0.7)), ZERO, ZERO
    return color, ZERO, ZERO


@device
def _facade(
    color: Color, params: np.ndarray, along: Scalar, above: Scalar, seed: Scalar, footprint: Scalar, lit_share: Scalar,
    is_shop: Scalar,
) -> tuple[Color, Scalar, Scalar]:  # fmt: skip
    """A wall of windows or shop fronts; returns colour, gloss and glow."""
    bay, storey = params[2], params[3]
    column, row = floor_int(along / bay), floor_int(above / storey)
    u, v = along / bay - F32(column), above / storey - F32(row)
    if is_shop and v > F32(0.74) and v < F32(0.95):
        return _shop_sign(along, bay, seed), ZERO, F32(0.7) if lit_share > ZERO else ZERO
    style = cell_hash(7, 11, seed)
    if not is_shop:
        color = _masonry(color, along, above, style, footprint)
        if _is_door(u, v, row, column, seed):
            return scaled(_shop_sign(along, bay, seed + 5), F32(0.5)), F32(0.1), ZERO
    return _wall(color, u, v, cell_hash(column, row, seed), style, footprint, lit_share, is_shop)


@device
def _lamp(material: Scalar, flags: Scalar, glass: Color) -> tuple[Color, Scalar]:
    """A lamp of a vehicle: its glass when off, its light when on; returns colour and glow."""
    if material == HEADLAMP:
        if flags & HIGH_BEAM:
            return scaled(HEAD_LIGHT, F32(1.6)), ONE
        if flags & LOW_BEAM:
            return HEAD_LIGHT, ONE
        if flags & POSITION:
            return POSITION_LIGHT, ONE
    elif material == TAIL_LAMP:
        if flags & BRAKE:
            return BRAKE_LIGHT, ONE
        if flags & (POSITION | LOW_BEAM | HIGH_BEAM):
            return TAIL_LIGHT, ONE
    elif material == LEFT_BLINKER:
        if flags & LEFT_BLINK:
            return AMBER_LIGHT, ONE
    elif material == RIGHT_BLINKER:
        if flags & RIGHT_BLINK:
            return AMBER_LIGHT, ONE
    elif material == REVERSE_LAMP:
        if flags & REVERSE:
            return REVERSE_LIGHT, ONE
    elif material == FOG_LAMP:
        if flags & FOG:
            return BRAKE_LIGHT if glass[0] > TWO * glass[2] else FOG_LIGHT, ONE
    else:
        return _beacon(flags, glass)
    return glass, ZERO


@device
def _beacon(flags: Scalar, glass: Color) -> tuple[Color, Scalar]:
    """A half of a light bar, or the sign on a taxi's roof: which one its glass says."""
    if glass[1] > glass[2] and glass[1] > HALF * glass[0]:
        return (ROOF_SIGN_LIGHT, ONE) if flags & (BAR_RED | BAR_BLUE) else (glass, ZERO)
    if glass[0] > glass[2]:
        return (BEACON_RED, ONE) if flags & BAR_RED else (glass, ZERO)
    return (BEACON_BLUE, ONE) if flags & BAR_BLUE else (glass, ZERO)


@device
def _bulb(shows: Scalar, state: Scalar, glass: Color) -> tuple[Color, Scalar]:
    """A traffic light's bulb: bright and saturated when its colour is on, nearly black when off."""
    if shows != state:
        return glass, ZERO
    if shows == 0:
        return RED_BULB, ONE
    if shows == 1:
        return YELLOW_BULB, ONE
    return GREEN_BULB, ONE


@device
def surface(
    triangles: Triangles,
    t: int,
    instances: Instances,
    i: int,
    point: Vector,
    footprint: Scalar,
    now: Conditions,
) -> tuple[Color, Scalar, Scalar]:
    """Colour, gloss 0..1 and glow 0..1 (share of the colour that needs no light) of a point of triangle t.

    point: world, metres; footprint: width of a pixel there, metres.
    """
    color = (triangles.colors[t, 0], triangles.colors[t, 1], triangles.colors[t, 2])
    material = triangles.materials[t]
    gloss, glow = ZERO, ZERO
    x, y, z = point
    if material == PLAIN:
        pass
    elif material == ASPHALT:
        color, gloss = _asphalt(color, x, y, footprint, now.wetness)
    elif material == GRASS:
        color = _grass(color, x, y, footprint)
    elif material == FIELD:
        color = _field(color, triangles.params[t], x, y, footprint)
    elif material == FAR_LAND:
        color = _far_land(x, y)
    elif material == PAVING:
        color, gloss = _paving(color, x, y, footprint, now.wetness), now.wetness * F32(0.25)
    elif material == MARKING:
        worn = ONE - F32(0.22) * value_noise(x * F32(1.7), y * F32(1.7)) * _fade(F32(0.15), footprint)
        color, gloss = scaled(color, worn * (ONE - F32(0.2) * now.wetness)), now.wetness * F32(0.25)
    elif material in (WINDOWS, SHOPFRONT):
        params = triangles.params[t]
        along = triangles.normals[t, 0] * y - triangles.normals[t, 1] * x - params[0]
        seed, is_shop = triangles.objects[t], material == SHOPFRONT
        color, gloss, glow = _facade(
            color, params, along, z - params[1], seed, footprint, now.lit_windows, is_shop
        )
    elif material == FOLIAGE:
        leaf = cell_hash(floor_int(x * F32(4)), floor_int(y * F32(4)), floor_int(z * F32(4))) - HALF
        clump = cell_hash(floor_int(x * F32(1.4)), floor_int(y * F32(1.4)), floor_int(z * F32(1.4))) - HALF
        k = ONE + F32(0.9) * leaf * _fade(F32(0.25), footprint)
        color = scaled(color, k * (ONE + F32(0.35) * clump * _fade(F32(0.7), footprint)))
    elif material == PAINT:
        color = times(color, (instances.paints[i, 0], instances.paints[i, 1], instances.paints[i, 2]))
        gloss = F32(0.16)
    elif material == GLASS:
        gloss = F32(0.5)
        if instances.flags[i] & INTERIOR:
            color, glow = scaled(ROOM_LIGHT, F32(0.6)), F32(0.5)
    elif material == BULB:
        light = -triangles.objects[t] - 1
        color, glow = _bulb(int(triangles.params[t, 0]), now.light_states[light], color)
    elif material == STREET_LAMP:
        if now.night > LAMPS_ON and triangles.params[t, 0] == ZERO:
            color, glow = STREET_LIGHT, ONE
    elif material == SIGN:
        # Retro-reflective sheeting: by night it returns the light of the driver's own lamps.
        glow = F32(0.45) * now.night
    elif material == ROOF:
        tile = z * F32(3.0)
        if tile - F32(floor_int(tile)) < F32(0.25) and footprint < F32(0.2):
            color = scaled(color, F32(0.82))
    else:
        color, glow = _lamp(material, instances.flags[i], color)
    return color, gloss, glow
