"""The track of a LIVE race as a drawing: the road, its sectors coloured by level, and where the car is. Pure."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.live.sectors import DEFAULT_SECTORS, LiveLevel
from leaderboard.core.race import RaceRecord
from shared.protocol.live import LiveMessage, RivalCar
from shared.text import Sentence, text
from shared.tracks.drawing import TrackDrawing, draw_track, place_on
from shared.tracks.outline import TrackOutline
from shared.tracks.shipped import shipped_name, shipped_outline
from shared.units import format_ms

# The signs of the legend and a letter each, so that colour is never the only cue: P(urple), G(reen), Y(ellow).
SIGNS: dict[LiveLevel, str] = {"best": "◆", "own": "▲", "slower": "●", "pending": "–"}
LETTERS: dict[LiveLevel, str] = {"best": "P", "own": "G", "slower": "Y", "pending": ""}
WORDS: dict[LiveLevel, Sentence] = {
    "best": text("best of the session"),
    "own": text("own best"),
    "slower": text("slower"),
    "pending": text("still to drive"),
}
_STEPS = 48  # points of a sector's line


@dataclass(frozen=True, slots=True)
class SectorMark:
    """A sector of the lap on the track: its time, and its level as colour, sign, letter and words."""

    number: int
    time: str
    level: LiveLevel
    sign: str
    letter: str
    words: Sentence


@dataclass(frozen=True, slots=True)
class SectorLine:
    """A sector on the map: its line, and where its label stands."""

    number: int
    path: str
    label_x: int
    label_y: int


@dataclass(frozen=True, slots=True)
class TrackMap:
    """What does not change of a map: the drawing, the lines of its sectors, and the size of what is drawn on it."""

    drawing: TrackDrawing
    lines: tuple[SectorLine, ...]
    car_radius: int


def track_map(race: RaceRecord, sectors: int = DEFAULT_SECTORS) -> TrackMap | None:
    """The map of the race's track; None if we have no outline of it."""
    name = shipped_name(race.track)
    return None if name is None else _map(name, race.direction == "clockwise", sectors)


@functools.lru_cache(maxsize=64)
def _map(name: str, clockwise: bool, sectors: int) -> TrackMap:
    outline = shipped_outline(name)
    reverse = outline.clockwise != clockwise
    drawing = draw_track(outline, reverse=reverse)
    sides = [int(side) for side in drawing.view_box.split()[2:]]
    lines = tuple(_line(outline, reverse, number, sectors) for number in range(sectors))
    return TrackMap(drawing, lines, max(round(max(sides) * 0.018), drawing.width // 4))


def car_spot(race: RaceRecord, car: LiveMessage | RivalCar) -> tuple[int, int] | None:
    """Where the car is on the map; None if the track or the place is not known."""
    name = shipped_name(race.track)
    if name is None:
        return None
    outline = shipped_outline(name)
    share = car.track_share
    if isinstance(car, LiveMessage) and car.track_m is not None:
        share = car.track_m / outline.length_m
    if share is None:
        return None
    reverse = outline.clockwise != (race.direction == "clockwise")
    return place_on(outline, -share if reverse else share)


def sector_marks(times: Sequence[int | None] | None, levels: Sequence[LiveLevel] = ()) -> tuple[SectorMark, ...]:
    """The sectors of the lap on the track; three that are still to drive if nothing is heard."""
    if not times:
        return tuple(_mark(number, None, "pending") for number in range(1, DEFAULT_SECTORS + 1))
    return tuple(
        _mark(number, time_ms, level) for number, (time_ms, level) in enumerate(zip(times, levels, strict=True), 1)
    )


def _mark(number: int, time_ms: int | None, level: LiveLevel) -> SectorMark:
    time = "" if time_ms is None else format_ms(time_ms)
    words = (
        text("Sector {number}: {time}, {level}", number=number, time=time, level=WORDS[level])
        if time
        else text("Sector {number}: {level}", number=number, level=WORDS[level])
    )
    return SectorMark(number, time, level, SIGNS[level], LETTERS[level], words)


def _line(outline: TrackOutline, reverse: bool, number: int, sectors: int) -> SectorLine:
    way = -1 if reverse else 1
    shares = [way * (number + step / _STEPS) / sectors for step in range(_STEPS + 1)]
    spots = [place_on(outline, share) for share in shares]
    path = "M" + "L".join(f"{x} {y}" for x, y in spots)
    return SectorLine(number + 1, path, *spots[_STEPS // 2])
