"""The laps that made a racer's score, and times as the leaderboard writes them: for its API and for its pages."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from leaderboard.snapshots import StandingRow
from shared.rules.ranking import RaceRules, RunLap, lap_time_ns, score_run, successful
from shared.units import NS_PER_S, format_ms, published_ms
from shared.web.drawing.sparkline import SparkLap, Sparkline, sparkline


@dataclass(frozen=True, slots=True)
class LapShape:
    """A lap of the window that made the score; `lap_ms` includes its penalties."""

    number: int
    lap_ms: int
    lap: str
    penalty_ms: int
    off_tracks: int
    collisions: int
    resets: int


def utc_text(at_utc_ns: int) -> str:
    """A time of day as RFC 3339 text, to the second: '2026-03-05T14:03:07Z'."""
    return datetime.fromtimestamp(at_utc_ns // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def best_window(row: StandingRow, rules: RaceRules) -> tuple[LapShape, ...]:
    """The laps of the window that made the score of this row, in order; a published score has none."""
    if not row.result.laps:
        return ()
    score = score_run(row.result.laps, rules)
    assert score is not None, "a line of a standing comes from a scored result"
    return tuple(lap_shape(lap, rules) for lap in row.result.laps if score.first_lap <= lap.number <= score.last_lap)


def lap_line(laps: Sequence[RunLap], rules: RaceRules, in_score: Collection[int]) -> Sparkline | None:
    """All laps of a run as a small line; `in_score`: the numbers of those that make the score."""
    return sparkline([
        SparkLap(published_ms(lap_time_ns(lap, rules)) if successful(lap, rules) else None, lap.number in in_score)
        for lap in laps
    ])  # fmt: skip


def lap_shape(lap: RunLap, rules: RaceRules) -> LapShape:
    """A lap as it counts by these rules."""
    lap_ms = published_ms(lap_time_ns(lap, rules))
    return LapShape(
        number=lap.number,
        lap_ms=lap_ms,
        lap=format_ms(lap_ms),
        penalty_ms=lap_ms - published_ms(lap.lap_ns),
        off_tracks=lap.off_tracks,
        collisions=lap.collisions,
        resets=lap.resets,
    )
