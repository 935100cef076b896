"""Whom this process refused, as rows of a small table: on the audit of station and board, on the car's page. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.refusals import RefusalCount
from shared.text import Sentence, text

MAX_ROWS = 20
KIND_WORDS: dict[str, Sentence] = {
    "code": text("Wrong code"),
    "connection": text("Too many connections"),
    "form": text("Unfit kind of body"),
    "host": text("Foreign host name"),
    "key": text("Key or token not valid"),
    "model": text("Model not accepted"),
    "mqtt": text("MQTT message"),
    "origin": text("Command from a foreign page"),
    "pass code": text("Wrong PIN or passphrase"),
    "permission": text("Not allowed for this role"),
    "rate": text("Too many tries"),
    "sign-in": text("Not signed in"),
    "signature": text("Signature not valid"),
    "size": text("Too large"),
}


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """One client's refusals of one kind. `who`: an address or a machine's name; "" for all that are not kept apart.

    `times`: how often, "≥ 12" where there may have been more.
    """

    kind: Sentence | str
    who: str
    times: str
    last: Sentence
    what: str


@dataclass(frozen=True, slots=True)
class RefusalTable:
    """The newest rows. `total`: all refusals since the process started, also those of rows that are not shown."""

    rows: tuple[RefusalRow, ...]
    total: int
    rows_left_out: int


def refusal_table(counts: Sequence[RefusalCount], now_s: float, max_rows: int = MAX_ROWS) -> RefusalTable:
    """The table of these counts, newest first; `now_s`: of the clock by which they were counted."""
    rows = tuple(_row(count, now_s) for count in counts[:max_rows])
    return RefusalTable(rows, sum(count.total for count in counts), max(0, len(counts) - max_rows))


def _row(count: RefusalCount, now_s: float) -> RefusalRow:
    times = f"≥ {count.total}" if count.at_least else str(count.total)
    return RefusalRow(KIND_WORDS.get(count.kind, count.kind), count.who, times, _ago(now_s - count.last_s), count.what)


def _ago(seconds: float) -> Sentence:
    seconds = max(0, round(seconds))
    if seconds < 60:
        return text("{n} s ago", n=seconds)
    if seconds < 3600:
        return text("{n} min ago", n=seconds // 60)
    return text("{n} h ago", n=seconds // 3600)
