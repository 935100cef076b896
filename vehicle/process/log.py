"""One sentence to the log of the unit, from any of the car's processes."""

import contextlib
import sys


def log(sentence: str) -> None:
    """A log that is gone may not end the process that drives."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"raceday vehicle: {sentence}\n")
        sys.stderr.flush()
