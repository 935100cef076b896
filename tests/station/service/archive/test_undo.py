"""Undo: the author's last own act by a counter-ruling of its own, found again by stamp, also after a power cut."""

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Refused
from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.service.archive.run_index import RunIndex
from station.views.command_answers import Accepted, Declined
from tests.station.core.scripted_race import QUICK, Hand, S, moment, only
from tests.station.service.station_rig import Rig

RULES = RaceRules(method="best_lap", consecutive_laps=1)


class RuledRace(Hand):
    """A scripted race whose commands are also recorded in the index, as the station does."""

    def __init__(self) -> None:
        self.index = RunIndex()
        super().__init__(RULES)

    def do(self, event: e.Input) -> tuple[f.Fact, ...]:
        self.inputs.append(event)
        handled = self.index.handled(self.engine, event)
        self.facts.append(handled.facts)
        self.index.record(self.engine, len(self.inputs), event, handled)
        return handled.facts

    def undo(self, author: str = "Ruth") -> tuple[f.Fact, ...]:
        request = e.UndoLast(author=author, device="tablet", moment=moment(900 * S))
        return self.do(self.index.acts.undo(self.engine, request))


def raced() -> RuledRace:
    """Four laps of 10 s, with a hand time 0.2 s after the second; the run is over."""
    hand = RuledRace()
    hand.drive((10, 20, 30))
    hand.do(e.HandTime(author="Ruth", moment=moment(30 * S + S // 5)))
    hand.do(e.OffTrack(author="Sam", moment=moment(35 * S)))
    hand.cross(40 * S)
    hand.cross(50 * S)
    hand.do(e.FinishRun(author="Sam", moment=moment(60 * S)))
    return hand


AT = moment(100 * S)
WHO = {"author": "Ruth", "reason": "seen", "moment": AT}
ACTS = [
    e.VoidLap(number=2, **WHO),  # type: ignore[arg-type]
    e.AddPenalty(number=2, seconds=1.5, **WHO),  # type: ignore[arg-type]
    e.AddCrossing(at_ns=25 * S, **WHO),  # type: ignore[arg-type]
    e.DropCrossing(number=2, **WHO),  # type: ignore[arg-type]
    e.DropCrossing(number=0, **WHO),  # type: ignore[arg-type]
    e.ReplaceCrossing(number=2, witness="hand", **WHO),  # type: ignore[arg-type]
    e.ReassignRun(racer="Ben", **WHO),  # type: ignore[arg-type]
    e.Disqualify(**WHO),  # type: ignore[arg-type]
]


def worth(hand: Hand) -> object:
    laps = [(lap.lap_ns, lap.source, lap.valid, lap.penalty_ns, lap.off_tracks) for lap in hand.laps]
    return laps, hand.run.racer, hand.run.score, hand.engine.race and hand.engine.race.standings.lines()


@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{type(act).__name__}-{getattr(act, 'number', '')}")
def test_each_kind_of_ruling_is_undone_by_a_ruling_of_its_own(act: e.Command) -> None:
    hand = raced()
    before = worth(hand)
    assert not only(hand.do(act), f.CommandRefused)
    assert worth(hand) != before
    seq = len(hand.inputs)
    assert not only(hand.undo(), f.CommandRefused)
    assert worth(hand) == before
    counter = hand.inputs[-1]
    assert isinstance(counter, e.Command)
    assert (counter.author, counter.device, counter.undoes) == ("Ruth", "tablet", seq)
    assert counter.reason == f"undo of record {seq} (seen)"
    rulings = hand.index.rulings("run-1", "race-1")
    assert [(each.undone_by, each.undoes) for each in rulings[-2:]] == [(seq + 1, 0), (0, seq)], "both stay visible"


def test_an_incident_is_undone_while_the_run_is_on_and_so_is_taking_it_back() -> None:
    hand = RuledRace()
    hand.drive((10, 20))
    hand.do(e.Collision(author="Ruth", moment=moment(25 * S)))
    hand.cross(30 * S)
    hand.do(e.TakeBack(author="Sam", kind="collision", moment=moment(31 * S)))
    hand.undo("Sam")
    assert [lap.collisions for lap in hand.laps] == [0, 1]
    hand.undo()
    assert [lap.collisions for lap in hand.laps] == [0, 0]


def test_only_ones_own_acts_are_undone_one_after_the_other() -> None:
    hand = raced()
    hand.do(e.VoidLap(author="Ruth", number=1, moment=AT))
    hand.do(e.AddPenalty(author="ruth", number=2, seconds=1.0, moment=AT))
    hand.do(e.VoidLap(author="Sam", number=3, moment=AT))
    hand.undo()
    assert [lap.penalty_ns for lap in hand.laps] == [0] * 4
    hand.undo()
    assert [lap.valid for lap in hand.laps] == [True, True, False, True]
    with pytest.raises(Refused, match="nothing that could be undone"):
        hand.undo()
    listed = hand.index.acts.last(hand.engine, "Ruth")
    assert [(each.words, each.undone) for each in listed] == [("Penalty +1 s in lap 2", True), ("Void lap 1", True)]


def test_a_void_is_undone_at_its_lap_although_the_numbers_have_moved() -> None:
    hand = raced()
    hand.do(e.VoidLap(author="Ruth", number=3, moment=AT))
    hand.do(e.AddCrossing(author="Sam", at_ns=15 * S, moment=AT))
    assert [lap.valid for lap in hand.laps] == [True, True, True, False, True]
    hand.undo()
    assert all(lap.valid for lap in hand.laps)


def test_what_cannot_be_undone_any_more_says_so() -> None:
    hand = raced()
    hand.do(e.VoidLap(author="Ruth", number=3, moment=AT))
    hand.do(e.DropCrossing(author="Sam", number=2, moment=AT))
    with pytest.raises(Refused, match="Void lap 3"):
        hand.undo()
    assert "cannot be undone" in hand.index.acts.last(hand.engine, "Ruth")[0].why_not


@QUICK
@given(st.lists(st.sampled_from(ACTS), min_size=1, max_size=6))
def test_undoing_everything_gives_the_run_as_it_was(acts: list[e.Command]) -> None:
    hand = raced()
    before = worth(hand)
    done = [act for act in acts if not only(hand.do(act), f.CommandRefused)]
    for _ in done:
        try:
            facts = hand.undo()
        except Refused:
            return  # an act that has no counter-ruling now, such as a void of what was void before
        if only(facts, f.CommandRefused):
            return
    assert worth(hand) == before


def test_at_the_station_undo_is_a_command_and_survives_a_power_cut(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path / "station.db", RULES)
    rig.open()
    rig.go()
    for _ in range(4):
        rig.cross(9.0)
    assert isinstance(rig.give(e.FinishRun(author="Sam")), Accepted)
    assert isinstance(rig.give(e.VoidLap(author="Ruth", device="tablet", number=1, reason="cut")), Accepted)
    assert isinstance(rig.give(e.UndoLast(author="Sam")), Declined)
    rig.restart()
    rig.settle()
    undone = rig.give(e.UndoLast(author="Ruth", device="desk"))
    assert isinstance(undone, Accepted)
    assert undone.effect is not None
    assert undone.effect.after.lap_counts
    assert isinstance(rig.give(e.UndoLast(author="Ruth")), Declined), "it was the only one"
    record = list(rig.station.journal.records())[-1]
    assert record.input.startswith(b'["RestoreLap"')
    assert b'"device":"desk"' in record.input
