"""Theirs against ours: what differs is named, what cannot be seen is not guessed."""

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol.results import Result
from station.sync.operator.reconciliation import ShownScore, compare, shown_scores
from tests.station.sync.sample_results import result


def _ours(name: str, score_ms: int, revision: int = 1, racer: str = "Ada") -> Result:
    return dataclasses.replace(result(name, revision, racer), score_ms=score_ms)


def _row(name: str, score_ms: int, revision: int = 1, racer: str = "Ada") -> ShownScore:
    return ShownScore(racer, score_ms, name, revision)


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ([_ours("a", 9000)], [_row("a", 9000)], []),
        ([_ours("a", 9000), _ours("b", 9500)], [_row("a", 9000)], []),
        ([_ours("a", 9000)], [_row("elsewhere", 8000)], []),
        ([_ours("a", 9000, racer="ADA")], [_row("a", 9000)], []),
        ([_ours("a", 0, 2)], [], []),
        ([], [_row("elsewhere", 8000)], []),
        ([_ours("a", 9000)], [], ["Ada is not in the standing there."]),
        ([_ours("a", 9000, 3)], [_row("a", 9100, 1)], ["a is of revision 1 there, 3 here"]),
        ([_ours("a", 9000)], [_row("a", 9100)], ["a is 9.100 s there, 9.000 s here"]),
        ([_ours("a", 9000)], [_row("elsewhere", 9100)], ["9.000 s here is better than 9.100 s there"]),
        ([_ours("a", 0, 2)], [_row("a", 9000)], ["a is withdrawn here, and counts there"]),
        ([_ours("a", 0, 2), _ours("b", 9500)], [_row("a", 9000)], ["a is of revision 1 there, 2 here"]),
    ],
)
def test_what_differs(ours: list[Result], theirs: list[ShownScore], words: list[str]) -> None:
    found = compare("race-1", ours, theirs)
    assert len(found.differences) == len(words)
    for sentence, word in zip(found.differences, words, strict=True):
        assert word in sentence


def test_other_races_and_others_rows_are_counted_apart() -> None:
    found = compare("race-1", [_ours("a", 9000), dataclasses.replace(_ours("x", 1), race_id="other")], [
        _row("a", 9000), _row("b", 9500, racer="Bo"),
    ])  # fmt: skip
    assert (found.ours, found.theirs, found.others, found.differences) == (1, 2, 1, ())


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 99)), max_size=20), st.randoms(use_true_random=False))
def test_a_leaderboard_that_ranks_our_results_never_differs(runs: list[tuple[str, int]], rng: random.Random) -> None:
    ours = [_ours(f"run-{number}", score, racer=racer) for number, (racer, score) in enumerate(runs)]
    best: dict[str, Result] = {}
    for each in sorted(ours, key=lambda one: one.score_ms):
        best.setdefault(each.racer, each)
    rows = [_row(each.result_id, each.score_ms, racer=each.racer) for each in best.values()]
    rng.shuffle(ours)
    assert compare("race-1", ours, rows).differences == ()


@pytest.mark.parametrize("rows", [None, {}, [1], [{}], [{"racer": "A"}], [{"racer": "A", "score_ms": True}], "x"])
def test_rows_that_are_no_standing(rows: object) -> None:
    assert shown_scores(rows) is None


def test_rows_of_a_vendor_without_ids_are_read() -> None:
    assert shown_scores([{"racer": "A", "score_ms": 5}]) == [ShownScore("A", 5, "", 0)]
