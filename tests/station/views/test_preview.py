"""A preview says what a ruling will change, and changes nothing: neither now nor in what comes later."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Refused
from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.views.ruling_effect import preview, ruling_effect, run_snapshot
from tests.station.core.scripted_race import QUICK, Hand, S, moment, only

RULES = RaceRules(method="average", consecutive_laps=2, attempts_per_racer=3)
LATER = moment(900 * S)


def raced() -> Hand:
    """Ann and Ben with a finished run each, and Cem with one that is on; a short lap, a long one, a hand time."""
    hand = Hand(RULES)
    hand.drive((10, 20, 30.5, 40, 60.2), "Ann")
    hand.do(e.FinishRun(author="judge", moment=moment(70 * S)))
    hand.drive((110, 119, 128.2, 130.9, 140), "Ben")
    hand.do(e.FinishRun(author="judge", moment=moment(170 * S)))
    hand.drive((210, 219, 228, 237), "Cem")
    hand.do(e.HandTime(author="judge", moment=moment(round(246.1 * S))))
    hand.cross(255 * S)
    return hand


NUMBERS = st.integers(0, 6)
RUNS = st.sampled_from(["run-1", "run-2", "run-3", ""])
COMMON = {"author": st.just("judge"), "reason": st.just("why"), "moment": st.just(LATER), "run_id": RUNS}
RULINGS = st.one_of(
    st.builds(e.VoidLap, number=NUMBERS, **COMMON),
    st.builds(e.RestoreLap, number=NUMBERS, **COMMON),
    st.builds(e.AddPenalty, number=NUMBERS, seconds=st.sampled_from([0.5, -0.5, 2.0]), **COMMON),
    st.builds(e.DropCrossing, number=NUMBERS, **COMMON),
    st.builds(e.AddCrossing, at_ns=st.sampled_from([15 * S, 125 * S, 215 * S, 246 * S]), **COMMON),
    st.builds(e.HandCrossing, at_ns=st.just(round(246.1 * S)), **COMMON),
    st.builds(e.ReplaceCrossing, number=NUMBERS, witness=st.sampled_from(["gate", "hand"]), **COMMON),
    st.builds(e.ReassignRun, racer=st.sampled_from(["Ann", "Ben", "Dee"]), **COMMON),
    st.builds(e.Disqualify, **COMMON),
    st.builds(e.Reinstate, **COMMON),
    st.builds(e.DismissProposal, at_ns=st.sampled_from([round(130.9 * S), 246 * S]), **COMMON),
    st.builds(e.OffTrack, **COMMON),
    st.builds(e.TakeBack, kind=st.just("off_track"), **COMMON),
)


@QUICK
@given(st.lists(RULINGS, min_size=1, max_size=6))
def test_what_is_previewed_is_what_happens_and_nothing_else_changes(rulings: list[e.Command]) -> None:
    hand = raced()
    for ruling in rulings:
        try:
            told, why = preview(hand.engine, ruling), ""
        except Refused as refusal:
            told, why = None, str(refusal)
        before = run_snapshot(hand.engine, ruling)
        refused = only(hand.do(ruling), f.CommandRefused)
        assert [fact.sentence for fact in refused] == ([why] if why else [])
        if told is not None:
            assert told == ruling_effect(before, run_snapshot(hand.engine, ruling))
    again = Engine()
    assert [again.handle(event) for event in hand.inputs] == hand.facts, "an engine that was never asked"


@pytest.mark.parametrize(
    ("ruling", "sentence"),
    [
        (
            e.AddPenalty(author="judge", number=2, seconds=1.5, run_id="run-1", moment=LATER),
            "Lap 2: 10.500 → 12.000. Score: 9.999, as before. Place: 1, as before.",
        ),
        (
            e.DropCrossing(author="judge", number=3, run_id="run-2", moment=LATER),
            "Laps from 3: 2.700, 9.100 → 11.800. Score: 9.100, as before. Place: 1, as before.",
        ),
        (
            e.ReassignRun(author="judge", racer="Dee", run_id="run-1", moment=LATER),
            "Racer: Ann → Dee. Score: 10.000, as before. Place: 2, as before.",
        ),
        (
            e.Disqualify(author="judge", reason="two batteries", run_id="run-1", moment=LATER),
            "Score: 10.000 → none. Place: 2 → none.",
        ),
    ],
    ids=["penalty", "joined", "reassigned", "disqualified"],
)
def test_the_sentence_names_what_changes(ruling: e.Command, sentence: str) -> None:
    effect = preview(raced().engine, ruling)
    changed = [part.split(":")[0] for part in effect.sentence.split(". ")]
    assert changed == [part.split(":")[0] for part in sentence.split(". ")]


def test_what_is_no_ruling_on_a_run_cannot_be_previewed() -> None:
    hand = raced()
    for command in (e.OpenRun(author="judge", racer="Ann", car="car-1"), e.StopAll(author="judge")):
        with pytest.raises(Refused):
            preview(hand.engine, command)
    with pytest.raises(Refused):
        preview(Hand(RULES).engine, e.VoidLap(author="judge", number=1))


@pytest.mark.slow
def test_with_a_thousand_runs_a_preview_takes_a_few_milliseconds() -> None:
    hand = Hand(RaceRules(method="average", consecutive_laps=3))
    for number in range(1000):
        begin = 100 * number + 10
        hand.drive([begin + 6 * lap for lap in range(11)], f"Racer {number % 200}")
        hand.do(e.FinishRun(author="judge", moment=moment((begin + 90) * S)))
    ruling = e.AddPenalty(author="judge", number=3, seconds=2.0, run_id="run-500", moment=moment(200_000 * S))
    taken = []
    for _ in range(20):
        begun = time.perf_counter()
        preview(hand.engine, ruling)
        taken.append(time.perf_counter() - begun)
    assert sorted(taken)[len(taken) // 2] < 0.020
