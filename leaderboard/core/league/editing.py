"""What of a race may change when, and which rules nobody could meet. Pure; called by league/races.py."""

import dataclasses
import re
import unicodedata
from collections.abc import Mapping
from typing import Literal

from leaderboard.core.league.local_time import check_zone
from leaderboard.core.race import RaceRecord
from shared.errors import Refused
from shared.rules.ranking import RaceRules
from shared.text import Sentence, text
from shared.units import NS_PER_S, seconds_to_ns

MAX_DESCRIPTION = 10_000
MAX_REASON = 500
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# What a person or program sets; the rest of a race are its moves and its identity.
_NO_SETTINGS = (
    "race_id",
    "kind",
    "closed_utc_ns",
    "made_by",
    "stage",
    "owner",
    "series_id",
    "deleted_utc_ns",
    "edition",
)
SETTINGS: tuple[str, ...] = tuple(
    field.name for field in dataclasses.fields(RaceRecord) if field.name not in _NO_SETTINGS
)
When = Literal["until_first_result", "until_final"]
# What is judged by stays as it was once somebody was judged by it.
_BEFORE_RESULTS = ("rules", "track", "direction", "race_type", "venue", "one_table", "conditions_sha256", "division")
MAY_CHANGE: Mapping[str, When] = {
    name: "until_first_result" if name in _BEFORE_RESULTS else "until_final" for name in SETTINGS
}
_NAMES: Mapping[str, Sentence] = {
    "rules": text("The rules"),
    "track": text("The track"),
    "direction": text("The direction"),
    "race_type": text("The race type"),
    "venue": text("The venue"),
    "one_table": text("The common table"),
    "conditions_sha256": text("The virtual conditions"),
    "division": text("The division"),
}


def changed_settings(before: RaceRecord, after: RaceRecord) -> tuple[str, ...]:
    """The names of the settings that differ."""
    return tuple(name for name in SETTINGS if getattr(before, name) != getattr(after, name))


def check_change(before: RaceRecord, after: RaceRecord, results: int) -> None:
    """Check that a race that holds so many results may change so. Raises Refused."""
    changed = changed_settings(before, after)
    if changed and before.stage == "final":
        raise Refused(text("The results are final: an official unlocks them first."))
    if changed and before.stage == "deleted":
        raise Refused(text("The race is deleted: restore it first."))
    fixed = next((name for name in changed if MAY_CHANGE[name] == "until_first_result"), None)
    if fixed is not None and results:
        raise Refused(
            text(
                "{what} can no longer be changed: results are in. Open another race for what is to be different.",
                what=_NAMES[fixed],
            )
        )


def check_settings(race: RaceRecord) -> None:
    """Check settings that do not depend on the race's past: windows, limits, rules that can be met. Raises Refused."""
    opens, closes = race.opens_utc_ns, race.closes_utc_ns
    if opens is not None and closes is not None and opens >= closes:
        raise Refused(text("The race would close before it opens."))
    check_rules(race.rules)
    if opens is not None and closes is not None and closes - opens < shortest_run_ns(race.rules):
        raise Refused(
            text(
                "Nobody could qualify: the race is open for {seconds:g} s, and {laps} laps of {lap:g} s take longer.",
                seconds=(closes - opens) / NS_PER_S,
                laps=race.rules.consecutive_laps,
                lap=race.rules.min_lap_s,
            )
        )
    if race.one_table and race.venue != "any":
        raise Refused(text("Only a race of both venues ranks physical and virtual results in one table."))
    if race.conditions_sha256 and race.venue == "physical":
        raise Refused(text("A physical race has no virtual conditions."))
    if race.conditions_sha256 and _SHA256.fullmatch(race.conditions_sha256) is None:
        raise Refused(text("Virtual conditions are named by their SHA-256: 64 of 0-9 and a-f."))
    check_zone(race.zone)
    for limit in (race.attempts_per_day, race.in_work_per_racer):
        if limit is not None and not 1 <= limit <= 10_000:
            raise Refused(text("A limit of attempts is 1 to 10000, or none."))
    check_description(race.description)


def check_rules(rules: RaceRules) -> None:
    """Refuse a time limit in which the laps that a score needs cannot be driven."""
    if rules.time_limit_s is None:
        return
    # With `finish_lap` the last lap needs only to begin within the limit.
    needed = rules.consecutive_laps - (1 if rules.at_time_limit == "finish_lap" else 0)
    if needed * seconds_to_ns(rules.min_lap_s) > seconds_to_ns(rules.time_limit_s):
        raise Refused(
            text(
                "Nobody could qualify: {laps} laps of at least {lap:g} s do not fit into a run of {seconds:g} s.",
                laps=rules.consecutive_laps,
                lap=rules.min_lap_s,
                seconds=rules.time_limit_s,
            )
        )


def shortest_run_ns(rules: RaceRules) -> int:
    """The shortest time in which a run can qualify."""
    return rules.consecutive_laps * seconds_to_ns(rules.min_lap_s)


def check_reason(why: str) -> str:
    """Return the reason for a change if it can be kept. Raises Refused."""
    if len(why) > MAX_REASON or not why.isprintable():
        raise Refused(text("A reason is one line of at most {max} characters.", max=MAX_REASON))
    return why


def check_description(description: str) -> str:
    """Return a text of several lines if pages can show it. Raises Refused."""
    if len(description) > MAX_DESCRIPTION:
        raise Refused(
            text(
                "The description has {n} characters; at most {max} are allowed.",
                n=len(description),
                max=MAX_DESCRIPTION,
            )
        )
    # Nothing to read (control characters), no text at all (surrogates), or turning what follows (bidirectional marks).
    bad = next((sign for sign in description if _unreadable(sign)), None)
    if bad is not None:
        raise Refused(text("The description holds an invisible character ({code}).", code=f"U+{ord(bad):04X}"))
    return description


def _unreadable(sign: str) -> bool:
    if sign in "\n\r\t\u200d\u200c":  # joiners shape emoji and some scripts
        return False
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co")
