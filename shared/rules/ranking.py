"""Ranking: scores of runs and places of racers, by the rules of a race. Pure; used by station and leaderboard alike.

A run is a list of laps; a lap carries the penalty seconds of what happened in it. A score is in
milliseconds, truncated after all sums (subtract and add first, then truncate). Lower is better.

  best_lap     the best successful lap inside a qualifying window
  average      the mean of the best window of `consecutive_laps` successful laps in a row
  total_time   the sum of the best window of `consecutive_laps` successful laps in a row

A run without such a window does not qualify. Equal scores: the earlier one to set the score ranks first.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from shared.errors import ConfigError
from shared.units import NS_PER_MS, seconds_to_ns

Method = Literal["average", "best_lap", "total_time"]
METHODS: tuple[Method, ...] = ("average", "best_lap", "total_time")
Lap1 = Literal["line", "signal"]
AtLimit = Literal["stop", "finish_lap"]


@dataclass(frozen=True, slots=True)
class RaceRules:
    """What a race is ranked by. Ranges are checked by `check_rules`.

    `lap_1_from`: where lap 1 (and the time limit) begins: at the first crossing of the line after the start was given,
    or with the start signal itself. `at_time_limit`: the run stops at once, or its lap in progress still counts.
    """

    method: Method = "average"  # of the best window of laps: its average, its best lap, or its total time
    consecutive_laps: int = 3  # successful laps in a row that make a score, 1 to 10
    max_laps: int | None = None  # a run ends after this many laps, 1 to 1000
    time_limit_s: float | None = None  # a run ends after this time, 10 to 7200
    off_track_penalty_s: float = 0.0  # added to the lap for each time off the track, 0 to 600
    collision_penalty_s: float = 0.0  # added to the lap for each collision, 0 to 600
    max_resets_per_lap: int | None = None  # a lap with more resets does not count, 0 to 10000
    attempts_per_racer: int | None = None  # runs that a racer may post, 1 to 10000
    min_lap_s: float = 2.0  # a crossing sooner than this after the last one is not a lap
    lap_1_from: Lap1 = field(default="line", metadata={"later": True})  # where lap 1 begins: line or start signal
    at_time_limit: AtLimit = field(default="stop", metadata={"later": True})  # or its lap in progress still counts


# name -> (lowest, highest); None is allowed where the field's default is None.
_RANGES: dict[str, tuple[float, float]] = {
    "consecutive_laps": (1, 10),
    "max_laps": (1, 1000),
    "time_limit_s": (10, 7200),
    "off_track_penalty_s": (0, 600),
    "collision_penalty_s": (0, 600),
    "max_resets_per_lap": (0, 10_000),
    "attempts_per_racer": (1, 10_000),
    "min_lap_s": (0.1, 600),
}


def check_rules(rules: RaceRules) -> RaceRules:
    """The rules, or ConfigError with the sentence that names the rule and what is allowed."""
    if rules.method not in METHODS:
        raise ConfigError(f"rule `method` is {rules.method!r}; allowed are {', '.join(METHODS)}.")
    for name, allowed in (("lap_1_from", get_args(Lap1)), ("at_time_limit", get_args(AtLimit))):
        if getattr(rules, name) not in allowed:
            raise ConfigError(f"rule `{name}` is {getattr(rules, name)!r}; allowed are {', '.join(allowed)}.")
    for name, (lowest, highest) in _RANGES.items():
        value = getattr(rules, name)
        if value is not None and not lowest <= value <= highest:
            raise ConfigError(f"rule `{name}` is {value}; allowed is {lowest} to {highest}.")
    if rules.max_laps is not None and rules.max_laps < rules.consecutive_laps:
        raise ConfigError(
            f"rule `max_laps` is {rules.max_laps}, less than `consecutive_laps` {rules.consecutive_laps}: "
            "no run could qualify."
        )
    return rules


@dataclass(frozen=True, slots=True)
class RunLap:
    """One lap as it counts. `ended_ns` orders laps (any one clock of the run); `valid` False breaks a window."""

    number: int
    lap_ns: int
    ended_ns: int
    off_tracks: int = 0
    collisions: int = 0
    resets: int = 0
    penalty_ns: int = 0
    valid: bool = True


@dataclass(frozen=True, slots=True)
class Score:
    """A qualified run: the window that made the score, and when it was set (same clock as `ended_ns`)."""

    score_ms: int
    first_lap: int
    last_lap: int
    set_ns: int


@dataclass(frozen=True, slots=True)
class Scored:
    """One racer's best for a standing; `set_key` orders equal scores: the earlier one ranks first.

    `uncertainty_ns` of the timing behind it, either way.
    """

    racer: str
    score_ms: int
    set_key: int = 0
    uncertainty_ns: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """A line of a standing. Ranks run 1..n; `gap_ms` is to the leader, `interval_ms` to the one ahead.

    `tied`: some other line is so close that the uncertainties of both cannot tell them apart.
    """

    rank: int
    racer: str
    score_ms: int
    gap_ms: int
    interval_ms: int
    tied: bool = False
    uncertainty_ns: int = field(default=0, metadata={"later": True})


def lap_time_ns(lap: RunLap, rules: RaceRules) -> int:
    """The lap as it counts: the time on the track and the penalties of what happened in it."""
    if not (lap.off_tracks or lap.collisions):
        return lap.lap_ns + lap.penalty_ns
    off_track = lap.off_tracks * seconds_to_ns(rules.off_track_penalty_s)
    collision = lap.collisions * seconds_to_ns(rules.collision_penalty_s)
    return lap.lap_ns + off_track + collision + lap.penalty_ns


def successful(lap: RunLap, rules: RaceRules) -> bool:
    """Valid, long enough to be a lap, and not reset more often than the race allows."""
    allowed = rules.max_resets_per_lap is None or lap.resets <= rules.max_resets_per_lap
    return lap.valid and allowed and lap.lap_ns >= seconds_to_ns(rules.min_lap_s)


def successful_laps(laps: Iterable[RunLap], rules: RaceRules) -> list[tuple[int, int]]:
    """Of each successful lap, in their order: its time as it counts, and when it ended; both in ns."""
    return [(lap_time_ns(lap, rules), lap.ended_ns) for lap in laps if successful(lap, rules)]


def windows(laps: Sequence[RunLap], rules: RaceRules) -> Iterable[Sequence[RunLap]]:
    """Every stretch of `consecutive_laps` successful laps in a row, within the race's lap limit."""
    counted = laps if rules.max_laps is None else laps[: rules.max_laps]
    size, in_a_row, before = rules.consecutive_laps, 0, 0
    shortest_ns, resets = seconds_to_ns(rules.min_lap_s), rules.max_resets_per_lap
    for end, lap in enumerate(counted, 1):
        if not lap.valid or lap.lap_ns < shortest_ns or (resets is not None and lap.resets > resets):
            in_a_row = 0
            continue
        in_a_row = in_a_row + 1 if in_a_row and lap.number == before + 1 else 1
        before = lap.number
        if in_a_row >= size:
            yield counted[end - size : end]


def score_run(laps: Sequence[RunLap], rules: RaceRules) -> Score | None:
    """The run's score, or None if it did not qualify. Equal windows: the earlier one set it."""
    best: Score | None = None
    for window in windows(laps, rules):
        score_ms, first, last = _score_window([lap_time_ns(lap, rules) for lap in window], rules)
        if best is None or score_ms < best.score_ms:
            # Its lap counts only once its window is complete: that is when the score was set.
            best = Score(score_ms, window[first].number, window[last].number, window[-1].ended_ns)
    return best


def _score_window(times: Sequence[int], rules: RaceRules) -> tuple[int, int, int]:
    """The score of a window in ms, and the first and the last of its laps that made it (as places in `times`)."""
    if rules.method == "best_lap":
        at = times.index(min(times))
        return times[at] // NS_PER_MS, at, at
    total = sum(times)
    if rules.method == "average":
        total //= len(times)
    return total // NS_PER_MS, 0, -1


def rank(scored: Iterable[Scored], tie_margin_ms: int = 0) -> list[Placed]:
    """The standing, the best score first. Equal scores are ordered by who set theirs earlier, then by name.

    Two lines are tied if they lie no further apart than their uncertainties in sum, or than `tie_margin_ms`. That
    marks them and changes no place: the published scores keep their order.
    """
    ordered = sorted(scored, key=lambda s: (s.score_ms, s.set_key, s.racer))
    tied = _tied(ordered, tie_margin_ms)
    return [_place(ordered, index, tied[index]) for index in range(len(ordered))]


def _tied(ordered: Sequence[Scored], margin_ms: int) -> list[bool]:
    """Which lines' spans (score, uncertainty either way) touch another's; in half nanoseconds, to stay integers."""
    spans = []
    for index, line in enumerate(ordered):
        half = max(2 * line.uncertainty_ns, margin_ms * NS_PER_MS)
        spans.append((2 * line.score_ms * NS_PER_MS - half, 2 * line.score_ms * NS_PER_MS + half, index))
    spans.sort()
    tied = [False] * len(ordered)
    for (_, end, index), (begin, _, _) in itertools.pairwise(spans):
        tied[index] |= begin <= end
    furthest = spans[0][1] if spans else 0
    for begin, end, index in spans[1:]:
        tied[index] |= begin <= furthest
        furthest = max(furthest, end)
    return tied


def _place(ordered: Sequence[Scored], index: int, tied: bool) -> Placed:
    line = ordered[index]
    gap_ms = line.score_ms - ordered[0].score_ms
    ahead = ordered[index - 1].score_ms if index else line.score_ms
    return Placed(index + 1, line.racer, line.score_ms, gap_ms, line.score_ms - ahead, tied, line.uncertainty_ns)


def best_of(runs: Iterable[Scored]) -> list[Scored]:
    """Each racer's best run; of equal ones the earliest."""
    best: dict[str, Scored] = {}
    for run in runs:
        other = best.get(run.racer)
        if other is None or (run.score_ms, run.set_key) < (other.score_ms, other.set_key):
            best[run.racer] = run
    return list(best.values())


def rules_from(values: dict[str, object]) -> RaceRules:
    """Checked rules from values by name, of the right types already. Raises ConfigError, also for an unknown rule."""
    known = {f.name for f in fields(RaceRules)}
    if unknown := sorted(set(values) - known):
        raise ConfigError(f"unknown rule `{unknown[0]}`; known are {', '.join(sorted(known))}.")
    return check_rules(RaceRules(**values))  # type: ignore[arg-type]
