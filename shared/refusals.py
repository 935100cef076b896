"""Whom this process refused, and for what: counted exactly, logged seldom, and shown to officials.

Whoever tries codes, commands, names or floods must be seen, and must be able to fill neither the log nor the memory.
One `Refusals` a process: the build code makes it and hands it to the web's middleware, to the MQTT link and to whatever
else refuses. Threads may share it. The time is an argument: seconds of the process's monotonic clock.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from shared.addresses import counted_prefix

MAX_KINDS = 16  # the product has fewer; a seventeenth is counted as `OTHER_KIND`
MAX_CLIENTS_EACH = 64  # of one kind; a flood of one kind pushes no row of another out
MAX_LINES_EACH_PER_S = 2  # of one kind: with all kinds at once the log grows by less than 10 kB a second
MAX_KIND_LENGTH = 20
MAX_CLIENT_LENGTH = 60
MAX_WHAT_LENGTH = 100
OTHER_KIND = "other"


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """How often one client was refused for one kind of thing.

    `who` is an address (of IPv6 the /64) or a certificate's name; "": all clients of this kind that are not kept one
    by one, so that the totals of a kind always add up. `at_least`: it may have been refused before, among those.
    `last_s` is the time given with the last refusal, `what` what that was.
    """

    kind: str
    who: str
    total: int
    last_s: float
    what: str
    at_least: bool = False


@dataclass(slots=True)
class _Client:
    """One client's refusals of a kind."""

    at_least: bool
    total: int = 0
    last_s: float = 0.0
    what: str = ""
    logged_second: int | None = None


@dataclass(slots=True)
class _Kind:
    """The refusals of one kind: its clients, the one refused longest ago first, and the evicted ones."""

    clients: OrderedDict[str, _Client] = field(default_factory=OrderedDict)
    evicted: int = 0
    evicted_last_s: float = 0.0
    unlogged: int = 0
    second: int | None = None
    lines: int = 0

    def client(self, who: str) -> _Client:
        found = self.clients.get(who)
        if found is None:
            if len(self.clients) >= MAX_CLIENTS_EACH:
                _, oldest = self.clients.popitem(last=False)
                self.evicted += oldest.total
                self.evicted_last_s = max(self.evicted_last_s, oldest.last_s)
            found = self.clients[who] = _Client(at_least=self.evicted > 0)
        self.clients.move_to_end(who)
        return found

    def may_log(self, client: _Client, second: int) -> bool:
        if second != self.second:
            self.second, self.lines = second, 0
        if client.logged_second == second or self.lines >= MAX_LINES_EACH_PER_S:
            return False
        client.logged_second = second
        self.lines += 1
        return True


class Refusals:
    """The counts of one process. `now_s`: of its monotonic clock, wherever it refuses."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        self._lock = threading.Lock()

    def record(self, kind: str, who: str, what: str, now_s: float, times: int = 1) -> str | None:
        """Count a refusal; return the line for the log if one is due: at most one a second of each kind and client.

        `kind`: what was refused ("host", "code", "mqtt"); `who`: an address or a certificate's name; `what`: what it
        asked for ("POST /api/v1/commands"). Each may come from an attacker: what cannot be printed is left out.
        `times`: how many they were, from whoever counts a flood itself.
        """
        kind = _printable(kind, MAX_KIND_LENGTH)
        who = _printable(counted_prefix(who[:MAX_CLIENT_LENGTH]), MAX_CLIENT_LENGTH) or "(unknown)"
        what = _printable(what, MAX_WHAT_LENGTH)
        with self._lock:
            if kind not in self._kinds and len(self._kinds) >= MAX_KINDS - 1:
                kind = OTHER_KIND
            of_kind = self._kinds.setdefault(kind, _Kind())
            client = of_kind.client(who)
            client.total += times
            client.last_s, client.what = now_s, what
            of_kind.unlogged += times
            if not of_kind.may_log(client, int(now_s)):
                return None
            count, of_kind.unlogged = of_kind.unlogged, 0
        repeated = "" if count == 1 else f", {count} of this kind since the last line"
        return f"refused ({kind}) from {who}{repeated}: {what}."

    def counts(self) -> tuple[RefusalCount, ...]:
        """All that was refused, the newest first; at most `MAX_KINDS` times `MAX_CLIENTS_EACH` + 1 rows."""
        rows = []
        with self._lock:
            for kind, of_kind in self._kinds.items():
                rows += [
                    RefusalCount(kind, who, each.total, each.last_s, each.what, each.at_least)
                    for who, each in of_kind.clients.items()
                ]
                if of_kind.evicted:
                    rows.append(RefusalCount(kind, "", of_kind.evicted, of_kind.evicted_last_s, ""))
        return tuple(sorted(rows, key=lambda row: -row.last_s))

    def totals(self) -> dict[str, int]:
        """How often each kind of thing was refused since the process started."""
        with self._lock:
            return {
                kind: of_kind.evicted + sum(client.total for client in of_kind.clients.values())
                for kind, of_kind in self._kinds.items()
            }


def _printable(text: str, max_length: int) -> str:
    """The text without control and format characters (line ends, terminal escapes, signs that turn the direction)."""
    return "".join(sign for sign in text[: 4 * max_length] if sign.isprintable())[:max_length]
