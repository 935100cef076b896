"""Runs what handles a stranger's model in a child without network: limits on memory, processor, file size, patience.

python -m vehicle.models.jail prepare SOURCE FOLDER [METADATA]
python -m vehicle.models.jail trial PATH
"""

import importlib
import os
import pathlib
import resource
import signal
import subprocess
import sys

from shared.errors import BadInput
from vehicle.netless import leave_the_network
from vehicle.sandbox import confine

WORKS = {"prepare": "vehicle.models.prepare", "trial": "vehicle.models.trial"}
PATIENCE_S = 60.0
# One thread; and large pieces of memory go back at once, which takes a fifth off the peak on a model of 25 MB.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "1048576"}
_CPU_S = 30
_MEMORY = 4 << 30


def in_jail(work: str, *arguments: str, about: pathlib.Path, patience_s: float = PATIENCE_S) -> str:
    """What the child printed. Raises BadInput with the child's sentence, or one about how it ended."""
    environment = os.environ | ENVIRONMENT
    try:
        done = subprocess.run(
            [sys.executable, "-m", "vehicle.models.jail", work, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience_s,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise BadInput(f"{about}: the model's trial took longer than {patience_s:.0f} s.") from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise BadInput(f"{about}: the model's trial was ended by {name}: it wants too much.")
    if done.returncode != 0:
        raise BadInput(done.stderr.strip().split("\n")[-1] or f"{about}: the model's trial failed.")
    return done.stdout.strip()


def main(arguments: list[str]) -> int:
    """The child: the limits come before the libraries, and long before the model."""
    for sentence in confine(os.getppid()) + leave_the_network():
        sys.stderr.write(f"{sentence}\n")
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    code: int = importlib.import_module(WORKS[arguments[0]]).main(arguments[1:])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
