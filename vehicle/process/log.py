"""Writes one sentence to the log (standard error), from any of the car's processes."""

import contextlib
import sys


def log(sentence: str, program: str = "vehicle") -> None:
    """Write the sentence of this program; a closed log is ignored, since it must not end the process that drives."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"raceday {program}: {sentence}\n")
        sys.stderr.flush()
