"""Checks racers' names, and treats all spellings with the same key as one racer. Used by races and transponders.

In journals of edition 1 (see `Booted`) each spelling is a racer of its own, and stays so until a station of a later
edition starts on them.
"""

from shared.errors import Refused
from shared.rules.person_names import name_key, person_name
from shared.text import text

FIRST_EDITION = 1


class RacerNames:
    """The rules by which names are read; one object for the whole engine, set at each boot."""

    def __init__(self) -> None:
        self.edition = FIRST_EDITION + 1

    @property
    def exact(self) -> bool:
        """Whether names are compared letter by letter, as in journals of the first edition."""
        return self.edition <= FIRST_EDITION

    def checked(self, racer: str) -> str:
        """The name in the form in which it is stored. Raises Refused for an invalid name."""
        if not self.exact:
            return person_name(racer)
        if not (0 < len(racer.strip()) <= 64 and racer.isprintable()):
            raise Refused(text("A racer's name has 1 to 64 printable characters."))
        return racer.strip()

    def key(self, racer: str) -> str:
        """The key that all spellings of one racer share."""
        return racer if self.exact else name_key(racer)


class Spellings:
    """The first spelling of each racer of one race, by key."""

    def __init__(self, names: RacerNames) -> None:
        self._names = names
        self._first: dict[str, str] = {}

    def forget(self) -> None:
        """Forgets all spellings, because the rules for keys have changed."""
        self._first.clear()

    def copied(self) -> "Spellings":
        """A copy that shares nothing that changes."""
        copy = Spellings(self._names)
        copy._first = dict(self._first)
        return copy

    def of(self, racer: str) -> str:
        """The racer's name as spelled in this race. Raises Refused for an invalid name."""
        checked = self._names.checked(racer)
        return self._first.get(self._names.key(checked), checked)

    def known(self, racer: str) -> str | None:
        """The spelling under which this racer is known in this race; None: he is not."""
        return self._first.get(self._names.key(racer))

    def respell(self, was: str, racer: str) -> None:
        """The racer who was called `was` is called `racer` from now on."""
        self._first.pop(self._names.key(was), None)
        self._first[self._names.key(racer)] = racer

    def first_spelling(self, racer: str) -> str:
        """The first spelling of this racer, which is this one if there was none before."""
        return self._first.setdefault(self._names.key(racer), racer)
