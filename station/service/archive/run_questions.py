"""What the web may ask about runs: the list, one page, a preview, and one's own last acts. The base of Station.

Each is a question to the timing thread; the journal of one run is read on the thread that asks.
"""

import pathlib
from collections.abc import Callable
from dataclasses import replace
from queue import SimpleQueue
from typing import Any

from station.core import inputs as e
from station.core.event.races import rules_effect
from station.core.race.race_changes import PlaceChange
from station.service.archive.questions import Answer, Question
from station.service.archive.run_pages import begin_page, finish_page
from station.service.archive.trace_reader import read_trace
from station.service.inbox import QueuedInput
from station.service.restore import Restored
from station.views.audit.audit_trail import AuditEntry
from station.views.command_answers import RulingEffect
from station.views.results.race_records import race_record
from station.views.results.race_results import RaceResults, race_results
from station.views.ruling_effect import preview
from station.views.runs.run_archive import LastAct, RunPage, RunSummary

ANSWER_S = 10.0
Inbox = SimpleQueue[QueuedInput | Question[Any]]


class RunQuestions:
    """Asks through the station's `inbox`. `journal`: the file that is read for the trace of a run."""

    def __init__(self, inbox: Inbox, now: Callable[[], e.Moment], journal: pathlib.Path) -> None:
        self._questions, self._moment, self.journal_path = inbox, now, journal

    def preview(self, command: e.Command) -> RulingEffect:
        """What a ruling would change; raises Refused as the ruling itself would, NotAnswered."""
        stamped = replace(command, moment=self._moment())
        return self._ask(lambda restored: preview(restored.engine, stamped))

    def preview_rules(self, command: e.ChangeRace) -> tuple[PlaceChange, ...]:
        """What other rules would do to the standings; raises Refused as the change itself would, NotAnswered."""
        return self._ask(lambda restored: rules_effect(restored.engine.event, restored.engine.races, command))

    def last_acts(self, author: str) -> tuple[LastAct, ...]:
        """The person's last own acts, newest first. Raises NotAnswered."""
        return self._ask(lambda restored: restored.index.acts.last(restored.engine, author))

    def audit(self) -> tuple[AuditEntry, ...]:
        """What every official did, oldest first. Raises NotAnswered."""
        return self._ask(lambda restored: tuple(restored.audit.entries))

    def run_list(self) -> tuple[RunSummary, ...]:
        """All runs of all races, newest first. Raises NotAnswered."""
        return self._ask(lambda restored: restored.index.summaries(restored.engine))

    def run_page(self, run_id: str) -> RunPage | None:
        """Everything about one run; None if there is no such run. Raises NotAnswered, StorageError."""
        request = self._ask(lambda restored: begin_page(restored.engine, restored.index, run_id))
        if request is None:
            return None
        stored = read_trace(self.journal_path, request.records)
        return self._ask(lambda restored: finish_page(restored.engine, restored.index, request, stored))

    def race_results(self, race_id: str) -> RaceResults | None:
        """The results of a race; None if there is no such race. Raises NotAnswered."""
        record = self._ask(lambda restored: race_record(restored.engine, race_id))
        return None if record is None else race_results(record)

    def _ask(self, ask: Callable[[Restored], Answer]) -> Answer:
        """Asks the timing thread, and waits for its answer."""
        question = Question(ask)
        self._questions.put(question)
        return question.wait(ANSWER_S)
