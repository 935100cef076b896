"""Fit a car to simtraces of the field's simulator, and say how far it and others are off one second ahead.

`raceday world fit TRACE.csv...` prints, trace by trace, the position error of a constant velocity, of a constant turn
rate, of a kinematic bicycle fitted to the same traces, of the shipped profiles, and of a car fitted here: one that
rolls or one that slides, whichever is closer. What `--holdout` names is judged and never fitted to. `--report` fits no
car and prints the rest; without traces it prints what the profiles were measured at.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from shared.errors import BadInput
from simulator.fidelity.baselines import constant_turn, constant_velocity
from simulator.fidelity.fit import CarFit, fit_bicycle, fit_car
from simulator.fidelity.prediction import prediction_errors_m
from simulator.fidelity.profile_file import read_profile, write_profile
from simulator.fidelity.report import PredictionError, as_table, prediction_table, profiles_table
from simulator.fidelity.simtrace import Floats, read_drives
from simulator.fidelity.windows import Windows, windows_of
from simulator.world.car import CarParameters
from simulator.world.cars.profiles import PROFILES, car_profile

FEWEST_WINDOWS = 50
BICYCLE, FRESH = "kinematic bicycle", "fitted"


def main(arguments: list[str]) -> int:
    """`raceday world fit`; returns the exit code. Raises OperatorError for what a person must fix."""
    chosen = _parser().parse_args(arguments)
    if not chosen.traces:
        if not chosen.report or chosen.holdout or chosen.out:
            raise BadInput("There is nothing to fit to: give simtraces, or --report alone for the shipped profiles.")
        _print_profiles(as_json=chosen.json)
        return 0
    if chosen.report and chosen.out:
        raise BadInput("With --report no car is fitted, so there is none for --out: leave one of them out.")
    named = _named_cars(chosen.profile)
    windows, held_out = _windows(chosen.traces), _windows(chosen.holdout)
    if len(windows) < FEWEST_WINDOWS:
        raise BadInput(f"These traces have {len(windows)} windows of a second: a fit needs {FEWEST_WINDOWS} or more.")
    begun = list(named.values()) if chosen.profile else []  # a shipped profile may know what is held out
    named[BICYCLE] = fit_bicycle(windows).car
    fresh = None if chosen.report else fit_car(windows, begun)
    if fresh is not None:
        named[FRESH] = fresh.car
    rows = _rows(windows, named, held_out=False) + _rows(held_out, named, held_out=True)
    if fresh is not None and chosen.out is not None:
        write_profile(fresh.car, [row for row in rows if row.way == FRESH], chosen.out)
    if chosen.json:
        car = {} if fresh is None else {"car": asdict(fresh.car)}
        sys.stdout.write(json.dumps({"errors": [asdict(row) for row in rows], **car}) + "\n")
    else:
        _print(rows, fresh)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raceday world fit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("traces", nargs="*", type=Path, metavar="TRACE.csv", help="simtraces to fit to")
    parser.add_argument(
        "--holdout", nargs="+", action="extend", default=[], type=Path, metavar="TRACE.csv", help="to judge on"
    )
    parser.add_argument(
        "--profile",
        action="append",
        metavar="NAME|FILE.toml",
        help="only these beside the fit, which also begins from them: " + ", ".join(PROFILES),
    )
    parser.add_argument("--report", action="store_true", help="fit no car: print the table of the profiles")
    parser.add_argument("--out", type=Path, metavar="FILE.toml", help="write the fitted car")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _named_cars(names: Sequence[str] | None) -> dict[str, CarParameters]:
    """The cars to hold the fit against, by name: profiles, or files of earlier fits."""
    named = {}
    for name in names or PROFILES:
        named[name] = read_profile(Path(name)) if name.endswith(".toml") else car_profile(name).middle
    return named


def _windows(paths: Sequence[Path]) -> Windows:
    return windows_of([drive for path in paths for drive in read_drives(path)])


def _rows(windows: Windows, cars: dict[str, CarParameters], *, held_out: bool) -> list[PredictionError]:
    if not len(windows):
        return []
    ways: list[tuple[str, Floats]] = [
        ("constant velocity", constant_velocity(windows)),
        ("constant turn", constant_turn(windows)),
    ]
    order = [BICYCLE, *(name for name in cars if name not in (BICYCLE, FRESH)), *([FRESH] if FRESH in cars else [])]
    ways += [(name, prediction_errors_m(windows, cars[name])) for name in order]
    return prediction_table(windows, held_out, ways)


def _print(rows: Sequence[PredictionError], fresh: CarFit | None) -> None:
    console = Console()
    console.print(as_table(rows, console.width))
    if fresh is not None:
        kind = "slides" if fresh.car.grip_mps2 else "rolls"
        console.print(f"The fitted car {kind}:")
        for name, value in asdict(fresh.car).items():
            console.print(f"  {name} = {value:.4g}", highlight=False)


def _print_profiles(*, as_json: bool) -> None:
    if as_json:
        shipped = {name: asdict(profile) for name, profile in PROFILES.items()}
        sys.stdout.write(json.dumps(shipped) + "\n")
    else:
        console = Console()
        console.print(profiles_table(PROFILES.values()))
        for profile in PROFILES.values():
            console.print(f"{profile.name}: {profile.source}.", highlight=False)
