"""The simulator's evaluation metrics (JSON): each trial a lap of one run.

Fields by deepracer-simapp, bundle/markov/metrics/s3_metrics.py, EvalMetrics (Apache-2.0): trial,
completion_percentage, elapsed_time_in_milliseconds, off_track_count, crash_count, reset_count, metric_time. A trial of
less than 100 % is a lap that does not count. The elapsed time is the simulator's clock, which runs on while the car
waits out a penalty: penalties are included in it.
"""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from leaderboard.exchange.csv_table import UploadedFile
from leaderboard.exchange.laps.runs import LapRun
from leaderboard.exchange.report import Remarks, RowNote
from leaderboard.exchange.request import ImportRequest
from shared.errors import BadInput, Refused
from shared.rules.ranking import RunLap
from shared.text import text
from shared.units import NS_PER_MS

MAX_METRICS_BYTES = 4 * 1024 * 1024
_COUNTS = ("off_track_count", "crash_count", "reset_count")
_EPOCH_MS = 10**12  # a metric_time beyond it is a time of day; smaller ones are the simulator's clock


class RunOfMetrics:
    """The one run of a file, as LapRuns has them."""

    def __init__(self, run: LapRun, errors: list[RowNote]) -> None:
        self._run, self.notes, self.errors = run, Remarks(), errors

    def __iter__(self) -> Iterator[LapRun]:
        yield self._run

    def close(self) -> None:
        """Nothing waits in a file."""


def read(file: UploadedFile, request: ImportRequest) -> RunOfMetrics:
    """The run of the file, of the racer whom the request names. Raises BadInput for another kind of file, Refused."""
    if not request.racer:
        raise Refused(text("The metrics name no racer: say whose they are."))
    file.data.seek(0)
    data = file.data.read(MAX_METRICS_BYTES + 1)
    trials = _trials(data, file)
    errors: list[RowNote] = []
    laps: list[RunLap] = []
    ended_ns = 0
    for number, trial in enumerate(trials, 1):
        lap = _lap(number, trial, ended_ns, errors)
        ended_ns = lap.ended_ns
        laps.append(lap)
    at_utc_ns = request.finished_utc_ns or _time_of_day(trials)
    run = LapRun(1, "metrics", file.sha256[:32], request.racer, "", tuple(laps), at_utc_ns, request.model)
    return RunOfMetrics(run, errors)


def _trials(data: bytes, file: UploadedFile) -> list[Any]:
    wrong = BadInput(f"{file.name}: is no file of evaluation metrics: it holds no list `metrics` with a trial.")
    if len(data) > MAX_METRICS_BYTES:
        raise BadInput(
            text(
                "{name}: has more than {max} MiB, too much for evaluation metrics.",
                name=file.name,
                max=MAX_METRICS_BYTES // 2**20,
            )
        )
    try:
        document = json.loads(data.decode(file.encoding))
    except (ValueError, RecursionError):
        raise wrong from None
    trials = document.get("metrics") if isinstance(document, dict) else None
    if not isinstance(trials, list) or not trials:
        raise wrong
    return trials


def _lap(number: int, trial: Any, began_ns: int, errors: list[RowNote]) -> RunLap:
    if not isinstance(trial, dict) or "elapsed_time_in_milliseconds" not in trial:
        errors.append(RowNote(0, f"trial {number}", text("holds no `elapsed_time_in_milliseconds`")))
        return RunLap(number, 0, began_ns, valid=False)

    def figure(name: str, default: float | None, fits: Callable[[float], bool]) -> float:
        value = trial.get(name, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and fits(value):
            return value
        errors.append(
            RowNote(
                0, f"trial {number}, {name}", text("is {value}, which is out of range", value=repr(str(value)[:30]))
            )
        )
        return 0

    elapsed_ms = figure("elapsed_time_in_milliseconds", None, lambda value: 0 <= value < 10**9)
    completed = figure("completion_percentage", None, lambda value: 0 <= value <= 1000)
    off_tracks, crashes, resets = (
        int(figure(name, 0, lambda value: 0 <= value < 10**6 and value == int(value))) for name in _COUNTS
    )
    lap_ns = round(elapsed_ms * NS_PER_MS)
    valid = completed >= 100 and lap_ns > 0
    return RunLap(number, lap_ns, began_ns + lap_ns, off_tracks, crashes, resets, valid=valid)


def _time_of_day(trials: list[Any]) -> int | None:
    """When the last trial ended, in UTC ns, if the file says so."""
    last = trials[-1].get("metric_time") if isinstance(trials[-1], dict) else None
    is_time = isinstance(last, int | float) and not isinstance(last, bool) and _EPOCH_MS < last < 9 * _EPOCH_MS
    return int(last * NS_PER_MS) if is_time and last is not None else None
