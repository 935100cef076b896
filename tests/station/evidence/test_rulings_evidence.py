"""The protest bundle agrees with runs that other witnesses timed, that were disqualified, or ruled on later."""

import pathlib

import pytest

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.evidence.bundle import make_bundle
from station.evidence.recompute import RecomputedRun, recompute_run
from station.store.journal import Journal, JournalEntry
from tests.station.core.rulings.test_hand_timing import by_hand, finish, tap
from tests.station.core.rulings.test_witness_times import replaced, witnessed
from tests.station.core.scripted_race import Hand, S, moment, only

RULES = RaceRules(method="best_lap", consecutive_laps=1)
LATER = moment(300 * S)


def timed_by_hand() -> Hand:
    hand = by_hand()
    for at_s in (2, 11, 20.1, 29.3):
        tap(hand, at_s)
    hand.cross(round(29.5 * S))
    finish(hand, 40)
    return hand


def with_other_witnesses() -> Hand:
    hand = witnessed()
    replaced(hand, "hand", 2)
    replaced(hand, "car", 3)
    return hand


def disqualified() -> Hand:
    hand = witnessed()
    hand.do(e.Disqualify(author="Ruth", reason="two batteries", moment=LATER))
    return hand


def ruled_on_in_a_later_race() -> Hand:
    hand = witnessed()
    hand.do(e.OpenRace(moment(100 * S), "race-2", "The next race", RULES))
    hand.drive((110, 120, 130), "Ben")
    hand.do(e.FinishRun(author="Ruth", moment=moment(140 * S)))
    hand.do(e.AddPenalty(author="Ruth", number=1, seconds=4.0, run_id="run-1", moment=LATER))
    return hand


def checked(hand: Hand, folder: pathlib.Path) -> RecomputedRun:
    """What a bare recomputation finds of run-1 in the stored journal."""
    journal = Journal(folder / "a.db")
    for event, facts in zip(hand.inputs, hand.facts, strict=True):
        if facts:
            journal.append([JournalEntry(event, facts)])
    found = recompute_run("run-1", journal.records(), "race-1")
    journal.close()
    return found


@pytest.mark.parametrize("raced", [timed_by_hand, with_other_witnesses, disqualified, ruled_on_in_a_later_race])
def test_the_bundle_agrees_with_the_station(raced, tmp_path: pathlib.Path) -> None:  # type: ignore[no-untyped-def]
    hand = raced()
    assert not any(only(facts, f.CommandRefused) for facts in hand.facts)
    found = checked(hand, tmp_path)
    assert found.discrepancies == []
    run = hand.engine.races["race-1"].runs["run-1"]
    assert [lap["lap_ns"] for _, lap in sorted(found.laps.items())] == [lap.lap_ns for lap in run.book.laps()]
    assert found.score_ms == (None if run.score is None else run.score.score_ms)
    sentence = make_bundle(tmp_path / "a.db", "run-1", tmp_path / "a.zip")
    assert sentence.endswith("they prove nothing."), "no discrepancy follows"
