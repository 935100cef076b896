"""A step of the plan: one line in a file that the service alone reads; the console's password, or the leash's key."""

import stat
from dataclasses import dataclass, field

from raceday.install.machine import Machine
from raceday.install.steps import Effect, StaysForGood, owner_is
from shared.errors import OperatorError

USER, MODE = "raceday", 0o600


@dataclass(frozen=True, slots=True)
class WriteSecret(StaysForGood):
    """The line `line`; "" keeps the one that is there. It is in no description and no log."""

    path: str
    line: str = field(repr=False)
    what: str
    effects: frozenset[Effect] = frozenset({"services"})

    def description(self) -> str:
        return f"write {self.what} to {self.path}, for {USER} alone"

    def is_done(self, machine: Machine) -> bool:
        there, path = machine.read(self.path), machine.path(self.path)
        if there is None or (self.line and there != self._content):
            return False
        return stat.S_IMODE(path.stat().st_mode) == MODE and owner_is(machine, path, USER)

    def do(self, machine: Machine) -> None:
        content = self._content if self.line else machine.read(self.path)
        if content is None:
            raise OperatorError(f"{self.path} is missing: run this again, and give {self.what}.")
        machine.write(self.path, content, MODE, USER)

    @property
    def _content(self) -> bytes:
        return f"{self.line}\n".encode()
