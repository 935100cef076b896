"""Rows of the audit as the words and figures of pages: when, who, what of what, and each value before and after."""

from collections.abc import Iterable
from dataclasses import dataclass

from leaderboard.pages.wording import minute_text, second_text
from leaderboard.scored_laps import utc_text
from leaderboard.store.audit import AuditRow
from shared.text import ntext, recorded


@dataclass(frozen=True, slots=True)
class AuditRowView:
    """A change. `changes`: name, before and after of values that differ; "" if it was not, or is not, there.

    `more`: what is said of those beyond the first; the API's audit tells them all.
    """

    at: str
    at_text: str
    who: str
    what: str
    subject: str
    changes: tuple[tuple[str, str, str], ...]
    why: str
    more: str = ""


_MOMENT = "_utc_ns"  # how names of stored moments end
CHANGES_SHOWN = 24  # of one act: two hundred racers in a queue are thousands of values


def audit_views(rows: Iterable[AuditRow], longest: int) -> list[AuditRowView]:
    """The rows, with values of at most so many characters."""
    return [_view(row, longest) for row in rows]


def _view(row: AuditRow, longest: int) -> AuditRowView:
    differences = list(row.differences())
    changes = tuple(_change(*each, longest) for each in differences[:CHANGES_SHOWN])
    return AuditRowView(
        utc_text(row.at_utc_ns),
        minute_text(row.at_utc_ns),
        row.actor_name or row.actor,
        row.what,
        row.subject,
        changes,
        recorded(row.why),
        _more(len(differences) - len(changes)),
    )


def _more(values: int) -> str:
    if not values:
        return ""
    return ntext("and {n} more value: GET /api/v1/audit", "and {n} more values: GET /api/v1/audit", n=values)


def _change(name: str, before: str, after: str, longest: int) -> tuple[str, str, str]:
    """As people read it: moments are stored in nanoseconds since 1970."""
    if name.endswith(_MOMENT):
        name, before, after = name.removesuffix(_MOMENT), _moment_text(before), _moment_text(after)
    return name, _short(before, longest), _short(after, longest)


def _moment_text(stored: str) -> str:
    """To the second, as two changes within a minute differ; "" stays: there was none."""
    return second_text(int(stored)) if stored.isdecimal() else stored


def _short(written: str, longest: int) -> str:
    return written if len(written) <= longest else f"{written[: longest - 1]}…"
