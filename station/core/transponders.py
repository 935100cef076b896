"""Whose transponder is it? Ids are compared as numbers are meant, not as they are written; strangers are remembered.

Decoders give each protocol's own form (P3, RC-4, TranX, Cano: decimal; IPICO and long RFID tags: hexadecimal; LapRF,
Carrera: the slot). Other programs and stickers write the same id otherwise. So an id is, in this order: the same text;
the same without blanks, colons, dashes, dots, case and leading zeros; the same number, one of the two being
hexadecimal. Digits alone may be either: as hexadecimal they count only from six digits on, while nobody has sent them
as they stand, and while they fit one owner. Where two owners fit, nobody is meant, and it is said.
"""

import functools
import unicodedata
from collections import deque
from dataclasses import dataclass

from shared.errors import Refused
from shared.topics import checked_device
from station.core import events as e
from station.core import facts as f
from station.core.names import Names
from station.core.run import Run

MARKS = str.maketrans("", "", " :-_.,'/")
LEAST_DIGITS = 6  # of an id of digits that is taken as hexadecimal
MOST_DIGITS = 16  # of an id that is compared as a number; longer ones have one notation
LONGEST = 128
STRANGERS = 64
REMEMBERED = 128  # transponders, of this race
PASSES = 512
_DIGITS, _HEX = frozenset("0123456789"), frozenset("0123456789ABCDEF")


@dataclass(frozen=True, slots=True)
class Reading:
    """What an id says: `plain` text to compare, and as which number it can be read. `sure`: it cannot be decimal."""

    plain: str
    decimal: int | None
    hexadecimal: int | None
    sure: bool


@functools.lru_cache(maxsize=1024)  # the same few ids come with every crossing
def reading(text: str) -> Reading:
    """Of an id as anybody writes it."""
    plain = unicodedata.normalize("NFKC", text).translate(MARKS).upper()
    prefixed = plain.startswith("0X") and len(plain) > 2
    digits = plain[2:] if prefixed else plain
    is_hex = bool(digits) and _HEX.issuperset(digits)
    sure = is_hex and (prefixed or not _DIGITS.issuperset(digits))
    short = len(digits.lstrip("0")) <= MOST_DIGITS
    told_apart = "0X" if prefixed and _DIGITS.issuperset(digits) else ""
    return Reading(
        told_apart + (digits.lstrip("0") or digits[:1]),
        int(digits) if is_hex and short and not sure else None,
        int(digits, 16) if is_hex and short else None,
        sure,
    )


def plain_id(text: str) -> str:
    """An id without what only differs by the way of writing it."""
    return reading(text).plain


def same_number(known: Reading, read: Reading) -> bool:
    """Are they one number, the one as decimal and the other as hexadecimal?"""
    for tens, sixteens in ((known, read), (read, known)):
        if tens.decimal is not None and tens.decimal == sixteens.hexadecimal:
            return sixteens.sure or len(sixteens.plain) >= LEAST_DIGITS
    return False


@dataclass(frozen=True, slots=True)
class Found:
    """Whose it is, None: nobody's; and what is to be said of that."""

    known: e.Transponder | None
    why: str


@dataclass(slots=True)
class Stranger:
    """A transponder that nobody knows, and how often it passed in this race."""

    transponder: str
    count: int = 0


Passes = deque[tuple[f.Crossing, tuple[str, ...]]]  # each with the runs that were on and started then


class Transponders:
    """Those of the config, those that officials gave since, and the strangers."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._wired: tuple[e.Transponder, ...] = ()
        self._given: dict[str, e.Transponder] = {}  # by plain id; without car and racer: of nobody here
        self._sent: set[str] = set()  # ids of ours that were read as they are written: they need no other notation
        self._found: dict[str, Found] = {}
        self.strangers: dict[str, Stranger] = {}
        self._passes: dict[str, Passes] = {}  # of this race, by plain id: also those whose owner may be the wrong one

    @property
    def any(self) -> bool:
        """Is anybody's known?"""
        return bool(self._wired or self._given)

    def wire(self, known: tuple[e.Transponder, ...]) -> None:
        """The station started. What an official gave stays, unless the config says something new of that id."""
        before = {plain_id(each.id): each for each in self._wired}
        for each in known:
            if before.get(plain_id(each.id)) != each:
                self._given.pop(plain_id(each.id), None)
        self._wired = known
        self._found.clear()
        for each in known:
            self.strangers.pop(plain_id(each.id), None)

    def give(self, transponder: e.Transponder) -> list[tuple[f.Crossing, tuple[str, ...]]]:
        """It is this car's or racer's, or nobody's here; its passes up to now, in whatever notation it was read.

        They are remembered on: an official who named the wrong owner names the right one later.
        """
        self._given[plain_id(transponder.id)] = transponder
        self._found.clear()
        same = [key for key in self._passes if key == plain_id(transponder.id)]
        same = same or [
            key for key, seen in self._passes.items() if self.of(seen[0][0].transponder).known == transponder
        ]
        for key in same:
            self.strangers.pop(key, None)
        return [each for key in same for each in self._passes[key]]

    def is_given(self, transponder: str) -> bool:
        """Did an official say whose it is?"""
        return plain_id(transponder) in self._given

    def remember(self, crossing: f.Crossing, on: tuple[str, ...]) -> None:
        """A pass of any transponder, while these runs were on."""
        key = plain_id(crossing.transponder)
        passes = self._passes.pop(key, None)
        self._passes[key] = passes = deque(maxlen=PASSES) if passes is None else passes
        passes.append((crossing, on))
        if len(self._passes) > REMEMBERED:
            del self._passes[next(iter(self._passes))]

    def forget(self) -> None:
        """Another race begins."""
        self.strangers.clear()
        self._passes.clear()

    def of(self, read: str) -> Found:
        """Whose is the transponder that was read?"""
        if self._names.exact:
            known = next((each for each in reversed(self._wired) if each.id == read), None)
            return Found(known, f"its transponder {read}")
        if read not in self._found:
            if len(self._found) > 4 * STRANGERS:
                self._found.clear()
            self._found[read] = self._look(read)
        return self._found[read]

    def is_of(self, known: e.Transponder, run: Run) -> bool:
        """Is it on the run's car, or carried by its racer?"""
        of_racer = bool(known.racer) and self._names.key(known.racer) == self._names.key(run.racer)
        return of_racer or (bool(known.car) and known.car == run.car)

    def worn(self, run: Run) -> bool:
        """Has the run's car or racer any?"""
        return any(self.is_of(known, run) for known in self._all())

    def ask(self, crossing: f.Crossing) -> f.UnknownTransponder | None:
        """A stranger passed; None if it was said that it is nobody's here."""
        key = plain_id(crossing.transponder)
        if key in self._given:
            return None
        stranger = self.strangers.pop(key, None) or Stranger(crossing.transponder)
        self.strangers[key] = stranger
        if len(self.strangers) > STRANGERS:
            del self.strangers[next(iter(self.strangers))]
        stranger.count += 1
        return f.UnknownTransponder(crossing.transponder, crossing.number, stranger.count)

    def _all(self) -> list[e.Transponder]:
        wired = [each for each in self._wired if plain_id(each.id) not in self._given]
        return [each for each in (*wired, *self._given.values()) if each.car or each.racer]

    def _look(self, read: str) -> Found:
        every, meant = self._all(), reading(read)
        same = [each for each in every if each.id == read] or [
            each for each in every if plain_id(each.id) == meant.plain
        ]
        if same:
            if plain_id(same[0].id) not in self._sent:
                self._sent.add(plain_id(same[0].id))
                self._found.clear()
            written = "" if same[0].id == read else f" ({same[0].id} as we have it)"
            return Found(same[0], f"its transponder {read}{written}")
        open_ones = [each for each in every if plain_id(each.id) not in self._sent]
        likely = [each for each in open_ones if same_number(reading(each.id), meant)]
        owners = {(each.car, each.racer) for each in likely}
        if len(owners) > 1:
            names = " or ".join(f"{each.id} of {each.car or each.racer}" for each in likely)
            return Found(None, f"the transponder {read} may be {names}: write both ids as the decoder sends them")
        if owners:
            return Found(likely[0], f"its transponder {read} ({likely[0].id} as we have it, the one in hexadecimal)")
        return Found(None, f"the transponder {read} is nobody's here")


def given_by(command: e.GiveTransponder, names: Names) -> e.Transponder:
    """What an official says of it, checked. Raises Refused."""
    text = command.transponder
    if not (text.isprintable() and 0 < len(text) <= LONGEST) or text != text.strip():
        raise Refused(f"A transponder's id has 1 to {LONGEST} printable characters.")
    car = checked_device(command.car) if command.car else ""
    racer = names.checked(command.racer) if command.racer and not car else ""
    return e.Transponder(command.transponder, car, racer)
