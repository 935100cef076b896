"""Runs the main function of a guard's child process: arguments, signals, errors as one sentence, exit code."""

import argparse
import pathlib
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

from shared.errors import RacedayError
from vehicle.process.log import log

# A child's environment: no threads of its libraries, as each would need processor time before the channel of a killed
# child closes.
SINGLE_THREADED: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def child_arguments(arguments: list[str]) -> argparse.Namespace:
    """The arguments that the guard passes to a child: its config file and file descriptors."""
    parser = argparse.ArgumentParser(description="A child of `raceday vehicle`; not for hand use.")
    parser.add_argument("--config", type=pathlib.Path, required=True)
    parser.add_argument("--guard-fd", type=int, required=True)
    parser.add_argument("--lap-fd", type=int, required=True)
    parser.add_argument("--frame-fd", type=int, default=None)
    parser.add_argument("--parent", type=int, required=True)
    return parser.parse_args(arguments)


def run_child(main: Callable[[list[str]], int]) -> NoReturn:
    """Runs the child's `main` and ends the process with its code."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole process group; the guard ends its children in order
    try:
        code = main(sys.argv[1:])
    except RacedayError as error:
        log(str(error))
        code = error.exit_code
    sys.exit(code)


def _on_sigterm(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
