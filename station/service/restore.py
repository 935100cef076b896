"""Restores the engine at a start: every journaled input is fed to a new one. Called by station.py."""

import gc
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.protocol.results import Evidence
from station.core.engine import Engine
from station.core.facts import Fact, ResultDue, RunOpened
from station.core.inputs import Command, Input
from station.service.archive.run_index import HandledInput, RunIndex
from station.store.journal import Journal, JournalEntry
from station.views.audit.audit_trail import AuditTrail
from station.views.runs.uncounted_crossings import UncountedLog


@dataclass(slots=True)
class Restored:
    """The engine after the last stored record, and what is read from the records beside it.

    `opened`: (race id, run id) to the number of the record that opened the run.
    """

    engine: Engine = field(default_factory=Engine)
    opened: dict[tuple[str, str], int] = field(default_factory=dict)
    uncounted: UncountedLog = field(default_factory=UncountedLog)
    index: RunIndex = field(default_factory=RunIndex)
    audit: AuditTrail = field(default_factory=AuditTrail)

    def handle(self, event: Input) -> HandledInput:
        """Has the engine handle an input. It counts as stored only once `record` is called for it."""
        return self.index.handled(self.engine, event)

    def entry(self, event: Input, facts: tuple[Fact, ...], station: str, versions: Mapping[str, str]) -> JournalEntry:
        """The input with its facts, as the journal is to store it; a result that is due gets its evidence."""
        due = next((fact.result for fact in facts if isinstance(fact, ResultDue)), None)
        if due is None:
            return JournalEntry(event, facts)
        first = self.opened.get((due.race_id, due.run_id), 0)
        evidence = Evidence(station, "", first, 0, 0, dict(versions), journal=self.engine.identity.journal)
        return JournalEntry(event, facts, evidence)

    def record(self, seq: int, event: Input, handled: HandledInput) -> None:
        """Takes account of the stored record `seq`, which the engine has handled."""
        self.uncounted.record(self.engine, event, handled.facts)
        self.index.record(self.engine, seq, event, handled)
        if isinstance(event, Command) and handled.facts:
            utc_ns = self.engine.scale.of_moment(event.moment)
            self.audit.record(seq, utc_ns, event, handled.facts, handled.effect)
        for fact in handled.facts:
            if isinstance(fact, RunOpened):
                self.opened[fact.race_id, fact.run_id] = seq


def restore(journal: Journal) -> Restored:
    """Feeds every stored input to a new engine. Raises StorageError."""
    restored, collecting = Restored(), gc.isenabled()
    gc.disable()  # all that is made here stays: looking for garbage among it would take a fifth of the time
    try:
        _replay(journal, restored)
    finally:
        if collecting:
            gc.enable()
    return restored


def _replay(journal: Journal, restored: Restored) -> None:
    for seq, event in journal.inputs():
        restored.record(seq, event, restored.handle(event))
