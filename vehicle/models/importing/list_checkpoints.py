"""Entry point of the child process that lists the models in a racer's archive (run_isolated.py sets its limits)."""

import json
import pathlib
import sys

from shared.errors import BadInput
from shared.text import text
from vehicle.models.importing.archive import model_names


def main(arguments: list[str]) -> int:
    """Entry point of the child: prints the names as a JSON list; returns the exit code."""
    path = pathlib.Path(arguments[0])
    try:
        with path.open("rb") as file:
            names = model_names(file)
    except (BadInput, MemoryError, OSError) as error:
        sentence = str(error) or "The archive needs more memory than it is allowed."
        sys.stderr.write(text("{path}: {sentence}", path=path, sentence=sentence) + "\n")
        return 2
    sys.stdout.write(json.dumps(names))
    return 0
