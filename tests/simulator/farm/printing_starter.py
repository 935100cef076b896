"""The process that a farm's children are started from, in which one model prints without end instead of driving.

`python -m tests.simulator.farm.printing_starter DESCRIPTOR`; the model is named by its hash in PRINTING_MODEL. No model
can print by itself: this is what one could do that had found a hole in a library. All else is the product's.
"""

import os
import sys
from collections.abc import Sequence

from shared.conditions import Conditions
from simulator.farm import child_starter
from simulator.virtual_races import evaluation
from simulator.virtual_races.entrant import AnyEntrant
from simulator.virtual_races.evaluation import VirtualRun

_drive = evaluation.evaluate_runs


def drive_or_print(conditions: Conditions, seeds: Sequence[int], model: AnyEntrant) -> tuple[VirtualRun, ...]:
    """In the restricted child: what it says of a model it can load, or no end of it."""
    while getattr(model, "sha256", "") == os.environ["PRINTING_MODEL"]:
        sys.stdout.write("#" * 65_536)
    return _drive(conditions, seeds, model)


if __name__ == "__main__":
    evaluation.evaluate_runs = drive_or_print
    sys.exit(child_starter.main(sys.argv[1:]))
