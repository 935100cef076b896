"""A node that drives wrongly is found, whatever it does to the trace; nodes that drive alike are left in peace."""

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core.evaluations.agreement import REPEAT_EACH, Judgement, class_of, judge, repeat_is_due


def drive(seed: int, fault: str = "") -> str:
    """The trace of a run by this seed: laps of it, hashed. `fault`: what the node does wrongly."""
    drawn = random.Random(seed + (fault == "another seed"))
    laps = [drawn.randrange(8000, 12000) - (fault == "times shortened") for _ in range(3)]
    return hashlib.sha256(repr(laps).encode()).hexdigest()


def evaluations_until_found(number: int, fault: str) -> int:
    """A farm of some nodes, one planted; how many evaluations that one has driven when it is set aside."""
    drawn = random.Random(number)
    nodes = [f"node-{each}" for each in range(drawn.randrange(3, 9))]
    planted, secret = drawn.choice(nodes), drawn.randbytes(16).hex()
    counts, repeated = dict.fromkeys(nodes, 0), dict.fromkeys(nodes, 0)
    doubtful: list[tuple[int, dict[str, str]]] = []  # a run to repeat, with the traces that there are
    while True:
        node = drawn.choice(nodes)
        waiting = next((each for each in doubtful if node not in each[1]), None)
        seed, traces = waiting or (drawn.randrange(2**48), {})
        traces[node] = drive(seed, fault if node == planted else "")
        counts[node] += 1
        if waiting is None:
            if repeat_is_due(secret, node, counts[node], repeated[node]):
                repeated[node] = counts[node]
                doubtful.append((seed, traces))
            continue
        judgement = judge(traces)
        if judgement.kind == "ask":
            continue
        doubtful.remove(waiting)
        assert judgement.wrong <= {planted}, "a node that drives rightly is never set aside"
        if judgement.wrong:
            return counts[planted]


@pytest.mark.parametrize("fault", ["times shortened", "another seed"])
def test_a_planted_node_is_found_within_100_evaluations_in_100_of_100_tries(fault: str) -> None:
    found = [evaluations_until_found(number, fault) for number in range(100)]
    assert max(found) <= 2 * REPEAT_EACH, sorted(found)[-5:]


@settings(max_examples=15)
@given(st.text(max_size=8), st.text(max_size=8), st.integers(0, 5))
def test_one_in_each_fifty_is_repeated(secret: str, node: str, absent_blocks: int) -> None:
    repeated_at, repeats = 0, []
    for count in range(1, 10 * REPEAT_EACH + 1):
        due = repeat_is_due(secret, node, count, repeated_at)
        if due and count > absent_blocks * REPEAT_EACH:  # before, nobody was there who could
            repeated_at = count
            repeats.append((count - 1) // REPEAT_EACH)
    assert repeats == list(range(absent_blocks, 10)), "once in each block, from the first in which somebody could"


def test_which_one_is_repeated_cannot_be_told_without_the_secret() -> None:
    def first(secret: str) -> int:
        return next(count for count in range(1, REPEAT_EACH + 1) if repeat_is_due(secret, "n", count, 0))

    assert len({first(f"secret {number}") for number in range(200)}) > 40


def test_what_most_have_and_at_least_two_is_right() -> None:
    assert judge({"a": "x", "b": "x"}) == Judgement("agree", "x")
    assert judge({"a": "x", "b": "y"}) == Judgement("ask")
    assert judge({"a": "x", "b": "y", "c": "z"}) == Judgement("ask")
    assert judge({"a": "x", "b": "y", "c": "y"}) == Judgement("differ", "y", frozenset("a"))
    assert judge({"a": "x", "b": "x", "c": "y", "d": "y"}) == Judgement("ask")
    assert judge({"a": "x", "b": "y", "c": "y", "d": "z"}) == Judgement("ask")
    assert judge({"a": "x", "b": "y", "c": "y", "d": "z", "e": "y"}) == Judgement("differ", "y", frozenset("ad"))
    assert class_of("ab" * 32) == "ab" * 6
