"""Calls a fuzz target with one input after another; counts, and keeps what escaped. For fuzz_process.py and tests.

An input may take one second of processor time (not of the clock: machines are busy); more counts as a hang.
"""

import hashlib
import pathlib
import signal
import time
import traceback
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any

from bench.fuzz.target import FuzzTarget

HANG_S = 1.0
ROOT = pathlib.Path(__file__).resolve().parents[2]
_MAX_KEPT_BYTES = 1 << 20


class FuzzHang(BaseException):
    """An input took longer than HANG_S; no `except Exception` of the code under test hides it."""


@dataclass(frozen=True, slots=True)
class Escape:
    """The first input that escaped in this way. `where`: file and line of our code that raised it."""

    kind: str
    where: str
    sentence: str
    data: bytes

    @property
    def key(self) -> str:
        return f"{self.kind} {self.where}"

    @property
    def file_name(self) -> str:
        """A name for a file with the input: the same for the same escape."""
        return f"{hashlib.sha256(self.key.encode()).hexdigest()[:12]}.bin"


@dataclass
class FuzzTrial:
    """All inputs of one target so far. `slowest_ms` is of processor time."""

    target: FuzzTarget
    inputs: int = 0
    refused: int = 0
    slowest_ms: float = 0.0
    slowest: bytes = b""
    escapes: dict[str, Escape] = field(default_factory=dict)

    def __enter__(self) -> "FuzzTrial":
        self._before: Any = signal.signal(signal.SIGVTALRM, _hung)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, self._before)

    def one(self, data: bytes) -> None:
        """Tries one input. Raises only KeyboardInterrupt and SystemExit."""
        self.inputs += 1
        began = time.process_time()
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S)
            self.target.call(data)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        except self.target.allowed:
            self.refused += 1
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self._escaped(error, data)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        took_ms = (time.process_time() - began) * 1e3
        if took_ms > self.slowest_ms:
            self.slowest_ms, self.slowest = took_ms, data[:_MAX_KEPT_BYTES]

    def _escaped(self, error: BaseException, data: bytes) -> None:
        where = _place(error.__traceback__)
        escape = Escape(type(error).__name__, where, str(error)[:200], data[:_MAX_KEPT_BYTES])
        self.escapes.setdefault(escape.key, escape)


def _hung(_signal: int, _frame: FrameType | None) -> None:
    raise FuzzHang(f"took more than {HANG_S:g} s of processor time")


def _place(found: TracebackType | None) -> str:
    """The innermost line of the product in this traceback; of anybody's, if the product is not in it."""
    frames = traceback.extract_tb(found)
    ours = [each for each in frames if _is_products(each.filename)] or frames
    path = pathlib.Path(ours[-1].filename)
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
    return f"{name}:{ours[-1].lineno}"


def _is_products(filename: str) -> bool:
    path = pathlib.Path(filename)
    return path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] not in ("bench", "tests", ".venv")
