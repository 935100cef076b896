"""The trial run of a model before it may drive: checked, loaded and timed over 50 frames in a child with limits."""

import dataclasses
import pathlib
import sys

from shared.errors import BadInput
from vehicle.models.memory_limit import limit_memory, too_much_memory
from vehicle.models.run_isolated import run_isolated

ANY_SENSORS = "any-sensors"


def try_model(path: pathlib.Path, any_sensors: bool = False) -> str:
    """Checks, loads and runs the model in a child; returns the line that the child printed. Raises BadInput.

    Without `any_sensors` it must be a model for this car, which has one grey front camera.
    """
    return run_isolated("trial", str(path), *([ANY_SENSORS] if any_sensors else []), about=path)


def main(arguments: list[str]) -> int:
    """Entry point of the child (run_isolated.py); returns the exit code."""
    # Imported here: the libraries are to be loaded under the limits, and never by the parent.
    from vehicle.models.int8.choose_precision import choose  # noqa: PLC0415
    from vehicle.models.running.check import check_model  # noqa: PLC0415
    from vehicle.models.running.session import open_session  # noqa: PLC0415
    from vehicle.models.running.timing import time_model  # noqa: PLC0415

    path, any_sensors = pathlib.Path(arguments[0]), ANY_SENSORS in arguments[1:]
    try:
        model = check_model(path, any_sensors)
        limit_memory(len(model.content))
        session = open_session(model.content, flushes_denormals=True)
        model = dataclasses.replace(model, content=b"")  # the session has its own copy
        timing = time_model(model, session)
        del session
        # An int8 version is compared with on pictures of one camera: there is none for other sensors.
        sentence = "fp32 drives." if any_sensors else choose(path, flushes_denormals=True).sentence
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except MemoryError:
        sys.stderr.write(f"{path}: {too_much_memory()}\n")
        return 2
    space = model.metadata.space
    sys.stdout.write(
        f"{model.path}: fit to drive: {space.kind}, {space.size} outputs, sha256 {model.sha256[:16]}, "
        f"{timing.p50_us / 1000:.2f} ms a frame; {sentence}\n"
    )
    return 0
