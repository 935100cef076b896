"""Read simtraces, the CSV logs of the field's simulator: one line a step, 15 a second.

The columns are those of deepracer-simapp (`episode, steps, X, Y, yaw, steer, throttle, tstamp, episode_status` and
more), found by name. X and Y are the middle of the car's front, 0.14 m ahead of its base (markov/agent_ctrl of
deepracer-simapp); yaw and steer are degrees, throttle is the commanded speed in m/s, tstamp the simulator's time in
seconds. A line's command was given one picture before the line was written.
"""

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput

PICTURE_S = 1 / 15  # a command is given so long before its line
MAX_FILE_BYTES = 200_000_000
MAX_NUMBER = 1e7
COLUMNS = ("episode", "steps", "X", "Y", "yaw", "steer", "throttle", "tstamp")
STATUS = "episode_status"
NOT_DRIVING = ("pause", "park")

MAX_STEP_S = 0.25  # a longer gap between two lines ends a drive
MAX_SPEED_MPS = 6.0  # a car that is faster was put elsewhere
SLACK_M = 0.02

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RecordedDrive:
    """One stretch that a car drove without being put elsewhere; arrays of one length, a value a line."""

    trace: str
    episode: str
    at_s: Floats
    x_m: Floats  # of the car's front
    y_m: Floats
    yaw_rad: Floats  # continuous: turns add up
    steering_rad: Floats  # commanded
    speed_mps: Floats  # commanded


def read_drives(path: Path) -> list[RecordedDrive]:
    """Return the drives of one file. Raises BadInput, one sentence, for a file that is not a simtrace."""
    text = _text_of(path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    drives: list[RecordedDrive] = []
    lines: list[tuple[float, ...]] = []
    before = ""
    try:
        places, status_place, width = _columns(path, next(reader, []))
        for row in reader:
            if not row:
                continue
            if len(row) != width:
                raise BadInput(f"{path}, line {reader.line_num}: {len(row)} values for {width} columns.")
            line = _numbers(path, reader.line_num, row, places)
            episode = row[places["episode"]]
            standing = status_place is not None and row[status_place] in NOT_DRIVING
            if lines and (standing or episode != before or not _goes_on(lines[-1], line)):
                drives += _drive(path, before, lines)
                lines = []
            if not standing:
                lines.append(line)
            before = episode
    except csv.Error as error:
        raise BadInput(f"{path}, line {reader.line_num}: this is not CSV ({error}).") from error
    return drives + _drive(path, before, lines)


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadInput(f"The trace {path} is larger than {MAX_FILE_BYTES // 1_000_000} MB: give single iterations.")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadInput(f"The trace {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"The trace {path} is not text: give a simtrace, a CSV file with one line a step.") from error


def _columns(path: Path, heading: list[str]) -> tuple[dict[str, int], int | None, int]:
    names = [name.strip() for name in heading]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise BadInput(f"{path} is not a simtrace: the column {missing[0]} is missing in its first line.")
    doubled = [name for name in (*COLUMNS, STATUS) if names.count(name) > 1]
    if doubled:
        raise BadInput(f"{path} is not a simtrace: its first line names the column {doubled[0]} twice.")
    return {name: names.index(name) for name in COLUMNS}, names.index(STATUS) if STATUS in names else None, len(names)


def _numbers(path: Path, line: int, row: list[str], places: dict[str, int]) -> tuple[float, ...]:
    numbers = []
    for name in ("tstamp", "X", "Y", "yaw", "steer", "throttle"):
        written = row[places[name]]
        try:
            number = float(written)
        except ValueError:
            number = math.nan
        if not abs(number) <= MAX_NUMBER:
            raise BadInput(f"{path}, line {line}: {name} is {written[:20]!r}, which is no number that can be.")
        numbers.append(number)
    return tuple(numbers)


def _goes_on(last: tuple[float, ...], line: tuple[float, ...]) -> bool:
    """True if the car drove from one line to the next: time goes on, and the way is one that it can drive."""
    step_s = line[0] - last[0]
    return 0.0 < step_s <= MAX_STEP_S and math.dist(last[1:3], line[1:3]) <= MAX_SPEED_MPS * step_s + SLACK_M


def _drive(path: Path, episode: str, lines: list[tuple[float, ...]]) -> list[RecordedDrive]:
    if len(lines) < 2:
        return []
    at_s, x_m, y_m, yaw, steer, throttle = np.array(lines, np.float64).T.copy()
    yaw_rad = np.unwrap(np.radians(yaw))
    return [RecordedDrive(path.name, episode, at_s, x_m, y_m, yaw_rad, np.radians(steer), throttle)]
