"""`raceday model choose | race` and `raceday verify`: models by the conditions of a virtual race, at home."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from shared.conditions import Conditions, check_conditions, conditions_from
from shared.errors import BadInput, OperatorError
from shared.protocol.driven_results import write_result
from shared.rules.head_to_head import why_ahead
from shared.text import text
from shared.traces.field_files import metrics_json, simtrace_csv
from simulator.driving.policy import DEMO, find_model
from simulator.virtual_races.checkpoints import CheckpointChoice, CheckpointResult, choose_checkpoint, find_checkpoints
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, ReportedRun, evaluate_isolated
from simulator.virtual_races.result_file import VerifiedRun, read_result, result_of, verify
from simulator.virtual_races.seeds import validation_seeds

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse names it nowhere else

MAX_CONDITIONS_BYTES = 65_536


def add_commands(commands: "Subparsers") -> None:
    """Mount `choose` and `race`; each sets `run`, a function from arguments to exit code."""
    choose = commands.add_parser("choose", help="drive all checkpoints of a folder or an archive, and name the best")
    choose.add_argument("source", type=Path, metavar="DIR|ARCHIVE", help="with .onnx or .pb files")
    _add_conditions(choose)
    choose.add_argument("--runs", type=_count, default=5, help="runs of each checkpoint (5)")
    choose.add_argument("--jobs", type=_count, default=1, help="processes (1)")
    choose.add_argument("--json", action="store_true", help="the results as one JSON object")
    choose.set_defaults(run=_choose)
    race = commands.add_parser("race", help="drive a model by the conditions of a race; keep result, traces and logs")
    race.add_argument("model", help="'demo', an archive, a folder with model.onnx, or an .onnx file")
    _add_conditions(race)
    race.add_argument("--runs", type=_count, default=3, help="how many runs (3)")
    race.add_argument("--checkpoint", default="", help="one of several in an archive; default: the best by its notes")
    race.add_argument("--opponent", metavar="MODEL", help="let this model drive against it, both in one world")
    race.add_argument("--out", type=Path, metavar="DIR", help="write result.json, and each run's trace and logs")
    race.set_defaults(run=_race)


def verify_main(arguments: list[str]) -> int:
    """`raceday verify RESULT.json --model MODEL`; exit code 1 if a run was driven otherwise."""
    parser = argparse.ArgumentParser(
        prog="raceday verify", description="Drive a result again, and compare what was driven frame by frame."
    )
    parser.add_argument("result", type=Path, metavar="RESULT.json")
    parser.add_argument("--model", required=True, help="the model of the result: an archive, a folder or 'demo'")
    parser.add_argument("--opponent", metavar="MODEL", help="the one that drove against it, if one did")
    chosen = parser.parse_args(arguments)
    opponent = None if chosen.opponent is None else model_path(chosen.opponent)
    runs = verify(read_result(chosen.result), model_path(chosen.model), opponent=opponent)
    if say_verified(runs):
        return 0
    print(text("The result was not driven by this model under these conditions, or by another engine."))
    return 1


def say_verified(runs: Sequence[VerifiedRun]) -> bool:
    """Print each run, and whether all are the same as they were; True if they are."""
    for run in runs:
        laps = ", ".join(f"{lap_ns / 1e9:.3f} s" for lap_ns in run.laps_ns) or "-"
        words = text("the same") if run.same else text("NOT the same")
        digest = run.trace_sha256[:16]
        print(
            text(
                "run {number}: {words}: laps {laps}, trace {digest}",
                number=run.number,
                words=words,
                laps=laps,
                digest=digest,
            )
        )
    same = all(run.same for run in runs)
    if same:
        print(text("All {n} runs are the same.", n=len(runs)))
    return same


def _add_conditions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--conditions", type=Path, metavar="FILE.json", help="those of a race; others add to them")
    parser.add_argument("--track", help="default: that of the conditions, reinvent_base")
    parser.add_argument("--direction", choices=("counterclockwise", "clockwise"))
    parser.add_argument("--profile", choices=("console-2022", "league-2023", "droa-2026", "physical"), help="the car")
    parser.add_argument("--laps", type=_count, help="laps a run")


def _count(written: str) -> int:
    number = int(written)
    if not 1 <= number <= 100:
        raise argparse.ArgumentTypeError(f"{written} is not a number from 1 to 100")
    return number


def _conditions(arguments: argparse.Namespace) -> Conditions:
    conditions, path = Conditions(), arguments.conditions
    if path is not None:
        try:
            with path.open("rb") as file:
                conditions = conditions_from(file.read(MAX_CONDITIONS_BYTES))
        except OSError as error:
            raise BadInput(
                text(
                    "{path}: the conditions cannot be read ({strerror}).",
                    path=arguments.conditions,
                    strerror=error.strerror,
                )
            ) from None
    given = {name: getattr(arguments, name) for name in ("track", "direction", "profile", "laps")}
    conditions = replace(conditions, **{name: value for name, value in given.items() if value is not None})
    if arguments.laps is not None:
        laps_in_a_row = min(conditions.rules.consecutive_laps, arguments.laps)
        conditions = replace(conditions, rules=replace(conditions.rules, consecutive_laps=laps_in_a_row))
    return check_conditions(conditions)


def model_path(model: str) -> Path:
    """The file or folder of a model that is named on the command line."""
    return find_model(model).parent if model == DEMO else Path(model)


def _choose(arguments: argparse.Namespace) -> int:
    conditions = _conditions(arguments)
    choice = choose_checkpoint(find_checkpoints(arguments.source), conditions, arguments.runs, min(arguments.jobs, 16))
    if arguments.json:
        print(json.dumps(_document(choice), indent=1))
        return 0
    table = Table("checkpoint", "laps", "progress", "score s", "runs with a score", "resets", "")
    for each in choice.results:
        table.add_row(*_row(each))
    Console().print(table)
    print(text("The best is {name}: {reason}.", name=choice.best.name, reason=choice.reason))
    return 0


def _row(each: CheckpointResult) -> tuple[str, ...]:
    if each.refused:
        return each.checkpoint.name, "-", "-", "-", "-", "-", each.refused
    score = "-" if each.score_ms is None else f"{each.score_ms / 1000:.3f}"
    progress = f"{each.progress_ppm / 1e6:.2f}"
    return each.checkpoint.name, str(each.laps), progress, score, str(each.scored), str(each.resets), ""


def _document(choice: CheckpointChoice) -> dict[str, object]:
    results = [asdict(each) | {"checkpoint": each.checkpoint.name} for each in choice.results]
    return {"best": choice.best.name, "reason": str(choice.reason), "results": results}


def _race(arguments: argparse.Namespace) -> int:
    conditions, model = _conditions(arguments), model_path(arguments.model)
    opponent = "" if arguments.opponent is None else str(model_path(arguments.opponent))
    seeds = validation_seeds(arguments.runs)
    job = EvaluationJob(str(model), conditions, seeds, arguments.checkpoint, opponent)
    report = evaluate_isolated(job)
    if arguments.out is not None:
        _write(arguments.out, job, report)
    if opponent:
        _show_heats(report)
        return 0
    table = Table("run", "laps s", "resets", "ended by")
    for number, run in enumerate(report.runs, 1):
        table.add_row(str(number), _laps(run), str(run.resets), run.end)
    Console().print(table)
    return 0


def _laps(run: ReportedRun) -> str:
    return "  ".join(f"{lap.lap_ns / 1e9:.3f}" for lap in run.laps) or "-"


def _show_heats(report: EvaluationReport) -> None:
    sides = text("the model"), text("the opponent")
    table = Table("run", "who", "started", "laps s", "resets", "ahead")
    for number, (heat, *runs) in enumerate(zip(report.heats, report.runs, report.opponent_runs, strict=True), 1):
        for side, run in enumerate(runs):
            place = text("in front") if heat.in_front == side else text("behind")
            verdict = heat.verdict
            ahead = why_ahead(verdict.reason, verdict.by_s, verdict.by_m) if verdict.winner == side else ""
            table.add_row(str(number), str(sides[side]), str(place), _laps(run), str(run.resets), str(ahead))
    Console().print(table)
    winner = report.winner
    print(text("Nobody is ahead.") if winner is None else text("Ahead in more runs: {who}.", who=sides[winner]))


def _write(folder: Path, job: EvaluationJob, report: EvaluationReport) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "result.json").write_text(write_result(result_of(job, report)), encoding="utf-8")
        for who, runs in (("", report.runs), ("-opponent", report.opponent_runs)):
            for number, run in enumerate(runs, 1):
                trace, name = run.read_trace(), f"run{number}{who}"
                (folder / f"{name}.trace").write_bytes(run.trace_bytes)
                (folder / f"{name}-simtrace.csv").write_text(simtrace_csv(trace, 0), encoding="utf-8")
                (folder / f"{name}-metrics.json").write_text(metrics_json(trace), encoding="utf-8")
    except OSError as error:
        raise OperatorError(
            text("{path}: cannot be written ({strerror}).", path=folder, strerror=error.strerror)
        ) from error
    print(folder, file=sys.stderr)
