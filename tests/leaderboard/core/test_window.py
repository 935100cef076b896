"""Places and arrows of some lines, from these and their neighbours alone: as from the whole table."""

from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core.rank import BestAttempt
from leaderboard.core.search import folded
from leaderboard.core.window import LastChange, ShownLine, places
from shared.rules.ranking import Scored, rank
from tests.leaderboard.core.plain_standing import moves, standing

SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(9000, 9006), max_size=8)


def lines_of(scores: dict[str, int]) -> dict[str, BestAttempt]:
    return {racer: BestAttempt(racer, ms, ord(racer) % 3, ord(racer), ord(racer), 1) for racer, ms in scores.items()}


@settings(max_examples=60)
@given(SCORES, st.integers(0, 8), st.integers(0, 8), st.integers(0, 4_000_000))
def test_a_window_has_the_places_of_the_whole_table(scores: dict[str, int], start: int, size: int, ns: int) -> None:
    ordered = sorted(lines_of(scores).values(), key=lambda line: line.rank_key)
    timed = [ShownLine(line, ns * (line.seq % 2)) for line in ordered]
    whole = places(timed)
    end = start + size
    ahead = timed[start - 1] if 0 < start <= len(timed) else None
    behind = timed[end] if end < len(timed) else None
    leader_ms = timed[0].line.score_ms if timed else None
    assert places(timed[start:end], start + 1, leader_ms, ahead, behind) == whole[start:end]
    assert [place.rank for place in whole] == list(range(1, len(whole) + 1))


@settings(max_examples=60)
@given(SCORES, st.integers(0, 3_000_000))
def test_with_one_uncertainty_the_places_are_those_of_the_station(scores: dict[str, int], ns: int) -> None:
    lines = lines_of(scores).values()
    stations = rank(Scored(line.racer, line.score_ms, line.set_utc_ns * 1000 + line.order, ns) for line in lines)
    assert standing(lines, {line.seq: ns for line in lines}) == stations


@settings(max_examples=80)
@given(SCORES, SCORES)
def test_arrows_follow_from_the_lines_that_changed(before: dict[str, int], now: dict[str, int]) -> None:
    was, are = lines_of(before), lines_of(now)
    changed = {racer for racer in {*was, *are} if was.get(racer) != are.get(racer)}
    undo = {lines_of({racer: 1})[racer].key: was.get(racer) for racer in changed}
    change = LastChange(undo.values(), [are[racer] for racer in changed & {*are}])
    found: dict[str, int | None] = {}
    for placed in standing(are.values()):
        line = are[placed.racer]
        old = was.get(placed.racer)
        if line.key not in undo:
            found[placed.racer] = change.shift(line.rank_key)
        elif old is None:
            found[placed.racer] = None
        else:
            ahead_now = sum(each.rank_key < old.rank_key for each in are.values())
            found[placed.racer] = change.rank_before(old.rank_key, ahead_now) - placed.rank
    assert found == moves(are.values(), was.values())
    keys = sorted(line.rank_key for line in are.values())
    assert change.shifts(keys) == [change.shift(key) for key in keys]


@given(st.text())
def test_a_folded_name_is_folded_already(name: str) -> None:
    assert folded(folded(name)) == folded(name)
    assert folded(name.upper()) == folded(name) or name.upper().lower() != name.lower()


def test_names_are_found_without_marks_and_case() -> None:
    assert folded("  \u00c9mile   ØRSTED ") == "emile ørsted"
    assert folded("Stra\u00dfe") == folded("STRASSE")
    assert folded("a\0b") == "a b"
