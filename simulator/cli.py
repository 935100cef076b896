"""`raceday model evaluate | train | render`: drive, train and draw models in the mock world."""

import argparse
import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from shared.errors import HardwareMissing, OperatorError
from simulator.batch.compiled import NEEDS_NUMBA, batch_available
from simulator.driving.evaluate import DriveVerdict, drive, evaluate
from simulator.driving.policy import load_policy
from simulator.world.tracks import load_track, shipped_tracks
from vehicle.frames.preprocess import PROFILES

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse names it nowhere else

MAX_MINUTES = 10_000


def add_model_commands(commands: "Subparsers") -> None:
    """Mount `evaluate`, `train` and `render`; each sets `run`, a function from arguments to exit code."""
    _add_evaluate(commands)
    _add_train(commands)
    _add_render(commands)


def _minutes(text: str) -> float:
    number = float(text)
    if not 0.0 < number <= MAX_MINUTES:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most {MAX_MINUTES}")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to 10000")
    return number


def _add_evaluate(commands: "Subparsers") -> None:
    parser = commands.add_parser(
        "evaluate",
        help="drive a model on tracks, over seeds, and count clean runs",
        description="Drive a model on tracks, over seeds, and count clean runs. It gets the sensors that its metadata"
        " asks for: one camera, two, and a LiDAR; only a model of one camera drives the car.",
    )
    parser.add_argument("model", help="'demo', a folder with model.onnx, or an .onnx file with its metadata beside it")
    parser.add_argument(
        "--track", nargs="+", action="extend", metavar="NAME|FILE.npy", help="default: all that ship with Raceday"
    )
    parser.add_argument("--seeds", type=_positive, default=20, help="how many random cars, floors and cameras (20)")
    parser.add_argument("--laps", type=_positive, default=3, help="laps in a row (3)")
    parser.add_argument("--throttle", type=float, metavar="PERCENT", help="instead of the model card's")
    parser.add_argument("--profile", choices=list(PROFILES), default="grey-area", help="how the car sees (grey-area)")
    parser.add_argument(
        "--camera-px", type=int, choices=(320, 640), default=320, help="how wide the camera's pictures are (320)"
    )
    parser.add_argument("--jobs", type=_positive, default=2, help="processes (2)")
    parser.add_argument("--json", action="store_true", help="one JSON object for each track, one a line")
    parser.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    tracks = arguments.track or shipped_tracks()
    if not batch_available():
        print(f"Each car drives alone, which takes several times as long. {NEEDS_NUMBA}", file=sys.stderr)
    verdicts = evaluate(
        arguments.model,
        tracks,
        arguments.seeds,
        arguments.laps,
        arguments.throttle,
        min(arguments.jobs, 16),
        arguments.profile,
        arguments.camera_px,
    )
    if arguments.json:
        for verdict in verdicts:
            print(json.dumps(asdict(verdict)), flush=True)
        return 0
    Console().print(_table(list(verdicts)))
    return 0


def _table(verdicts: list[DriveVerdict]) -> Table:
    table = Table("track", "seeds", "clean", "laps", "off-tracks", "mean lap s")
    for v in verdicts:
        mean = "-" if v.mean_lap_s is None else f"{v.mean_lap_s:.3f}"
        table.add_row(v.track, str(v.seeds), str(v.clean), str(v.laps), str(v.off_tracks), mean)
    return table


def _add_train(commands: "Subparsers") -> None:
    parser = commands.add_parser("train", help="train a model in the mock world (needs the extra 'train')")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the model and its card")
    parser.add_argument(
        "--track", nargs="+", action="extend", metavar="NAME|FILE.npy", help="tracks to train on (reinvent_base)"
    )
    parser.add_argument("--seed", type=int, default=None, help="instead of the recipe's")
    parser.add_argument(
        "--recipe",
        default="dagger",
        metavar="NAME|FILE.toml",
        help="imitation of an expert that sees the track (dagger, dagger-boxes), reinforcement with a reward function"
        " (ppo, ppo-continuous), both (dagger+ppo), or your own file",
    )
    parser.add_argument("--rounds", type=_positive, default=None, help="imitation: rounds of drives")
    parser.add_argument("--steps", type=_positive, default=None, help="imitation: training steps a round")
    parser.add_argument("--frames", type=_positive, default=None, help="imitation: frames a car and round")
    parser.add_argument("--reward", metavar="FILE.py", help="reward_function.py; without it: metres made good")
    parser.add_argument("--actions", type=Path, metavar="FILE.json", help="model_metadata.json; else the recipe's")
    parser.add_argument(
        "--direction", choices=("counterclockwise", "clockwise"), help="default: as the track's file runs"
    )
    parser.add_argument("--minutes", type=_minutes, help="stop after so long, and ship the best so far")
    parser.add_argument("--resume", action="store_true", help="go on with the training in DIR")
    parser.add_argument(
        "--from",
        dest="begin_with",
        type=Path,
        metavar="MODEL",
        help="begin with the model trained there, or with 'demo'",
    )
    parser.set_defaults(run=_train)


def _train(arguments: argparse.Namespace) -> int:
    command = _training_module("simulator.train.command")
    command.run(
        command.TrainArguments(
            recipe=arguments.recipe,
            out=arguments.out,
            tracks=arguments.track or (),
            direction=arguments.direction,
            actions=arguments.actions,
            reward=arguments.reward,
            minutes=arguments.minutes,
            seed=arguments.seed,
            rounds=arguments.rounds,
            steps=arguments.steps,
            frames=arguments.frames,
            resume=arguments.resume,
            begin_with=arguments.begin_with,
        )
    )
    return 0


def _training_module(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise HardwareMissing(
            f"Training needs the library {error.name}: install the extra with `pip install 'raceday[train]'`."
        ) from error


def _add_render(commands: "Subparsers") -> None:
    parser = commands.add_parser("render", help="draw a track from above, with the line a model drives on it")
    parser.add_argument("--track", required=True, metavar="NAME|FILE.npy")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.png")
    parser.add_argument("--model", metavar="MODEL", help="drive one lap with this model and draw the line")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--camera", action="store_true", help="draw the car's camera view at the start instead")
    parser.set_defaults(run=_render)


def _render(arguments: argparse.Namespace) -> int:
    painter = import_module("simulator.world.pictures")
    track = load_track(arguments.track)
    if arguments.camera:
        picture = painter.from_the_car(track, arguments.seed)
    else:
        driven = drive(load_policy(arguments.model), track, arguments.seed, 1).points if arguments.model else ()
        picture = painter.from_above(track, driven)
    try:
        painter.write_png(picture, arguments.out)
    except OSError as error:
        raise OperatorError(f"The picture {arguments.out} cannot be written: {error.strerror}.") from error
    print(arguments.out, file=sys.stderr)
    return 0
