"""How floors and what surrounds them look: known tracks, one look for every other name, random ones for training.

Colours of reinvent_base are measured in a frame of the public simulator, those of arctic_pro were reported from one.
"""

import colorsys
import math
import random
from dataclasses import replace

from simulator.world.floor_masks import FloorGeometry
from simulator.world.floor_texture import Appearance
from simulator.world.surroundings import FOOT_M, Colour, SurroundingsStyle, Walls

REINVENT_BASE = Appearance(geometry=FloorGeometry(dash_from_m=-0.1499, start_line_m=0.0))
_GENERATED = FloorGeometry(start_line_at_m=0.126)  # of the league's track generator
ARCTIC_PRO = Appearance(
    geometry=_GENERATED,
    field=(110, 144, 100),
    road=(59, 60, 61),
    line=(164, 166, 168),
    start_line=(164, 166, 168),
    surroundings=SurroundingsStyle(margin_m=30 * FOOT_M),
)
# A printed floor, as at summits: vinyl without grain, lamps that shine unevenly on it, no walls near by.
PRINTED_FLOOR = Appearance(
    field=(60, 130, 60),
    road=(75, 75, 75),
    line=(235, 235, 235),
    dash=(40, 140, 240),
    start_line=(235, 235, 235),
    grain=1.5,
    field_grain=1.5,
    blotches=0.06,
    surroundings=SurroundingsStyle(wall_height_m=0.0, ground=(120, 125, 130), sky=(190, 180, 170)),
)

_LOOKS = {"reinvent_base": REINVENT_BASE, "arctic_pro": ARCTIC_PRO, "2022_summit_speedway": PRINTED_FLOOR}
_MIN_CONTRAST = 62  # grey levels that a line is brighter than its road, at least
_DIRECTIONS = ("_reversed", "_ccw", "_cw")
_OLD = FloorGeometry(0.05, 0.5, 0.20, 0.20, 0.035)  # thin lines centred on the edge, long dashes: other people's floors


def look_of(name: str) -> Appearance:
    """The look of the track of this name: as it is where it is known, else the same drawn one every time."""
    for direction in _DIRECTIONS:
        name = name.removesuffix(direction)
    return _LOOKS[name] if name in _LOOKS else _drawn_look(random.Random(f"look-{name}"))


def _drawn_look(rng: random.Random) -> Appearance:
    """The public simulator's measures with colours of its kind: road, field and walls vary from track to track."""
    line = rng.randint(160, 210)
    field_hue = rng.choice((rng.uniform(0.25, 0.45), rng.uniform(0.25, 0.45), rng.uniform(0.08, 0.16), 0.6))
    generated = rng.random() < 0.6  # by the league's generator: wide halls, walls in one light
    brightness = rng.choice((1.0, 2.0, 6.0))
    walls = _walls(rng, brightness)
    return Appearance(
        field=_of_hue(field_hue, rng.uniform(0.1, 0.4), rng.uniform(80, 150)),
        road=_of_hue(rng.uniform(0.5, 0.7), rng.choice((0.0, 0.0, 0.15, 0.4)), rng.uniform(45, 80)),
        line=(line, line, line),
        start_line=(line, line, line),
        surroundings=SurroundingsStyle(
            margin_m=(30 if generated else 3) * FOOT_M,
            walls=(walls[0],) * 4 if generated else walls,
        ),
        geometry=_GENERATED,
        seed=rng.randrange(1 << 30),
    )


def _of_hue(hue: float, saturation: float, level: float) -> Colour:
    """The colour (BGR) with this hue whose brightest part is `level`."""
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, level)
    return _clipped((blue, green, red))


def _clipped(colour: tuple[float, float, float]) -> Colour:
    blue, green, red = (max(0, min(255, round(part))) for part in colour)
    return (blue, green, red)


def _walls(rng: random.Random, brightness: float) -> Walls:
    """The walls of one paint, each in its own light."""
    lights = [brightness * rng.uniform(0.3, 1.5) for _ in range(4)]
    first, second, third, fourth = (_clipped((20 * light, 19 * light, 14 * light)) for light in lights)
    return (first, second, third, fourth)


def draw_appearance(seed: int, spread: float = 1.0, start_lines: float = 0.0) -> Appearance:
    """Draw appearance number `seed`; `spread` 0 is the standard floor, 1 the usual differences, more is harsher.

    `start_lines` is the share of floors that have a start line: to a driver who never saw one it is a border.
    It spans the public simulator's floors and other people's: lines of 2 in centred on the edge to 3 in inside it,
    dashes of 5 to 20 cm, roads, fields and walls of any kind, and open ground.
    """
    rng = random.Random(f"appearance-{seed}")
    share = min(1.0, spread)

    def shade(base: Colour, other: Colour, by: float) -> Colour:
        """Between the two colours, lighter or darker, and tinted."""
        towards = rng.random() * share
        common = rng.uniform(-by, by) * spread
        mixed = [
            a + (b - a) * towards + common + rng.uniform(-by, by) * 0.4 * spread
            for a, b in zip(base, other, strict=True)
        ]
        return _clipped((mixed[0], mixed[1], mixed[2]))

    plain, printed = REINVENT_BASE, PRINTED_FLOOR
    road = shade(plain.road, rng.choice((printed.road, ARCTIC_PRO.road)), 22)
    drawn = shade(plain.line, rng.choice((printed.line, ARCTIC_PRO.line)), 18)
    darkest = max(road) + _MIN_CONTRAST
    line = (max(drawn[0], darkest), max(drawn[1], darkest), max(drawn[2], darkest))
    return Appearance(
        field=shade(plain.field, printed.field, 45),
        road=road,
        line=line,
        dash=shade(plain.dash, printed.dash, 25),
        start_line=line,
        grain=2.0 + rng.uniform(-1.0, 5.0) * share,
        field_grain=1.0 + rng.uniform(-0.5, 5.0) * share,
        blotches=rng.uniform(0.0, 0.14) * spread,
        seed=seed,
        geometry=_draw_geometry(rng, spread, start_lines),
        surroundings=_draw_surroundings(rng, spread),
    )


def _draw_geometry(rng: random.Random, spread: float, start_lines: float) -> FloorGeometry:
    share, new = min(1.0, spread), FloorGeometry()
    towards = rng.random() * share
    width_m = new.line_width_m + (_OLD.line_width_m - new.line_width_m) * towards + rng.uniform(-0.008, 0.008) * spread
    dash_m = new.dash_m * (_OLD.dash_m / new.dash_m) ** (rng.random() * share)
    return FloorGeometry(
        line_width_m=width_m,
        line_inside=new.line_inside + (_OLD.line_inside - new.line_inside) * towards,
        dash_m=dash_m,
        gap_m=dash_m * math.exp(rng.uniform(-0.25, 0.25) * share),
        dash_width_m=new.dash_width_m + rng.uniform(-0.005, 0.012) * share,
        dash_from_m=rng.uniform(0.0, 0.4) * share,
        start_line_m=new.start_line_m if rng.random() < start_lines else 0.0,
    )


def _draw_surroundings(rng: random.Random, spread: float) -> SurroundingsStyle:
    new = SurroundingsStyle()
    sky, ground = rng.uniform(-60, 60) * spread, rng.uniform(40, 200)
    if rng.random() < 0.5 * min(1.0, spread):
        tint = rng.uniform(0.0, 0.3)
        return replace(
            new,
            wall_height_m=0.0,
            margin_m=rng.uniform(0.5, 4.0),
            ground=_of_hue(rng.random(), tint, ground),
            sky=_clipped((190 + sky, 180 + sky, 170 + sky)),
        )
    lights = [1.0, 2.0, 5.0, 10.0]
    walls = _walls(rng, rng.choice(lights) * rng.uniform(0.5, 1.2)) if spread > 0.0 else new.walls
    return replace(
        new,
        margin_m=new.margin_m * (10 ** (rng.random() * min(1.0, spread))),
        wall_height_m=max(0.4, new.wall_height_m + rng.uniform(-0.5, 1.5) * spread),
        walls=walls,
        sky=_clipped((178 + sky, 178 + sky, 178 + sky)),
    )
