"""The tracks of the station as cards: drawn, with length, shortest lap, and whether an event needs them. Pure."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shared.rules.track_lengths import shortest_lap_s
from shared.text import Sentence, text
from shared.tracks.drawing import TrackDrawing, draw_track
from shared.tracks.outline import TrackOutline
from station.core.event.records import Direction
from station.store.event_files.tracks import TrackEntry, is_same_track
from station.views.event_view import EventView

Outlines = Callable[[str], TrackOutline | None]
DONE: dict[str, Sentence] = {
    "chosen": text("This is the track of the event now."),
    "added": text("The track is stored."),
    "removed": text("The track is off the list."),
}


@dataclass(frozen=True, slots=True)
class TrackCard:
    """A track on the page. `name`: as a race carries it; `file`: what else it is known as, "" if nothing.

    `chosen`: it is the event's. `removable`: it was uploaded, and no event and no race names it.
    """

    name: str
    title: str
    file: str
    drawing: TrackDrawing | None
    length: Sentence
    shortest: Sentence
    uploaded_by: str
    is_uploaded: bool
    chosen: bool
    used: bool

    @property
    def removable(self) -> bool:
        return self.is_uploaded and not self.used


@functools.lru_cache(maxsize=500)
def _drawn(outline: TrackOutline, reverse: bool) -> TrackDrawing:
    return draw_track(outline, reverse=reverse)


def drawn(outline: TrackOutline, direction: Direction) -> TrackDrawing:
    """The drawing of the track with its arrow in this direction, made once."""
    return _drawn(outline, outline.clockwise != (direction == "clockwise"))


def track_cards(
    entries: Iterable[TrackEntry], outline_of: Outlines, event: EventView, wanted: str = ""
) -> tuple[TrackCard, ...]:
    """The tracks whose name or title holds `wanted`, whatever its case; the event's first."""
    found = [each for each in entries if wanted.strip().casefold() in f"{each.name}\n{each.title}".casefold()]
    cards = [_card(each, outline_of, event) for each in found]
    return tuple(sorted(cards, key=lambda card: not card.chosen))


def uses(event: EventView, *names: str) -> bool:
    """Does the event, or a race of it or of an earlier one, name this track?"""
    named = [race.track for race in (*event.races, *event.earlier)]
    if event.event is not None:
        named.append(event.event.track)
    return any(is_same_track(name, each) for name in names for each in named)


def _card(entry: TrackEntry, outline_of: Outlines, event: EventView) -> TrackCard:
    on = event.event
    outline = outline_of(entry.name)
    shortest_s = shortest_lap_s(entry.name, entry.length_m)
    return TrackCard(
        name=entry.name,
        title=entry.title,
        file=entry.name if entry.name != entry.title else "",
        drawing=drawn(outline, on.direction if on is not None else "counterclockwise") if outline is not None else None,
        length=text("{length:.2f} m", length=entry.length_m),
        shortest=text("no lap under {seconds:.1f} s", seconds=shortest_s or 0.0),
        uploaded_by=entry.author,
        is_uploaded=bool(entry.sha256),
        chosen=on is not None and any(is_same_track(each, on.track) for each in (entry.name, entry.title)),
        used=uses(event, entry.name, entry.title),
    )
