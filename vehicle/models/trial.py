"""The trial run of a model before it may drive: checked, loaded and timed over 50 frames in a child with limits."""

import pathlib
import sys

from shared.errors import BadInput
from vehicle.models.run_isolated import run_isolated


def try_model(path: pathlib.Path) -> str:
    """Checks, loads and runs the model in a child; returns the line that the child printed. Raises BadInput."""
    return run_isolated("trial", str(path), about=path)


def main(arguments: list[str]) -> int:
    """Entry point of the child (run_isolated.py); returns the exit code."""
    # Imported here: the libraries are to be loaded under the limits, and never by the parent.
    from vehicle.models.int8.choose_precision import choose  # noqa: PLC0415
    from vehicle.models.running.check import check_model  # noqa: PLC0415
    from vehicle.models.running.session import open_session  # noqa: PLC0415
    from vehicle.models.running.timing import time_model  # noqa: PLC0415

    try:
        model = check_model(pathlib.Path(arguments[0]))
        timing = time_model(model, open_session(model.content))
        choice = choose(pathlib.Path(arguments[0]))
    except (BadInput, MemoryError) as error:
        sys.stderr.write(f"{error or 'The model needs more memory than it is allowed.'}\n")
        return 2
    space = model.metadata.space
    sys.stdout.write(
        f"{model.path}: fit to drive: {space.kind}, {space.size} outputs, sha256 {model.sha256[:16]}, "
        f"{timing.p50_us / 1000:.2f} ms a frame; {choice.sentence}\n"
    )
    return 0
