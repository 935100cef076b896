"""The audit of commands: what each says, what it changed, and that no command is without words."""

import inspect

import pytest

from shared.text import Sentence
from station.core import commands as every_command
from station.core import inputs as e
from station.core.facts import CommandRefused, Fact, ModeChanged
from station.core.moment import Command
from station.views.audit.audit_trail import AuditEntry, AuditTrail
from station.views.audit.command_words import _WORDS
from station.views.command_answers import RulingEffect, RunFigures
from station.views.runs import ruling_words

DONE: tuple[Fact, ...] = (ModeChanged(1, "race", "Ruth"),)
FIGURES = RunFigures("run-1", "Ada", 3, 9_588, True, 9_700, 2)
VOIDED = RunFigures("run-1", "Ada", 3, 9_588, False, None, None)


def lines(*commands: Command) -> list[tuple[str, str, str]]:
    trail = AuditTrail()
    for seq, command in enumerate(commands, 1):
        trail.record(seq, seq, command, DONE, None)
    return [(each.words, each.before, each.after) for each in trail.entries]


def test_every_command_has_words() -> None:
    kinds = {
        kind
        for _, kind in inspect.getmembers(every_command, inspect.isclass)
        if issubclass(kind, Command) and kind is not Command
    }
    missing = {kind.__name__ for kind in kinds} - {kind.__name__ for kind in (*_WORDS, *ruling_words._WORDS)}
    assert missing == set(), "add them to station/views/audit/command_words.py"


def test_a_change_on_file_says_what_it_was_before() -> None:
    assert lines(
        e.AddRacer(author="r", racer="Ada", team="Blue", car="car-1"),
        e.ChangeRacer(author="r", racer="ADA", team="Red"),
        e.CheckIn(author="r", racer="Ada"),
        e.CheckIn(author="r", racer="Ada", present=False),
        e.SetMode(author="r", mode="test"),
        e.SetMode(author="r", mode="race"),
    ) == [
        ("Enter Ada", "", "team: Blue, car: car-1, checked_in: no"),
        ("Change the entry of ADA", "team: Blue", "team: Red"),
        ("Check in Ada", "", "present: yes"),
        ("Undo the check-in of Ada", "present: yes", "present: no"),
        ("Test mode", "", "mode: test"),
        ("Race mode", "mode: test", "mode: race"),
    ]


def test_a_ruling_says_what_it_did_to_the_run() -> None:
    trail = AuditTrail()
    command = e.VoidLap(author="Ruth", device="Tablet", reason="cut the corner", number=3, run_id="run-1")
    trail.record(7, 99, command, DONE, RulingEffect(FIGURES, VOIDED, "…"))
    assert trail.entries == [
        AuditEntry(
            99,
            "Ruth",
            "Tablet",
            "Void lap 3",
            "run-1",
            "lap 3: 9.588, score: 9.700, place 2",
            "lap 3: 9.588 (does not count), no score",
            "cut the corner",
            "",
            7,
        )
    ]
    assert isinstance(trail.entries[0].after, Sentence), "a page in another language has to find its words"


@pytest.mark.parametrize("command", [e.StartRun(author="Ruth"), e.SetMode(author="Ruth", mode="test")])
def test_what_was_refused_changed_nothing(command: Command) -> None:
    trail = AuditTrail()
    trail.record(1, 1, command, (CommandRefused("start", "No run is on."),), None)
    [entry] = trail.entries
    assert (entry.refused, entry.before, entry.after) == ("No run is on.", "", "")
