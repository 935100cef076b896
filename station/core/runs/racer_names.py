"""Racers' names in the core: checked, and one racer for all spellings that have one key. Races ask here.

Journals that were begun before names were read so (edition 1 of what the station had `Booted`) keep their history:
there each spelling is a racer of its own, until a station of today starts on them.
"""

from shared.errors import Refused
from shared.rules.person_names import name_key, person_name

FIRST_EDITION = 1


class RacerNames:
    """How names are read now; one for the whole engine, told at each boot."""

    def __init__(self) -> None:
        self.edition = FIRST_EDITION + 1

    @property
    def exact(self) -> bool:
        """As before there were keys."""
        return self.edition <= FIRST_EDITION

    def checked(self, racer: str) -> str:
        """A name as it is kept. Raises Refused."""
        if not self.exact:
            return person_name(racer)
        if not (0 < len(racer.strip()) <= 64 and racer.isprintable()):
            raise Refused("A racer's name has 1 to 64 printable characters.")
        return racer.strip()

    def key(self, racer: str) -> str:
        """What all spellings of one racer have in common."""
        return racer if self.exact else name_key(racer)


class Spellings:
    """Of the racers of one race: the first that was given, by key."""

    def __init__(self, names: RacerNames) -> None:
        self._names = names
        self._first: dict[str, str] = {}

    def forget(self) -> None:
        """The keys are others now."""
        self._first.clear()

    def of(self, racer: str) -> str:
        """As this racer is written here. Raises Refused for what is no name."""
        checked = self._names.checked(racer)
        return self._first.get(self._names.key(checked), checked)

    def keep(self, racer: str) -> str:
        """The first spelling of this racer; this one, if there was none."""
        return self._first.setdefault(self._names.key(racer), racer)
