"""Rows of the audit as the words and figures of pages: when, who, what of what, and each value before and after."""

from collections.abc import Iterable
from dataclasses import dataclass

from leaderboard.pages.wording import minute_text
from leaderboard.scored_laps import utc_text
from leaderboard.store.audit import AuditRow
from shared.text import recorded


@dataclass(frozen=True, slots=True)
class AuditRowView:
    """A change. `changes`: name, before and after of each value that differs; "" if it was not, or is not, there."""

    at: str
    at_text: str
    who: str
    what: str
    subject: str
    changes: tuple[tuple[str, str, str], ...]
    why: str


def audit_views(rows: Iterable[AuditRow], longest: int) -> list[AuditRowView]:
    """The rows, with values of at most so many characters."""
    return [
        AuditRowView(
            utc_text(row.at_utc_ns),
            minute_text(row.at_utc_ns),
            row.actor_name or row.actor,
            row.what,
            row.subject,
            tuple((name, _short(before, longest), _short(after, longest)) for name, before, after in row.differences()),
            recorded(row.why),
        )
        for row in rows
    ]


def _short(written: str, longest: int) -> str:
    return written if len(written) <= longest else f"{written[: longest - 1]}…"
