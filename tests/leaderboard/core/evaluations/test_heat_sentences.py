"""Why who won a heat, in words; and what a farm may not say of one."""

from dataclasses import replace
from typing import Any

import pytest

from leaderboard.core.evaluations.heat_sentences import heat_sentence, run_sentence
from shared.errors import BadInput
from shared.protocol.farm import decode, encode
from shared.protocol.farm_shows import HeatReport, HeatRun

NAMES = ("Ada", "Ben")
TRACES = ("a" * 64, "b" * 64)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (HeatRun(0, 1, "first_to_finish", TRACES, by_ms=930), "Ben was over the line first, 0.930 s ahead."),
        (HeatRun(0, 0, "first_to_finish", TRACES), "Ada drove all laps, the other one did not."),
        (HeatRun(0, 0, "farther", TRACES, by_mm=2340), "Neither drove all laps: Ada got farther, by 2.34 m."),
        (HeatRun(0, 1, "earlier", TRACES, by_ms=67), "Both got as far: Ben was there first, 0.067 s ahead."),
        (HeatRun(0, None, "level", TRACES), "Level: nobody is ahead."),
    ],
)
def test_a_run_says_who_is_ahead_and_why(run: HeatRun, words: str) -> None:
    assert str(run_sentence(run, NAMES)) == words


@pytest.mark.parametrize(
    ("winners", "through", "words"),
    [
        ((0, 1, 0), 0, "Ada wins: ahead in 2 of 3 runs."),
        ((1, None), 1, "Ben wins: ahead in 1 of 2 runs."),
        ((1,), 1, "Ben wins the only run."),
        ((0, 1), 1, "Ben is through by the better seed: both were ahead in as many runs."),
    ],
)
def test_a_heat_says_who_is_through_and_why(winners: tuple[int | None, ...], through: int, words: str) -> None:
    runs = [HeatRun(0, winner, "level" if winner is None else "farther", TRACES) for winner in winners]
    assert str(heat_sentence(runs, through, NAMES)) == words


AHEAD = HeatRun(0, 0, "farther", TRACES, by_mm=10)
REPORT = HeatReport(0, (None, None), TRACES, "c" * 64, 1, (AHEAD,))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"traces": TRACES[:1]}, "Each trace of a heat's runs is among its traces."),
        ({"runs": (replace(AHEAD, reason="level"),)}, "Nobody is ahead in a run of a heat that is level"),
        ({"runs": (replace(AHEAD, winner=None),)}, "Nobody is ahead in a run of a heat that is level"),
        ({"winner": 1}, "Who is ahead in more runs of a heat wins it"),
        ({"runs": (AHEAD, replace(AHEAD, winner=1))}, "nobody if both are in as many"),
        ({"runs": (replace(AHEAD, by_mm=-1),)}, "runs.0.by_mm"),
        ({"runs": (AHEAD,) * 10}, "at 'runs'"),
    ],
)
def test_a_farm_whose_report_contradicts_itself_is_told_so(changes: dict[str, Any], sentence: str) -> None:
    assert decode(encode(REPORT), HeatReport) == REPORT
    with pytest.raises(BadInput, match=sentence):
        decode(encode(replace(REPORT, **changes)), HeatReport)
