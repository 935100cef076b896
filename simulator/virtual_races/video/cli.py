"""`raceday model video TRACE`: what the car saw in a run, beside the track, as an MP4."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shared.conditions import MAX_CONDITIONS_BYTES, Conditions, conditions_from
from shared.errors import BadInput, RacedayError
from shared.text import text
from shared.traces.encoding import MAX_PACKED_BYTES, decode
from shared.traces.trace import DriveTrace

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse names it nowhere else


def add_commands(commands: "Subparsers") -> None:
    """Mount `video`; it sets `run`, a function from arguments to exit code."""
    video = commands.add_parser("video", help="what the car saw in a run, drawn again from its trace, as an MP4")
    _add_arguments(video)
    video.set_defaults(run=run)


def _add_arguments(video: argparse.ArgumentParser) -> None:
    video.add_argument("trace", type=Path, metavar="TRACE", help="of `raceday model race --out`, or of a submission")
    video.add_argument("--conditions", type=Path, metavar="FILE.json", help="of its race: the look, the kind of car")
    video.add_argument("--seed", type=int, default=0, help="of its run, for its very camera and light (0)")
    video.add_argument("--out", type=Path, metavar="FILE.mp4", help="default: beside the trace")


def main(arguments: list[str]) -> int:
    """Entry point of a farm's child: the same command, giving way to all that is driven meanwhile."""
    os.nice(10)
    parser = argparse.ArgumentParser()
    _add_arguments(parser)
    try:
        return run(parser.parse_args(arguments))
    except RacedayError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def run(chosen: argparse.Namespace) -> int:
    """Write the video; exit code 0. Raises BadInput, OperatorError."""
    # Here, so that the help of all commands waits for no OpenCV.
    from simulator.virtual_races.video.writing import write_video  # noqa: PLC0415

    trace = read_trace(chosen.trace)
    conditions = Conditions(track=trace.track, direction=trace.direction)
    if chosen.conditions is not None:
        conditions = conditions_from(_read(chosen.conditions, MAX_CONDITIONS_BYTES))
    out = chosen.out or chosen.trace.with_suffix(".mp4")
    frames = write_video(trace, conditions, chosen.seed, out, _show if sys.stderr.isatty() else _nothing)
    print(text("{path}: {n} frames.", path=out, n=frames))
    return 0


def read_trace(path: Path) -> DriveTrace:
    """The trace in a file. Raises BadInput."""
    try:
        return decode(_read(path, MAX_PACKED_BYTES + 64))
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise BadInput(text("{path}: cannot be read ({strerror}).", path=path, strerror=error.strerror)) from None


def _show(done: int, count: int) -> None:
    print(f"\r{100 * done // count} %", end="\n" if done == count else "", file=sys.stderr, flush=True)


def _nothing(_done: int, _count: int) -> None:
    """Nobody looks on."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
