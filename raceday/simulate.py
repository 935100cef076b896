"""`raceday race simulate`: whole races on virtual time, with injected faults by seed, checked against invariants.

The last line of stdout with --json is one JSON object; without it, a table. Exit code 0 only if every
invariant held. `--seed` repeats a history exactly: its `journal_hash` is the same each time.

With `--cars-on-track N` heats of N cars share one beam, and each crossing has to be attributed to a car: exit code 0
only if none was attributed wrongly without a warning.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from shared.errors import ConfigError
from simulator.races.hosts.tally import COUNTS, INVARIANTS, MeetingTally, SimulationReport
from simulator.races.multi_car.verdict import HeatVerdict, run_heats
from simulator.races.physical.fault_table import FAULTS, chosen
from simulator.races.simulation import Simulation, scratch, simulate

MAX_HOURS = 100_000.0
MAX_SHOWN = 20


def main(words: list[str]) -> int:
    """Runs the simulation; returns the exit code."""
    arguments = _parser().parse_args(words)
    if arguments.cars_on_track > 1:
        return _heats(arguments)
    wanted = Simulation(
        arguments.seed, _hours(arguments.hours), chosen(arguments.faults), _jobs(arguments.jobs), arguments.keep
    )
    report = _with_progress(wanted)
    if arguments.json:
        print(json.dumps(report.as_json()))
    else:
        _show(report)
    return 0 if report.tally.held else 1


def _heats(arguments: argparse.Namespace) -> int:
    """Run heats of several cars; returns exit code 0 if no crossing was silently attributed wrongly."""
    for name, value, highest in (("cars-on-track", arguments.cars_on_track, 12), ("heats", arguments.heats, 100_000)):
        if not 1 <= value <= highest:
            raise ConfigError(f"--{name} is {value}; allowed is 1 to {highest}.")
    with tempfile.TemporaryDirectory(prefix="raceday-heats-", dir=scratch()) as name:
        folder = pathlib.Path(name) if arguments.keep is None else arguments.keep
        folder.mkdir(parents=True, exist_ok=True)
        verdict = _heats_with_progress(arguments, folder)
    if arguments.json:
        print(json.dumps(verdict.as_json(arguments.seed)))
    else:
        _show_heats(arguments, verdict)
    return 0 if verdict.held else 1


def _heats_with_progress(arguments: argparse.Namespace, folder: pathlib.Path) -> HeatVerdict:
    columns = (TextColumn("[bold]racing together"), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=arguments.heats)
        so_far = HeatVerdict()

        def done(verdict: HeatVerdict) -> None:
            so_far.add(verdict)
            words = f"{so_far.crossings} crossings, {so_far.doubtful} doubtful, {len(so_far.wrong)} wrong"
            progress.update(task, advance=1, description=words)

        return run_heats(arguments.seed, arguments.heats, arguments.cars_on_track, folder, done)


def _show_heats(arguments: argparse.Namespace, verdict: HeatVerdict) -> None:
    console = Console(file=sys.stdout, highlight=False)
    heats = f"{arguments.heats} heats of {arguments.cars_on_track} cars"
    title = f"{heats}, seed {arguments.seed}, one beam, no transponders"
    table = Table("what", "how many", title=title, title_justify="left")
    table.add_row("crossings", str(verdict.crossings))
    table.add_row("attributed to their run", str(verdict.right))
    table.add_row("doubtful: an official is asked", str(verdict.doubtful))
    table.add_row("silently wrong", str(len(verdict.wrong)))
    table.add_row("passes without a crossing", str(verdict.missed))
    table.add_row("of these proposed", str(verdict.missed_asked))
    table.add_row("laps driven", str(verdict.laps))
    table.add_row("of these recorded exactly (to the ns) after the rulings", str(verdict.laps_true))
    console.print(table)
    for sentence in verdict.wrong[:MAX_SHOWN]:
        console.print(sentence, markup=False, style="red")


def _hours(hours: float) -> float:
    if not 0 < hours <= MAX_HOURS:
        raise ConfigError(f"--hours is {hours:g}; allowed is more than 0, up to {MAX_HOURS:g}.")
    return hours


def _jobs(jobs: int | None) -> int:
    if jobs is not None and not 1 <= jobs <= 256:
        raise ConfigError(f"--jobs is {jobs}; allowed is 1 to 256.")
    return jobs or min(2, os.cpu_count() or 1)


def _with_progress(wanted: Simulation) -> SimulationReport:
    columns = (TextColumn("[bold]racing"), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=wanted.hours)
        so_far = MeetingTally()

        def meeting_done(hours: float, tally: MeetingTally) -> None:
            so_far.add(tally)
            words = f"{so_far.laps} laps, {sum(so_far.faults.values())} faults, {so_far.results} results"
            progress.update(task, advance=hours, description=words)

        return simulate(wanted, meeting_done)


def _show(report: SimulationReport) -> None:
    console = Console(file=sys.stdout, highlight=False)
    tally = report.tally
    counts = ", ".join(f"{getattr(tally, name)} {name}" for name in COUNTS)
    console.print(f"[bold]{report.hours:g} h of racing[/] with seed {report.seed} in {report.wall_s:.1f} s: {counts}.")
    faults = Table("fault", "injected", "what", title="Faults", title_justify="left")
    for kind in FAULTS:
        if tally.faults[kind.name]:
            faults.add_row(kind.name, str(tally.faults[kind.name]), kind.what)
    console.print(faults)
    invariants = Table("invariant", "checked", "held", "what", title="Invariants", title_justify="left")
    for name, what in INVARIANTS.items():
        invariant = tally.invariants[name]
        invariants.add_row(
            name, str(invariant.checked), "yes" if invariant.held else f"NO ({invariant.failures})", what
        )
    console.print(invariants)
    for name, invariant in tally.invariants.items():
        for sentence in invariant.broken:
            console.print(f"[red]{name}[/]: {sentence}", markup=True)
    for reason, count in sorted(tally.excused.items()):
        console.print(f"excused by its fault: {count} x {reason}")
    console.print(f"journal hash {tally.journal_hash}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raceday race", description="Whole races on virtual time.")
    verbs = parser.add_subparsers(required=True, metavar="simulate")
    verb = verbs.add_parser("simulate", help="many runs with seeded faults, checked against invariants")
    verb.add_argument("--seed", type=int, default=1, help="repeats a history exactly (default 1)")
    verb.add_argument("--hours", type=float, default=1.0, metavar="H", help="hours of racing (default 1)")
    verb.add_argument("--faults", default="all", metavar="all|none|KIND,...", help="which faults to inject")
    verb.add_argument("--jobs", type=int, metavar="N", help="processes; the outcome is the same for any number")
    verb.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="keep the journals and boards there")
    verb.add_argument("--cars-on-track", type=int, default=1, metavar="N", help="heats of N cars at once, by the beam")
    verb.add_argument("--heats", type=int, default=50, metavar="N", help="how many such heats (default 50)")
    verb.add_argument("--json", action="store_true", help="one JSON object as the last line of stdout")
    return parser
