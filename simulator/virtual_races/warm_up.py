"""Brings the compiled engine into memory before anybody waits for it; the first time on a machine it is compiled.

python -m simulator.virtual_races.warm_up
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from shared.conditions import BotSet, BoxSet, Conditions
from shared.errors import OperatorError
from shared.text import text
from simulator.batch.compiled import NEEDS_NUMBA, batch_available
from simulator.batch.lidar_scan import Lidars
from simulator.batch.vector import BatchWorlds, WorldSpec
from simulator.objects.lidar import BEAMS
from simulator.virtual_races.worlds import require_drivable, world_of

EACH_TYPE = (
    Conditions(),
    Conditions(race_type="object_avoidance", objects=BoxSet(count=1)),
    Conditions(race_type="head_to_bot", bots=BotSet(count=1)),
    Conditions(race_type="head_to_head"),
)


def warm_up(races: Sequence[Conditions] = EACH_TYPE) -> None:
    """Drive a frame of each of these races, with all sensors."""
    cv2.setNumThreads(1)
    for conditions in races:
        worlds = BatchWorlds(_cars(conditions), (160, 120))
        worlds.render(np.zeros((len(worlds), 120, 160), np.uint8))
        Lidars(worlds).scan(np.zeros((len(worlds), BEAMS)), np.arange(len(worlds)))
        worlds.step(np.zeros((len(worlds), 2)))
        worlds.close()


def _cars(conditions: Conditions) -> list[WorldSpec]:
    spec = world_of(conditions, require_drivable(conditions), 1)
    if conditions.race_type != "head_to_head":
        return [spec]
    return [replace(spec, rival=1), replace(spec, rival=0)]


def compile_engine() -> None:
    """Compile what is not compiled on this machine yet, in a child: it takes half a minute, later ones find it.

    Raises OperatorError with the child's sentence.
    """
    command = [sys.executable, "-m", "simulator.virtual_races.warm_up"]
    child = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if child.returncode != 0:
        why = child.stderr.strip().split("\n")[-1] or str(child.returncode)
        raise OperatorError(text("The engine cannot be compiled on this machine ({why}).", why=why))


def main() -> int:
    """Entry point of the child; returns the exit code."""
    if not batch_available():
        sys.stderr.write(f"{NEEDS_NUMBA}\n")
        return 2
    warm_up()
    return 0


if __name__ == "__main__":
    sys.exit(main())
