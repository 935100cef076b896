"""What the JSON of the audit looks like."""

from dataclasses import dataclass
from typing import Any

from leaderboard.scored_laps import utc_text
from leaderboard.store.audit import AuditRow


@dataclass(frozen=True, slots=True)
class AuditShape:
    """A change: who, what, before, after, why. `before` and `after` hold the fields that differ."""

    number: int
    at: str
    actor: str
    actor_name: str
    what: str
    race: str
    season: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class AuditPageShape:
    """The newest changes first; `next`: the `before` of the page after this one, null at the end."""

    rows: list[AuditShape]
    next: str | None


def audit_shape(row: AuditRow) -> AuditShape:
    return AuditShape(
        row.seq,
        utc_text(row.at_utc_ns),
        row.actor,
        row.actor_name,
        row.what,
        row.race_id,
        row.season_id,
        row.subject,
        row.before,
        row.after,
        row.why,
    )
