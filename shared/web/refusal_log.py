"""Which clients a machine's web server refused, for its log: counted, and at most one line a second of each kind.

A client that tries codes, commands or host names must show in the log, and must not be able to fill it. The time is an
argument.
"""

import logging
from dataclasses import dataclass, field

from starlette.types import Scope

from shared.addresses import counted_prefix

LOGGED = frozenset({401, 403, 413, 415, 421, 429})
MAX_KINDS = 256
MAX_LINES_PER_S = 5
LOG = logging.getLogger("raceday.web")


def log_refusal(refusals: "Refusals", scope: Scope, status: int, now_s: float) -> None:
    """Called by a middleware as each response begins; logs only the statuses of refusals."""
    if status in LOGGED:
        client = scope.get("client") or ("", 0)
        sentence = refusals.record(status, client[0], f"{scope['method']} {scope['path']}", now_s)
        if sentence is not None:
            LOG.warning("%s", sentence)


@dataclass(slots=True)
class Refusals:
    """Counts of one server, by status and address."""

    total: int = 0
    _unlogged: dict[tuple[int, str], int] = field(default_factory=dict)
    _logged_second: dict[tuple[int, str], int] = field(default_factory=dict)
    _second: int = -1
    _lines: int = 0

    def record(self, status: int, client: str, request: str, now_s: float) -> str | None:
        """Count a refusal; return a sentence for the log if one is due. `request`: "POST /api/v1/commands"."""
        self.total += 1
        key, second = (status, counted_prefix(client)), int(now_s)
        if len(self._unlogged) >= MAX_KINDS and key not in self._unlogged:
            self._unlogged.clear()
            self._logged_second.clear()
        self._unlogged[key] = self._unlogged.get(key, 0) + 1
        if second != self._second:
            self._second, self._lines = second, 0
        if self._logged_second.get(key) == second or self._lines >= MAX_LINES_PER_S:
            return None
        self._logged_second[key] = second
        self._lines += 1
        count, self._unlogged[key] = self._unlogged[key], 0
        times = "" if count == 1 else f", {count} times since the last line"
        return f"refused ({status}): {_printable(request)[:100]} from {_printable(key[1])[:60]}{times}."


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())
