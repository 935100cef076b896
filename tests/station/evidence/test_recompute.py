"""The recomputation without the engine agrees with the engine about everything that officials can do."""

import pathlib

import pytest

from shared.rules.ranking import RaceRules
from station.commands.replay import check
from station.core import inputs as e
from station.evidence.recompute import RecomputedRun, recompute_run
from station.store.journal import Journal, JournalEntry
from station.store.journal_reader import JournalReader
from tests.station.core.scripted_race import Hand, S, moment

BEST = RaceRules(method="best_lap", consecutive_laps=1)


def judged(hand: Hand, path: pathlib.Path) -> RecomputedRun:
    journal = Journal(path / "station.db")
    for event, facts in zip(hand.inputs, hand.facts, strict=True):
        if facts:
            journal.append([JournalEntry(event, facts)])
    check(journal)
    journal.close()
    reader = JournalReader(path / "station.db")
    case = recompute_run(hand.run.run_id, reader.records())
    reader.close()
    return case


def finished(hand: Hand) -> Hand:
    hand.do(e.FinishRun(author="judge", moment=moment(90 * S)))
    return hand


def test_a_hand_at_the_start(tmp_path: pathlib.Path) -> None:
    hand = Hand(BEST)
    hand.drive((3, 9, 19, 29.5))
    hand.do(e.DropCrossing(author="judge", reason="a hand", number=0, moment=moment(30 * S)))
    case = judged(finished(hand), tmp_path)
    assert (case.discrepancies, case.score_ms) == ([], 10_000)


@pytest.mark.parametrize("order", ["dismiss", "drop", "leave"])
def test_there_and_back(tmp_path: pathlib.Path, order: str) -> None:
    hand = Hand(BEST)
    hand.drive((10, 20, 22.5, 33))
    finished(hand)
    at = moment(100 * S)
    if order == "dismiss":
        hand.do(e.DismissProposal(author="judge", at_ns=round(22.5 * S), moment=at))
    elif order == "drop":
        hand.do(e.DropCrossing(author="judge", number=2, moment=at))
    case = judged(hand, tmp_path)
    assert case.discrepancies == []
    assert case.score_ms == {"dismiss": 2_500, "drop": 10_000, "leave": 10_000}[order]


def test_an_off_track_that_was_none(tmp_path: pathlib.Path) -> None:
    hand = Hand(RaceRules(method="best_lap", consecutive_laps=1, off_track_penalty_s=2.0))
    hand.drive((10, 20, 32))
    hand.do(e.OffTrack(author="marshal", at_ns=15 * S, moment=moment(33 * S)))
    finished(hand)
    hand.do(e.TakeBack(author="judge", kind="off_track", number=1, moment=moment(95 * S)))
    case = judged(hand, tmp_path)
    assert (case.discrepancies, case.score_ms) == ([], 10_000)


@pytest.mark.parametrize("boot", ["boot-a", "boot-a/gate-1", "gate-boot"])
def test_lap_1_from_the_start_signal(tmp_path: pathlib.Path, boot: str) -> None:
    hand = Hand(RaceRules(method="best_lap", consecutive_laps=1, lap_1_from="signal"))
    shift = 1_000 * S if boot == "gate-boot" else 0
    hand.do(e.ClockPair(e.Moment(boot, shift, moment(0).utc_ns)))
    hand.open()
    hand.go(5 * S)
    for at_s in (14, 26):
        hand.cross(at_s * S + shift, boot=boot)
    case = judged(finished(hand), tmp_path)
    assert (case.discrepancies, case.score_ms) == ([], 9_000)
