"""Writes one sentence to the log (standard error), from any of the car's processes."""

import contextlib
import sys


def log(sentence: str) -> None:
    """Write the sentence; a closed log is ignored, since it must not end the process that drives."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"raceday vehicle: {sentence}\n")
        sys.stderr.flush()
