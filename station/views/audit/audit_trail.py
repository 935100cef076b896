"""The officials' commands as lines: who, what, when, on which device, before and after. Pure.

Kept up to date by service/restore.py with each stored input, at a start and while running; read by the audit page.
"""

from dataclasses import dataclass

from shared.rules.person_names import name_key
from shared.text import joined, text
from shared.units import format_ms
from station.core import facts as f
from station.core import inputs as e
from station.views.audit.command_words import ENTERS, command_words, entered_fields
from station.views.command_answers import RulingEffect, RunFigures


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit. `seq`: the journal's record, 0 for an event of access, which is not journaled.

    `refused`: the sentence with which the station refused it, "" if it was done.
    """

    utc_ns: int
    person: str
    device: str
    words: str
    subject: str = ""
    before: str = ""
    after: str = ""
    reason: str = ""
    refused: str = ""
    seq: int = 0


class AuditTrail:
    """All lines in their order, only added to: `entries` may be read while another thread adds."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self._on_file: dict[tuple[str, str], dict[str, str]] = {}

    def record(
        self, seq: int, utc_ns: int, command: e.Command, facts: tuple[f.Fact, ...], effect: RulingEffect | None
    ) -> None:
        """Adds the line of a command that is stored as record `seq`."""
        refused = next((fact.sentence for fact in facts if isinstance(fact, f.CommandRefused)), "")
        before, after = ("", "") if refused else self._changed(command)
        if effect is not None and not refused:
            before, after = _figures(effect.before), _figures(effect.after)
        self.entries.append(
            AuditEntry(
                utc_ns=utc_ns,
                person=command.author,
                device=command.device,
                words=command_words(command),
                subject=_subject(command, facts),
                before=before if before != after else "",
                after=after if before != after else "",
                reason=command.reason,
                refused=refused,
                seq=seq,
            )
        )

    def _changed(self, command: e.Command) -> tuple[str, str]:
        """The fields on file that differ now, before and after."""
        entered = entered_fields(command)
        if not entered:
            return "", ""
        what, field = ENTERS[type(command)]
        name = str(getattr(command, field)) if field else ""
        key = (what, name_key(name or entered.get("name", "")) if field else "")
        old = self._on_file.get(key, {})
        new = {field: value for field, value in entered.items() if old.get(field) != value}
        self._on_file[key] = old | entered
        return _listed({field: old[field] for field in new if field in old}), _listed(new)


def _subject(command: e.Command, facts: tuple[f.Fact, ...]) -> str:
    """The run that it was about, "" if none."""
    named = str(getattr(command, "run_id", ""))
    return named or next((run_id for fact in facts if (run_id := str(getattr(fact, "run_id", "")))), "")


def _figures(figures: RunFigures) -> str:
    """What the run and its lap are worth, in words."""
    parts: list[str] = []
    if figures.lap is not None:
        time = format_ms(figures.lap_ms) if figures.lap_ms is not None else text("no time")
        lap = joined([text("lap {number}", number=figures.lap), time], ": ")
        parts.append(lap if figures.lap_counts else text("{lap} (does not count)", lap=lap))
    score = None if figures.score_ms is None else format_ms(figures.score_ms)
    parts.append(joined([text("score"), score], ": ") if score is not None else text("no score"))
    if figures.place is not None:
        parts.append(text("place {place}", place=figures.place))
    return joined(parts, ", ")


def _listed(fields: dict[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in fields.items())
