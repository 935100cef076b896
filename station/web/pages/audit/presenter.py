"""The lines of the audit: the officials' commands, the events of access and the ticks of the checklists in one order.

Filtered; as page and CSV.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from shared.text import Sentence, text
from shared.text.dates import moment_of, short_day, time_of_day
from shared.units import NS_PER_S
from station.access.records import AccessEvent, Deed
from station.access.roles import Role
from station.checklists.items import ITEMS
from station.exports.csv_table import csv_text
from station.exports.results_csv import utc_text
from station.service.checklists.logged_ticks import TICK_DEEDS
from station.views.audit.audit_trail import AuditEntry

PAGE = 100
_DEEDS: dict[Deed, Sentence] = {
    "claimed": text("Claim the station"),
    "claim_failed": text("Wrong claim code"),
    "claim_code_reset": text("Make a new claim code"),
    "signed_in": text("Sign in"),
    "sign_in_failed": text("Wrong PIN or passphrase"),
    "signed_out": text("Sign out"),
    "session_ended": text("End a session"),
    "person_added": text("Add a person"),
    "person_changed": text("Change a person"),
    "person_removed": text("Remove a person"),
    "pairing_offered": text("Make a pairing code"),
    "paired": text("Pair a device"),
    "pairing_failed": text("Wrong pairing code"),
    "device_revoked": text("Revoke a device"),
    "token_made": text("Make a token for a script"),
    "pin_confirmed": text("Confirm by PIN"),
    "setting_changed": text("Change a setting"),
    "pin_refused": text("Wrong PIN at a confirmation"),
    "track_added": text("Upload a track"),
    "track_removed": text("Take a track off the list"),
    "backup_made": text("Make a backup"),
    "backup_fetched": text("Download a backup"),
    "backup_removed": text("Delete a backup"),
    "backup_restored": text("Restore a backup"),
    "line_ticked": text("Tick a line of the checklists"),
    "line_taken_back": text("Take back a tick of the checklists"),
}
COLUMNS = ("time_utc", "person", "device", "what", "subject", "before", "after", "reason", "refused", "record")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the reader looks for: parts of words, whatever their case; "": everything. `page`: from 1, newest first."""

    who: str = ""
    what: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line as the page shows it."""

    day: str
    time: str
    entry: AuditEntry


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page of lines. `newer`, `older`: the numbers of the pages beside it, 0 if there is none."""

    lines: tuple[AuditLine, ...]
    count: int
    newer: int
    older: int


def access_entries(events: Iterable[AccessEvent]) -> list[AuditEntry]:
    """The events of access as lines of the audit."""
    return [
        AuditEntry(
            round(event.at_s * NS_PER_S),
            event.person,
            event.device,
            _DEEDS[event.deed],
            _subject(event),
            _shown(event.before),
            _shown(event.after),
        )
        for event in events
    ]


def _shown(changed: str) -> str:
    """A role by its title; anything else as it is."""
    return next((role.title for role in Role if role.word == changed), changed)


def found(commands: Sequence[AuditEntry], events: Sequence[AuditEntry], wanted: AuditFilter) -> list[AuditEntry]:
    """The lines that match, newest first."""
    both = [each for each in (*commands, *events) if _matches(each, wanted)]
    return sorted(both, key=lambda each: (each.utc_ns, each.seq), reverse=True)


def audit_page(entries: Sequence[AuditEntry], page: int, zone: ZoneInfo) -> AuditPage:
    """One page of these lines, in this time zone."""
    pages = max(1, -(-len(entries) // PAGE))
    page = min(max(1, page), pages)
    shown = entries[(page - 1) * PAGE : page * PAGE]
    lines = tuple(
        AuditLine(short_day(moment_of(each.utc_ns, zone).date()), time_of_day(each.utc_ns, zone), each)
        for each in shown
    )
    return AuditPage(lines, len(entries), page - 1, page + 1 if page < pages else 0)


def audit_csv(entries: Iterable[AuditEntry]) -> str:
    """The lines as CSV; what a spreadsheet would take for a formula is neutralised."""
    rows = (
        (
            utc_text(each.utc_ns),
            each.person,
            each.device,
            str(each.words),
            str(each.subject),
            str(each.before),
            str(each.after),
            each.reason,
            each.refused,
            str(each.seq or ""),
        )
        for each in entries
    )
    return csv_text(COLUMNS, rows, mark=True)


def _subject(event: AccessEvent) -> str:
    if event.deed in TICK_DEEDS.values() and event.subject in ITEMS:
        return ITEMS[event.subject].sentence
    return event.subject


def _matches(entry: AuditEntry, wanted: AuditFilter) -> bool:
    who = f"{entry.person}\n{entry.device}".casefold()
    what = f"{entry.words}\n{entry.subject}\n{entry.before}\n{entry.after}\n{entry.reason}\n{entry.refused}".casefold()
    return wanted.who.casefold() in who and wanted.what.casefold() in what
