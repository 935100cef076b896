"""How each attempt of a racer stands: ranked, unqualified, refused beyond a quota, withdrawn, or disqualified; and why.

Called by acceptance.py and rescoring.py. It depends on the set of the racer's attempts alone, never on the order in
which they arrived: quotas are counted by when the runs were finished, so one that comes late may put another beyond.
"""

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from leaderboard.core.race import RaceRecord
from leaderboard.core.rank import Attempt
from leaderboard.core.states import AttemptState
from shared.errors import Refused
from shared.rules.ranking import RaceRules, RunLap, Score, successful
from shared.text import Sentence, ntext, text
from shared.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class AttemptVerdict:
    """How a result stands by itself, before quotas and rulings. `score_ms` None unless it is ranked."""

    state: AttemptState
    reason: str = ""
    score_ms: int | None = None


@dataclass(frozen=True, slots=True)
class AttemptQuota:
    """How many attempts of a racer count in one table of a race; None: any number.

    `per_day` counts by the days of `zone`. `given_back`: by day (ISO) what an official gave back to this racer; it
    raises the quota of that day, and the whole one.
    """

    per_racer: int | None = None
    per_day: int | None = None
    zone: str = "UTC"
    given_back: Mapping[str, int] = field(default_factory=dict)

    @property
    def in_all(self) -> int | None:
        """How many count in the whole race, with those given back."""
        return None if self.per_racer is None else self.per_racer + sum(self.given_back.values())

    def on(self, day: str) -> int | None:
        """How many count on this day, with those given back."""
        return None if self.per_day is None else self.per_day + self.given_back.get(day, 0)


@dataclass(frozen=True, slots=True)
class AttemptsLeft:
    """How many attempts a racer has left: in the whole race, and on the day in question; None: any number."""

    in_all: int | None
    on_the_day: int | None


_NOTHING: Mapping[str, int] = MappingProxyType({})


def quota_of(race: RaceRecord, given_back: Mapping[str, int] = _NOTHING) -> AttemptQuota:
    """The quota of this race for a racer to whom this was given back."""
    return AttemptQuota(race.rules.attempts_per_racer, race.attempts_per_day, race.zone, given_back)


def day_of(at_utc_ns: int, zone: str) -> str:
    """The day of a time in an IANA time zone, as ISO text."""
    return datetime.fromtimestamp(at_utc_ns // NS_PER_S, UTC).astimezone(_zone(zone)).date().isoformat()


@functools.lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def settle(attempts: Iterable[Attempt], quota: AttemptQuota) -> list[Attempt]:
    """All attempts of one racer in one table with the state and reason that each has now, the earliest run first.

    A run that officials took out (`discarded`) uses up no quota. One that lost its score, made none or was disqualified
    does: it was driven.
    """
    used, used_on = 0, Counter[str]()
    settled = []
    for attempt in sorted(attempts, key=lambda each: (each.finished_utc_ns, each.order)):
        beyond = None
        if not attempt.discarded:
            day = "" if quota.per_day is None else day_of(attempt.finished_utc_ns, quota.zone)
            beyond = _beyond(quota, used, day, used_on[day])
            used, used_on[day] = (used + 1, used_on[day] + 1) if beyond is None else (used, used_on[day])
        settled.append(_stands(attempt, beyond))
    return settled


def left(attempts: Iterable[Attempt], quota: AttemptQuota, now_utc_ns: int) -> AttemptsLeft:
    """How many attempts the racer has left now."""
    counting = [each for each in settle(attempts, quota) if not each.discarded and each.state != "refused"]
    today = "" if quota.per_day is None else day_of(now_utc_ns, quota.zone)
    in_all, on_day = quota.in_all, quota.on(today)
    used = 0 if on_day is None else sum(day_of(each.finished_utc_ns, quota.zone) == today for each in counting)
    return AttemptsLeft(
        None if in_all is None else max(0, in_all - len(counting)),
        None if on_day is None else max(0, on_day - used),
    )


def check_submission(race: RaceRecord, remaining: AttemptsLeft, in_work: int) -> None:
    """Refuse a submission that no quota of the race has room for; `in_work`: the racer's that are not settled yet.

    Each of those will be an attempt too. Raises Refused with the sentence for the racer.
    """
    if race.in_work_per_racer is not None and in_work >= race.in_work_per_racer:
        raise Refused(
            ntext(
                "{n} submission of yours is in work in this race: wait until it is done.",
                "{n} submissions of yours are in work in this race: wait until one is done.",
                n=in_work,
            )
        )
    if remaining.in_all is not None and remaining.in_all <= in_work:
        raise Refused(text("You have no attempts left in this race."))
    if remaining.on_the_day is not None and remaining.on_the_day <= in_work:
        raise Refused(text("You have no attempts left in this race today: try again tomorrow."))


def judged(laps: Sequence[RunLap], score: Score | None, rules: RaceRules) -> AttemptVerdict:
    """A run's verdict by its laps alone: ranked with its score, or unqualified and why."""
    if score is None:
        return AttemptVerdict("unqualified", why_unqualified(laps, rules))
    return AttemptVerdict("ranked", "", score.score_ms)


def why_unqualified(laps: Sequence[RunLap], rules: RaceRules) -> Sentence:
    """How far a run without a score came: "2 of 3 laps in a row"."""
    counted = laps if rules.max_laps is None else laps[: rules.max_laps]
    if not counted:
        return text("no lap")
    longest = _longest_in_a_row(counted, rules)
    if rules.consecutive_laps == 1 or longest == 0:
        return text("no lap that counts")
    return text("{n} of {needed} laps in a row", n=longest, needed=rules.consecutive_laps)


def _longest_in_a_row(laps: Sequence[RunLap], rules: RaceRules) -> int:
    longest = in_a_row = before = 0
    for lap in laps:
        if not successful(lap, rules):
            in_a_row = 0
            continue
        in_a_row = in_a_row + 1 if in_a_row and lap.number == before + 1 else 1
        before, longest = lap.number, max(longest, in_a_row)
    return longest


def _beyond(quota: AttemptQuota, used: int, day: str, used_on_day: int) -> Sentence | None:
    """Beyond which quota one more attempt would be; None if it counts."""
    in_all, on_day = quota.in_all, quota.on(day)
    if in_all is not None and used >= in_all:
        return ntext("beyond the {n} attempt of this race", "beyond the {n} attempts of this race", n=in_all)
    if on_day is not None and used_on_day >= on_day:
        return ntext("beyond the {n} attempt of {day}", "beyond the {n} attempts of {day}", n=on_day, day=day)
    return None


def _stands(attempt: Attempt, beyond: Sentence | None) -> Attempt:
    state, reason = attempt.verdict, attempt.verdict_reason
    if attempt.discarded:
        state, reason = "withdrawn", text("taken out by the officials at the track")
    elif beyond is not None:
        state, reason = "refused", beyond
    elif attempt.disqualified_for is not None:
        state, reason = "disqualified", attempt.disqualified_for
    elif state == "ranked" and attempt.score_ms is None:
        state, reason = "withdrawn", ""
    return dataclasses.replace(attempt, state=state, reason=str(reason))
