"""Runs the main function of a guard's child process: arguments, signals, errors as one sentence, exit code."""

import argparse
import pathlib
import signal
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final, NoReturn

from shared.errors import RacedayError
from vehicle.process.log import log

# A child's environment: its libraries start no threads, since each would need processor time before the channel of a
# killed child closes.
SINGLE_THREADED: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

_SECRET_WORDS: Final = ("KEY", "TOKEN", "SECRET", "PASSW", "CREDENTIAL")  # in the name of a variable


def without_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that a child is given, which may run a stranger's model: none whose name says that it is secret."""
    return {name: value for name, value in variables.items() if not any(word in name.upper() for word in _SECRET_WORDS)}


def child_arguments(arguments: list[str]) -> argparse.Namespace:
    """The arguments that the guard passes to a child: its config file and file descriptors."""
    parser = argparse.ArgumentParser(description="A child process of `raceday vehicle`; not to be started by hand.")
    parser.add_argument("--config", type=pathlib.Path, required=True)
    parser.add_argument("--guard-fd", type=int, required=True)
    parser.add_argument("--lap-fd", type=int, required=True)
    parser.add_argument("--frame-fd", type=int, default=None)
    parser.add_argument("--parent", type=int, required=True)
    return parser.parse_args(arguments)


def run_child(main: Callable[[list[str]], int]) -> NoReturn:
    """Run the child's `main`, log a RacedayError as one sentence, and end the process with the exit code."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    # Ctrl-C reaches the whole process group; the guard ends its children in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = main(sys.argv[1:])
    except RacedayError as error:
        log(str(error))
        code = error.exit_code
    sys.exit(code)


def _on_sigterm(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
