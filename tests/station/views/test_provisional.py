"""The provisional place, and what a run needs to lead: the laps it names do take the lead, and slower ones do not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import METHODS, RaceRules, RunLap, score_run
from station.views.provisional import laps_to_beat, ordinal, provisional
from tests.station.web.sample_views import RULES, RUN, STANDING, VIEW, lap

MS = 1_000_000


def run_lap(number: int, ms: int, **changes: object) -> RunLap:
    return replace(RunLap(number, ms * MS, number), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "laps_ms", "leader_ms", "needs"), [
    ("best_lap", (), 9_412, (3, 9_411)),
    ("best_lap", (9_900, 9_800), 9_412, (1, 9_411)),
    ("average", (9_600, 9_500), 9_412, (1, 9_135)),  # (9.600 + 9.500 + 9.135) / 3 is 9.411
    ("average", (9_900, 9_800), 7_000, (2, 5_599)),  # one lap would have to take 1.3 s
    ("average", (9_600,), 9_412, (2, 9_317)),
    ("average", (), 9_412, (3, 9_411)),
    ("total_time", (9_600, 9_500), 28_000, (1, 8_899)),
    ("total_time", (), 5_000, (0, None)),  # no three laps of at least 2 s
])  # fmt: skip
def test_what_takes_the_lead(method: str, laps_ms: tuple[int, ...], leader_ms: int, needs: tuple[int, int]) -> None:
    rules = RaceRules(method=method, consecutive_laps=3)  # type: ignore[arg-type]
    laps = [run_lap(number, ms) for number, ms in enumerate(laps_ms, 1)]
    assert laps_to_beat(laps, rules, leader_ms) == needs


def test_a_lap_that_does_not_count_begins_no_window_and_the_lap_limit_ends_the_chance() -> None:
    rules = RaceRules(consecutive_laps=3, max_laps=4)
    laps = [run_lap(1, 9_600), run_lap(2, 9_500, valid=False)]
    assert laps_to_beat(laps, rules, 9_412) == (0, None)  # two laps are left
    assert laps_to_beat([*laps[:1], run_lap(2, 9_500)], rules, 9_412) == (1, 9_135)


LAPS = st.lists(st.tuples(st.integers(1_500, 20_000), st.booleans()), max_size=6)


@given(LAPS, st.sampled_from(METHODS), st.integers(1, 4), st.integers(2_500, 60_000), st.integers(0, 999_999))
def test_the_laps_it_names_take_the_lead_and_no_slower_ones_do(
    driven: list[tuple[int, bool]], method: str, size: int, leader_ms: int, ns: int
) -> None:
    rules = RaceRules(method=method, consecutive_laps=size)  # type: ignore[arg-type]
    laps = [run_lap(number, ms, valid=valid) for number, (ms, valid) in enumerate(driven, 1)]
    before = score_run(laps, rules)
    if before is not None and before.score_ms < leader_ms:
        return
    more, lap_ms = laps_to_beat(laps, rules, leader_ms)
    if lap_ms is None:
        return
    ahead = range(len(laps) + 1, len(laps) + 1 + more)
    named = score_run([*laps, *(replace(run_lap(n, lap_ms), lap_ns=lap_ms * MS + ns) for n in ahead)], rules)
    slower = score_run([*laps, *(run_lap(n, lap_ms + 2) for n in ahead)], rules)
    assert named is not None
    assert named.score_ms < leader_ms
    assert method == "best_lap" or slower is None or slower.score_ms >= leader_ms


def test_the_place_beside_the_standings() -> None:
    first = provisional(VIEW, RUN)
    assert (first.place, first.gap_ms, first.improves) == (4, 10_409 - 9_412, False)
    better = provisional(VIEW, replace(RUN, score_ms=9_500))
    assert (better.place, better.gap_ms, better.improves) == (2, 88, True)
    assert better.place_words == "would be 2nd, +0.088"
    leads = provisional(VIEW, replace(RUN, score_ms=9_400))
    assert (leads.place, leads.gap_ms, leads.words) == (1, 0, "would lead")
    same = provisional(VIEW, replace(RUN, score_ms=9_412))
    assert same.place == 2  # the leader set it earlier
    none = provisional(replace(VIEW, standing=()), replace(RUN, score_ms=None, laps=()))
    assert (none.place, none.words) == (None, "")
    running = provisional(VIEW, replace(RUN, score_ms=None, laps=(lap(1, 9_600), lap(2, 9_500))))
    assert running.words == "needs 9.135 to lead"
    own = replace(STANDING[0], racer="Ada Lovelace")
    assert provisional(replace(VIEW, standing=(own, *STANDING[1:3])), RUN).needs_ms is None
    assert RULES.consecutive_laps == 3


def test_places_in_words() -> None:
    assert [str(ordinal(n)) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th",
    ]  # fmt: skip
