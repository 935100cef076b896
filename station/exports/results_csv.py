"""The results of a race as CSV: one line a lap, in the event manager's columns and then ours; and one line a place.

The columns of `EVENT_MANAGER` are those of DREM's lap export, word for word, so that its tools read the file.
"""

import datetime as dt

from shared.rules.wording import score_name
from shared.units import NS_PER_S, format_ms
from station.exports.csv_table import Cell, csv_text
from station.views.results.race_results import LapResult, RaceResults, RunResult

EVENT_MANAGER = (
    "Race ID",
    "Username",
    "User ID",
    "Track",
    "Raced By Proxy",
    "Race Date",
    "Lap #",
    "Lap Time (ms)",
    "Lap Time (s)",
    "Resets",
    "Valid",
)
OURS = (
    "Event",
    "Race",
    "Attempt",
    "Car",
    "Model",
    "Track Time (ms)",
    "Penalty (ms)",
    "Off Tracks",
    "Collisions",
    "In Score",
    "Run Score (ms)",
    "Lap Ended (UTC)",
    "Source",
    "Confirmed By Car",
    "Uncertainty (ns)",
    "Remark",
)
PLACES = (
    "Place",
    "Username",
    "Country",
    "Team",
    "Score (ms)",
    "Score",
    "Gap (ms)",
    "Tie",
    "Best Lap (ms)",
    "Runs",
    "Best Run",
    "Car",
    "Model",
    "Set (UTC)",
    "Uncertainty (ns)",
    "Ranked By",
    "Official",
)


def laps_csv(results: RaceResults, *, ours: bool = True) -> str:
    """All laps of all runs, oldest first. A run without laps has a line without a lap, as the event manager's has.

    `ours` False: the event manager's columns alone, without a byte order mark.
    """
    columns = (*EVENT_MANAGER, *OURS) if ours else EVENT_MANAGER
    rows = [
        _event_manager(results, run, lap) + (_ours(results, run, lap) if ours else [])
        for run in results.runs
        for lap in (run.laps or (None,))
    ]
    return csv_text(columns, rows, mark=ours)


def places_csv(results: RaceResults) -> str:
    """The standings, one line a place."""
    rows: list[list[Cell]] = [
        [
            place.rank,
            place.racer,
            place.flag,
            place.team,
            place.score_ms,
            format_ms(place.score_ms),
            place.gap_ms,
            place.tie,
            place.best_ms,
            place.runs,
            place.run_id,
            place.car,
            place.model,
            utc_text(place.set_utc_ns),
            place.uncertainty_ns,
            score_name(results.rules),
            results.official is not None,
        ]
        for place in results.places
    ]
    return csv_text(PLACES, rows, mark=True)


def _event_manager(results: RaceResults, run: RunResult, lap: LapResult | None) -> list[Cell]:
    head: list[Cell] = [run.run_id, run.racer, run.racer, results.track, False, utc_text(run.finished_utc_ns)]
    if lap is None:
        return [*head, None, None, None, None, None]
    return [*head, lap.number, lap.lap_ms, f"{lap.lap_ms / 1000:.3f}", lap.resets, lap.counts]


def _ours(results: RaceResults, run: RunResult, lap: LapResult | None) -> list[Cell]:
    head: list[Cell] = [results.event, results.name, run.attempt, run.car, run.model]
    if lap is None:
        return [*head, *[None] * 5, run.score_ms, None, None, None, None, run.finished_reason]
    return [
        *head,
        lap.track_ms,
        lap.penalty_ms,
        lap.off_tracks,
        lap.collisions,
        lap.in_score,
        run.score_ms,
        utc_text(lap.ended_utc_ns),
        lap.source,
        lap.confirmed,
        lap.uncertainty_ns,
        lap.reason,
    ]


def utc_text(utc_ns: int) -> str:
    """A time of day as RFC 3339 text to the millisecond, "2026-03-05T14:03:07.123Z"; "" if there is none."""
    if utc_ns <= 0:
        return ""
    seconds, rest_ns = divmod(utc_ns, NS_PER_S)
    try:
        at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{rest_ns // 1_000_000:03d}Z"
