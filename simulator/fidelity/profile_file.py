"""A fitted car as a file: TOML with its parameters, written by `raceday world fit --out` and read by `--profile`."""

import math
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from shared.errors import BadInput, OperatorError
from simulator.fidelity.report import PredictionError
from simulator.world.car import CarParameters

MAX_FILE_BYTES = 100_000
POSITIVE = ("speed_lag_s", "slowing_lag_s", "braking_lag_s", "slip_mps", "gyration_m")
NOT_NEGATIVE = (
    "acceleration_mps2",
    "deceleration_mps2",
    "throttle_delay_s",
    "steering_delay_s",
    "grip_mps2",
    "scrub_m",
)
MAY_BE_INFINITE = ("acceleration_mps2", "deceleration_mps2")


def write_profile(car: CarParameters, errors: Sequence[PredictionError], path: Path) -> None:
    """Write the car and, as comments, what it is off by. Raises OperatorError."""
    lines = ["# Fitted by `raceday world fit`; position error one second ahead, m: median, 90 %"]
    for each in errors:
        name = f"{each.trace!r}{' (held out)' if each.held_out else ''}"
        lines.append(f"# {name}: {each.median_m:.3f}, {each.p90_m:.3f}, {each.windows} windows")
    lines += ["[car]", *(f"{name} = {value!r}" for name, value in asdict(car).items())]
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise OperatorError(f"The profile {path} cannot be written: {error.strerror}.") from error


def read_profile(path: Path) -> CarParameters:
    """Read a car. Raises BadInput, one sentence."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadInput(f"The profile {path} is larger than {MAX_FILE_BYTES // 1000} kB: it is none.")
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"The profile {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"The profile {path} is not TOML: write it with `raceday world fit --out`.") from error
    car = written.get("car")
    if not isinstance(car, dict):
        raise BadInput(f"The profile {path} has no part [car]: write it with `raceday world fit --out`.")
    known = {field.name for field in fields(CarParameters)}
    for name, value in car.items():
        if name not in known:
            raise BadInput(f"{path}: {name[:40]!r} is no parameter of a car.")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not _can_be(name, value):
            raise BadInput(f"{path}: {name} is {str(value)[:20]}, which no car can have.")
    return CarParameters(**{name: float(value) for name, value in car.items()})


def _can_be(name: str, value: float) -> bool:
    if math.isinf(value):
        return value > 0 and name in MAY_BE_INFINITE
    if name in POSITIVE:
        return 0 < value < 100
    return abs(value) < 1000 and not (name in NOT_NEGATIVE and value < 0)
