"""How many submissions a racer has left. A submission is an attempt, so the race's limits of attempts are its limits.

It is counted on the day on which it was submitted. Those that were rejected, failed or cancelled count for nothing.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.attempts import AttemptQuota, AttemptsLeft, check_submission, day_of
from leaderboard.core.race import RaceRecord


@dataclass(frozen=True, slots=True)
class CountedAttempt:
    """A submission that counts, or an attempt that reached the board in another way. `in_work`: not settled yet."""

    at_utc_ns: int
    in_work: bool = False


def submissions_left(counted: Sequence[CountedAttempt], quota: AttemptQuota, now_utc_ns: int) -> AttemptsLeft:
    """How many more may be submitted now, those in work taken off; None: any number."""
    today = day_of(now_utc_ns, quota.zone)
    in_all, on_day = quota.in_all, quota.on(today)
    used_today = sum(day_of(each.at_utc_ns, quota.zone) == today for each in counted) if on_day is not None else 0
    return AttemptsLeft(
        None if in_all is None else max(0, in_all - len(counted)),
        None if on_day is None else max(0, on_day - used_today),
    )


def check_room(
    race: RaceRecord, counted: Sequence[CountedAttempt], quota: AttemptQuota, usual_in_work: int, now_utc_ns: int
) -> None:
    """Check that the racer may submit one more. `usual_in_work`: the limit at once of a race that sets none.

    Raises Refused with the sentence for the racer.
    """
    limited = race
    if race.in_work_per_racer is None:
        limited = dataclasses.replace(race, in_work_per_racer=usual_in_work)
    in_work = sum(each.in_work for each in counted)
    left = submissions_left(counted, quota, now_utc_ns)
    # `check_submission` takes what is in work off by itself, whatever its day.
    before = AttemptsLeft(
        None if left.in_all is None else left.in_all + in_work,
        None if left.on_the_day is None else left.on_the_day + in_work,
    )
    check_submission(limited, before, in_work)
