"""What the machine wrote, as verdicts: also of a machine that hung, died or lied about how it ended."""

import json

import pytest

from tools.metal.results import NOT_ENDED, Verdict, summary, table, verdicts_of
from tools.metal.scenarios import boots, chosen
from tools.metal.suites import SUITES

BOOT = boots([SUITES[0]], chosen(["gpio"]), [SUITES[0]])[0]
GOOD = {"scenario": "gpio", "what": "edges", "is_good": True, "seen": "1000 of 1000"}
BAD = {"scenario": "gpio", "what": "order", "is_good": False, "seen": "3 | backwards\nof 7"}
ENDED = {"scenario": "gpio", "exit_code": 0, "took_s": 12.5, "limit_s": 400, "last_line": "done"}
CRASHED = {**ENDED, "exit_code": 1, "last_line": "ZeroDivisionError"}
TOO_LONG = {**ENDED, "exit_code": None}


def verdict(*records: dict[str, object] | str) -> Verdict:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    return verdicts_of(BOOT, lines)[0]


@pytest.mark.parametrize(
    ("records", "is_good", "fault"),
    [
        ([GOOD, ENDED], True, ""),
        ([{"scenario": "boot", "up_s": 60}, GOOD, ENDED], True, ""),
        ([GOOD, BAD, ENDED], False, ""),
        ([GOOD, CRASHED], False, "it ended with exit code 1: ZeroDivisionError"),
        ([GOOD, TOO_LONG], False, "it took longer than its 400 s"),
        ([GOOD], False, NOT_ENDED),
        ([], False, NOT_ENDED),
        ([GOOD, '{"scenario": "gpio", "exit_co'], False, NOT_ENDED),
        ([{**GOOD, "scenario": "another"}, ENDED], False, "it ended well, but looked at nothing"),
    ],
)
def test_only_a_scenario_that_ended_with_good_checks_is_good(
    records: list[dict[str, object] | str], is_good: bool, fault: str
) -> None:
    found = verdict(*records)
    assert (found.is_good, found.fault) == (is_good, fault)


def test_the_table_has_a_row_for_each_check_and_one_for_the_scenario() -> None:
    assert table([verdict(GOOD, BAD, ENDED)]).split("\n")[2:] == [
        "| debian-12 | gpio | edges | 1000 of 1000 | ok |",
        "| debian-12 | gpio | order | 3 / backwards of 7 | **FAILED** |",
        "| debian-12 | gpio | the scenario | 12 s | **FAILED** |",
    ]
    assert table([verdict(GOOD)]).endswith(f"| debian-12 | gpio | the scenario | {NOT_ENDED} | **FAILED** |")


def test_the_summary_says_what_was_wrong() -> None:
    assert summary([verdict(GOOD, ENDED)]) == "ok     debian-12 gpio         12 s  1 checks"
    assert summary([verdict(BAD, CRASHED)]).endswith(
        "order: 3 / backwards of 7; it ended with exit code 1: ZeroDivisionError"
    )
