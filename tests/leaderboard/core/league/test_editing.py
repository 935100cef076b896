"""What of a race may change when, and rules that nobody could meet."""

import dataclasses
import itertools
from typing import Any

import pytest

from leaderboard.core.league.editing import MAY_CHANGE, SETTINGS, changed_settings, check_change, check_settings
from shared.errors import Refused
from shared.rules.ranking import RaceRules
from shared.units import NS_PER_S
from tests.leaderboard.sample_races import race

OTHER: dict[str, Any] = {
    "name": "Other",
    "venue": "any",
    "track": "Bowtie",
    "rules": RaceRules(max_laps=9),
    "entry": "registered",
    "opens_utc_ns": 5,
    "closes_utc_ns": 10**18,
    "season_id": "s",
    "event_id": "e",
    "race_type": "object_avoidance",
    "direction": "clockwise",
    "visibility": "private",
    "live": True,
    "one_table": True,
    "zone": "Europe/Berlin",
    "description": "d",
    "picture_sha256": "ab",
    "conditions_sha256": "cd" * 32,
    "attempts_per_day": 5,
    "in_work_per_racer": 1,
    "division": "pro",
}
JUDGED_BY = {"rules", "track", "direction", "race_type", "venue", "one_table", "conditions_sha256", "division"}


def test_every_setting_is_in_the_table() -> None:
    assert set(OTHER) == set(SETTINGS) == set(MAY_CHANGE)


@pytest.mark.parametrize("name", sorted(OTHER))
def test_what_may_change_when(name: str) -> None:
    stages: list[Any] = ["draft", "published", "provisional", "final", "deleted"]
    for stage, results in itertools.product(stages, (0, 1)):
        before = race(stage=stage)
        after = dataclasses.replace(before, **{name: OTHER[name]})
        assert changed_settings(before, after) == (name,)
        check_change(before, before, results)  # nothing changes: nothing to refuse
        if stage not in ("final", "deleted") and (results == 0 or name not in JUDGED_BY):
            check_change(before, after, results)
            continue
        expected = {"final": "are final", "deleted": "restore it first"}.get(stage, "results are in")
        with pytest.raises(Refused, match=expected):
            check_change(before, after, results)


LONG = 3600 * NS_PER_S


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"opens_utc_ns": 10, "closes_utc_ns": 10}, "close before it opens"),
        ({"opens_utc_ns": 0, "closes_utc_ns": 29 * NS_PER_S, "rules": RaceRules(min_lap_s=10)}, "open for 29 s"),
        ({"rules": RaceRules(min_lap_s=10, time_limit_s=29)}, "do not fit into a run of 29 s"),
        ({"rules": RaceRules(min_lap_s=10, time_limit_s=19, at_time_limit="finish_lap")}, "do not fit"),
        ({"one_table": True}, "both venues"),
        ({"conditions_sha256": "ab" * 32}, "no virtual conditions"),
        ({"venue": "any", "conditions_sha256": "a\0b"}, "64 of 0-9"),
        ({"zone": "Mars"}, "no time zone"),
        ({"attempts_per_day": 0}, "1 to 10000"),
        ({"in_work_per_racer": 10_001}, "1 to 10000"),
        ({"description": "x" * 10_001}, "at most 10000"),
        ({"description": "a\u202eb"}, "U\\+202E"),
        ({"description": "a\0b"}, "U\\+0000"),
    ],
)
def test_settings_that_nobody_could_meet_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check_settings(race(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"opens_utc_ns": 0, "closes_utc_ns": LONG},
        {"rules": RaceRules(min_lap_s=10, time_limit_s=30)},
        {"rules": RaceRules(min_lap_s=10, time_limit_s=20, at_time_limit="finish_lap")},
        {"rules": RaceRules(consecutive_laps=1, min_lap_s=600, time_limit_s=10, at_time_limit="finish_lap")},
        {"venue": "any", "one_table": True, "conditions_sha256": "ab" * 32},
        {"description": "# Title\r\n\n- a\tb\n\u2764\ufe0f"},
        {"attempts_per_day": 1, "in_work_per_racer": 10_000},
    ],
)
def test_settings_that_can_be_met_pass(changes: dict[str, Any]) -> None:
    check_settings(race(**changes))
