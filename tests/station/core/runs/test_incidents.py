"""Incidents that an official counted by mistake are taken back: off-track, collision and reset, each with a record."""

from dataclasses import replace

import pytest

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from tests.station.core.scripted_race import Hand, S, moment, only

RULES = RaceRules(method="best_lap", consecutive_laps=1, off_track_penalty_s=2.0, collision_penalty_s=3.0)
SEEN: dict[str, type[e.OffTrack | e.Collision | e.CarReset]] = {
    "off_track": e.OffTrack,
    "collision": e.Collision,
    "reset": e.CarReset,
}


def raced(kind: str, at_s: float = 12) -> Hand:
    """A run in lap 2 after lap 1 (from 2 s to 12 s), with one incident of this `kind` at that time."""
    hand = Hand(RULES)
    hand.drive((2, 12, 23))
    hand.do(SEEN[kind](author="marshal", at_ns=round(at_s * S), moment=moment(24 * S)))
    return hand


def back(hand: Hand, kind: str, number: int | None = None, at_s: float = 40) -> tuple[f.Fact, ...]:
    at, why = moment(round(at_s * S)), "the wheel was in"
    return hand.do(e.TakeBack(author="judge", reason=why, kind=kind, number=number, moment=at))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", SEEN)
def test_one_that_was_pressed_late_counts_in_the_lap_before(kind: str) -> None:
    hand = Hand(RULES)
    hand.drive((2, 12, 23))
    before = SEEN[kind](author="marshal", number=2, moment=moment(24 * S))
    hand.do(before)
    assert (sum(counts(hand, 1)), sum(counts(hand, 2))) == (0, 1)
    for number in (0, 4):
        [refused] = only(hand.do(replace(before, number=number)), f.CommandRefused)
        assert refused.sentence == f"Run run-1 has no lap {number}."
    hand.check_replay()


def counts(hand: Hand, number: int) -> tuple[int, int, int]:
    lap = hand.laps[number - 1]
    return lap.off_tracks, lap.collisions, lap.resets


@pytest.mark.parametrize("kind", SEEN)
def test_each_can_be_taken_back_with_author_and_reason(kind: str) -> None:
    hand = raced(kind, 5)
    assert sum(counts(hand, 1)) == 1
    facts = back(hand, kind, 1)
    assert counts(hand, 1) == (0, 0, 0)
    [taken] = only(facts, f.IncidentTakenBack)
    assert (taken.kind, taken.number, taken.author, taken.reason) == (kind, 1, "judge", "the wheel was in")
    assert "taken back: the wheel was in" in only(facts, f.LapAdjusted)[0].lap.reason


def test_without_a_number_the_newest_goes() -> None:
    hand = raced("off_track", 5)
    hand.do(e.OffTrack(author="marshal", at_ns=15 * S, moment=moment(24 * S)))
    back(hand, "off_track")
    assert (counts(hand, 1)[0], counts(hand, 2)[0]) == (1, 0)
    back(hand, "off_track")
    assert (counts(hand, 1)[0], counts(hand, 2)[0]) == (0, 0)
    assert "has no off track" in only(back(hand, "off_track"), f.CommandRefused)[0].sentence


@pytest.mark.parametrize("number", [2, 9, 0, -1])
def test_a_lap_without_one_has_none_to_take_back(number: int) -> None:
    hand = raced("collision", 5)
    assert (
        "has no collision that could be taken back"
        in only(back(hand, "collision", number), f.CommandRefused)[0].sentence
    )
    assert counts(hand, 1) == (0, 1, 0)


def test_in_the_lap_that_is_on_and_after_the_run() -> None:
    hand = raced("off_track", 24)
    back(hand, "off_track", 3, 25)
    assert hand.run.book.segments[2].off_tracks == 0
    hand.do(e.OffTrack(author="marshal", at_ns=5 * S, moment=moment(26 * S)))
    posted = only(hand.do(e.FinishRun(author="judge", moment=moment(30 * S))), f.ResultDue)[0].result
    assert posted.score_ms == 11_000
    [again] = only(back(hand, "off_track", 1), f.ResultDue)
    assert (again.result.score_ms, again.result.revision) == (10_000, 2)
