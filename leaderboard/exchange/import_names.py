"""Which racer each row of a file is: one for each account, under a name that people can be shown. Pure.

A racer has an id that no other racer of the race has in any spelling, and a name that is shown; both follow the rules
for names of people. What a file calls its racers may break the rules. No row is lost for that: what a name cannot hold
is left out, and of racers whose names are one by our rules the later ones get a number in their ids, while their names
stay. Each change is remarked on; what the file said is kept with its row.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from leaderboard.core.acceptance import racer_name
from leaderboard.exchange.report import RowNote
from shared.errors import Refused
from shared.rules.person_names import name_key, name_within
from shared.text import text

_LENGTH = 190  # of the 200 that a racer's id may have; the rest is for the number


@dataclass(frozen=True, slots=True)
class NamedRacer:
    """A racer's id in the race, and the name that is shown."""

    racer: str
    name: str


class KeysInUse(Protocol):
    """A set of keys, in memory or not."""

    def __contains__(self, key: object, /) -> bool: ...

    def add(self, key: str, /) -> None: ...


class ImportNames:
    """Gives out the racers of one race. `taken`: the keys of those that it has, each with its spelling.

    `used`: holds the keys of those whom the file names; empty at first.
    """

    def __init__(self, taken: Mapping[str, str], used: KeysInUse | None = None) -> None:
        self._spellings = taken
        self._used: KeysInUse = set() if used is None else used
        self._of_account: dict[str, NamedRacer] = {}
        self._next: dict[str, int] = {}

    def of_row(self, line: int, written: str, notes: list[RowNote]) -> NamedRacer:
        """A racer for this row alone: no other row of the file has it."""
        name = self._fit(line, written, notes)
        racer = self._free(line, name, notes)
        key = name_key(racer)
        self._used.add(key)
        return NamedRacer(self._spellings.get(key, racer), name)

    def of_account(self, line: int, written: str, account: str, notes: list[RowNote]) -> NamedRacer:
        """The racer of all rows of this account (or, without one, of this name)."""
        identity = f"account {account}" if account else f"name {name_key(written)}"
        if identity not in self._of_account:
            self._of_account[identity] = self.of_row(line, written, notes)
        return self._of_account[identity]

    def _fit(self, line: int, written: str, notes: list[RowNote]) -> str:
        one_line = re.sub(r"\s+", " ", written).strip()
        try:
            name = racer_name(one_line)
            fits = len(name) <= _LENGTH
        except Refused as refusal:
            name, fits = "", False
            why = str(refusal).rstrip(".")
        else:
            why = f"The name has more than {_LENGTH} characters"
        if not fits:
            name = name_within(one_line, _LENGTH)[:_LENGTH].strip() or f"racer of line {line}"
            notes.append(
                RowNote(
                    line,
                    "Racer",
                    text(
                        "{written} is shown as {name}: {why}", written=repr(written[:60]), name=repr(name[:60]), why=why
                    ),
                )
            )
        return name

    def _free(self, line: int, name: str, notes: list[RowNote]) -> str:
        key = name_key(name)
        if key not in self._used:
            return name
        number = self._next.get(key, 2)
        while name_key(numbered := f"{name} ({number})") in self._used:
            number += 1
        self._next[key] = number + 1
        notes.append(
            RowNote(
                line,
                "Racer",
                text(
                    "{name} is there already: this one has the id {numbered}",
                    name=repr(name[:60]),
                    numbered=repr(numbered[:60]),
                ),
            )
        )
        return numbered
