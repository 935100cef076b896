"""Who was refused at a machine's web pages, for the log: counted, and told once a second at most for each kind.

A stranger who tries codes, commands or names of hosts shall be seen, and shall not be able to fill the log. The time is
an argument.
"""

import logging
from dataclasses import dataclass, field

from starlette.types import Scope

from shared.addresses import counted_prefix

TOLD = frozenset({401, 403, 413, 415, 421, 429})
MAX_KINDS = 256
MAX_LINES_PER_S = 5
LOG = logging.getLogger("raceday.web")


def log_refusal(refusals: "Refusals", scope: Scope, status: int, now_s: float) -> None:
    """For a layer that sees each answer begin."""
    if status in TOLD:
        client = scope.get("client") or ("", 0)
        sentence = refusals.note(status, client[0], f"{scope['method']} {scope['path']}", now_s)
        if sentence is not None:
            LOG.warning("%s", sentence)


@dataclass(slots=True)
class Refusals:
    """Counts of one server, by status and address."""

    total: int = 0
    _since: dict[tuple[int, str], int] = field(default_factory=dict)  # not told yet
    _told: dict[tuple[int, str], int] = field(default_factory=dict)  # in which second it was told last
    _second: int = -1
    _lines: int = 0

    def note(self, status: int, client: str, what: str, now_s: float) -> str | None:
        """A sentence for the log, if it is time for one. `what` was asked: "POST /api/v1/commands"."""
        self.total += 1
        key, second = (status, counted_prefix(client)), int(now_s)
        if len(self._since) >= MAX_KINDS and key not in self._since:
            self._since.clear()
            self._told.clear()
        self._since[key] = self._since.get(key, 0) + 1
        if second != self._second:
            self._second, self._lines = second, 0
        if self._told.get(key) == second or self._lines >= MAX_LINES_PER_S:
            return None
        self._told[key] = second
        self._lines += 1
        count, self._since[key] = self._since[key], 0
        key = (status, "".join(sign for sign in key[1] if sign.isprintable()))
        asked = "".join(sign for sign in what if sign.isprintable())[:100]
        times = "" if count == 1 else f", {count} times since it was last told"
        return f"refused ({status}): {asked} from {key[1][:60]}{times}."
