"""The social picture of a race: 1200 by 630 pixels that say what it is, how it stands, and who leads."""

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from leaderboard.pages.public.letters import Letters
from leaderboard.pages.views import CardView

WIDTH, HEIGHT = 1200, 630
_KEPT = 64  # pictures
_EDGE = 72
_GROUND, _SURFACE, _LINE, _TEXT, _SOFT, _ACCENT = "#0a0d13", "#11161f", "#262f3f", "#f3f6fb", "#aab4c5", "#46c8f5"


@dataclass(frozen=True, slots=True)
class CardWords:
    """What is written in the picture. `board`: what the leaderboard is called; `state`, `counts`: at its foot."""

    board: str
    race: str
    track: str
    ranked_by: str
    places: tuple[tuple[str, str, str], ...]
    nothing: str
    state: str
    counts: str


def card_words(board: str, shown: CardView, nothing: str) -> CardWords:
    """The words for a race as its card on the home page shows it; `nothing`: said while nobody is ranked."""
    race = shown.race
    places = tuple((str(place.rank), place.name, place.score) for place in shown.podium)
    return CardWords(
        board, race.name, race.track, str(race.ranked_by), places, nothing, str(race.state_text), str(race.counts)
    )


def draw_card(words: CardWords) -> bytes:
    """The picture as PNG."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), _GROUND)
    on, inner = ImageDraw.Draw(picture), WIDTH - 2 * _EDGE
    on.rectangle((0, 0, WIDTH, 10), fill=_ACCENT)
    for place, share in enumerate((0.55, 1.0, 0.75)):  # the mark of our pages
        on.rectangle((_EDGE + place * 14, 92 - 34 * share, _EDGE + place * 14 + 9, 92), fill=_ACCENT)
    _line(on, words.board, Letters(34, 650), (_EDGE + 58, 90), inner - 58, _SOFT)
    _title(on, words.race, inner)
    _line(on, words.track, Letters(36, 600), (_EDGE, 272), inner, _ACCENT)
    if not words.places:
        _line(on, words.nothing, Letters(40), (_EDGE, 390), inner, _SOFT)
    for number, (rank, name, score) in enumerate(words.places):
        top = 296 + number * 82
        on.rounded_rectangle((_EDGE, top, WIDTH - _EDGE, top + 70), 12, fill=_SURFACE, outline=_LINE)
        figure = Letters(42, 750)
        right = WIDTH - _EDGE - 24 - figure.width(score)
        figure.draw(on, (right, top + 50), score, _ACCENT if number == 0 else _TEXT)
        figure.draw(on, (_EDGE + 24, top + 50), rank, _ACCENT)
        _line(on, name, Letters(42, 600), (_EDGE + 84, top + 50), right - _EDGE - 120, _TEXT)
    _line(on, f"{words.state} · {words.counts}", Letters(30, 500), (_EDGE, HEIGHT - 44), inner, _SOFT)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=False)
    return file.getvalue()


def _title(on: ImageDraw.ImageDraw, race: str, width: float) -> None:
    """The name of the race: as large as it fits on a line, or on two lines between words."""
    for size in (84, 68, 54):
        letters = Letters(size, 750)
        if letters.width(race) <= width:
            letters.draw(on, (_EDGE, 206), race, _TEXT)
            return
    first, second = _halves(race, letters, width)
    _line(on, first, letters, (_EDGE, 168 if second else 206), width, _TEXT)
    _line(on, second, letters, (_EDGE, 224), width, _TEXT)


def _halves(words: str, letters: Letters, width: float) -> tuple[str, str]:
    """As many whole words as fit on a line, and the rest; a first word that does not fit stands alone."""
    every = words.split(" ")
    count = 1
    while count < len(every) and letters.width(" ".join(every[: count + 1])) <= width:
        count += 1
    return " ".join(every[:count]), " ".join(every[count:])


def _line(
    on: ImageDraw.ImageDraw, words: str, letters: Letters, at: tuple[float, float], width: float, colour: str
) -> None:
    letters.draw(on, at, letters.fitted(words, width), colour)


class CardPictures:
    """Draws each picture once for as long as its words stay; one at a time, as each costs some milliseconds."""

    def __init__(self, draw: Callable[[CardWords], bytes] = draw_card) -> None:
        self._draw, self._drawn = draw, OrderedDict[CardWords, bytes]()
        self._lock = threading.Lock()

    def of(self, words: CardWords) -> bytes:
        """The picture with these words."""
        with self._lock:
            if words not in self._drawn:
                self._drawn[words] = self._draw(words)
                if len(self._drawn) > _KEPT:
                    self._drawn.popitem(last=False)
            self._drawn.move_to_end(words)
            return self._drawn[words]
