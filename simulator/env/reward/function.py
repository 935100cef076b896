"""A racer's `reward_function.py`, run unchanged: one call with the field's parameters, one number back.

It is the racer's own code on the racer's own machine, so it is not isolated: it may import, read and write what it
likes, and what it prints goes to stderr. Each car has its own copy of the file's variables: the field runs one car a
file.
"""

import contextlib
import numbers
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any, cast

import numpy as np

from shared.errors import BadInput

FUNCTION = "reward_function"
MAX_BYTES = 1_000_000
MAX_REWARD = 1e5  # the field refuses more, in either direction

Parameters = dict[str, Any]


class RewardFunction:
    """The function of one file for one car; `for_another_car` has variables of its own."""

    def __init__(self, path: str | Path) -> None:
        """Reads and runs the file. Raises BadInput, one sentence with file and line."""
        self.path = Path(path)
        self._code = _compiled(self.path)
        self._call = self._loaded()

    def for_another_car(self) -> "RewardFunction":
        """The same file, run again from the start."""
        copy = object.__new__(RewardFunction)
        copy.path, copy._code = self.path, self._code
        copy._call = copy._loaded()
        return copy

    def __call__(self, parameters: Parameters) -> float:
        """The reward. Raises BadInput if the function fails or answers no finite number from -100,000 to 100,000."""
        with contextlib.redirect_stdout(sys.stderr):
            try:
                reward = self._call(parameters)
            except (Exception, SystemExit) as error:
                raise BadInput(
                    f"{self._place_of(error)}: the reward function failed with {_in_words(error)}: correct it there."
                ) from error
        return self._checked(reward)

    def __reduce__(self) -> tuple[type["RewardFunction"], tuple[str]]:
        return RewardFunction, (str(self.path),)

    def _loaded(self) -> Callable[[Parameters], object]:
        variables: dict[str, Any] = {"__name__": self.path.stem, "__file__": str(self.path)}
        with contextlib.redirect_stdout(sys.stderr):
            try:
                exec(self._code, variables)  # noqa: S102  the racer's own file, on the racer's own machine
            except (Exception, SystemExit) as error:
                raise BadInput(
                    f"{self._place_of(error)}: the file cannot be loaded, {_in_words(error)}: correct it there."
                ) from error
        function = variables.get(FUNCTION)
        if not callable(function):
            raise BadInput(f"{self.path}: there is no function reward_function(params): add it to the file.")
        return cast("Callable[[Parameters], object]", function)

    def _checked(self, reward: object) -> float:
        number = reward.item() if isinstance(reward, np.ndarray) and reward.size == 1 else reward
        if isinstance(number, numbers.Real) and -MAX_REWARD <= float(number) <= MAX_REWARD:  # NaN is in no range
            return float(number)
        shown = f"{self._place_of(None)}: the reward is {' '.join(repr(reward)[:40].split())}"
        if isinstance(number, numbers.Real):
            raise BadInput(f"{shown}: it must be a finite number from -100000 to 100000.")
        raise BadInput(f"{shown}, which is no number: end the function with return float(reward).")

    def _place_of(self, error: BaseException | None) -> str:
        """File and line: the last line of the racer's file that the error passed, else where the function begins."""
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__ if error else None)
            if frame.filename == str(self.path)
        ]
        return f"{self.path}:{lines[-1] if lines else self._first_line()}"

    def _first_line(self) -> int:
        code = getattr(getattr(self, "_call", None), "__code__", None)
        return int(code.co_firstlineno) if code is not None else 1


def _compiled(path: Path) -> CodeType:
    try:
        with path.open("rb") as file:
            source = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{path}: the reward function cannot be read ({error.strerror}): check the path.") from None
    if len(source) > MAX_BYTES:
        raise BadInput(f"{path}: the file is larger than 1 MB, which no reward function is: check the path.")
    try:
        return compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise BadInput(f"{path}:{error.lineno or 1}: this is not Python, {error.msg}: correct it there.") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadInput(f"{path}:1: this is not Python, {error}: correct it there.") from None


def _in_words(error: BaseException) -> str:
    """The error as Python prints it, in one line."""
    return " ".join("".join(traceback.format_exception_only(error)).split())[:200]
