"""Runs what handles a stranger's model in a child without network: limits on memory, processor, file size, patience.

python -m vehicle.models.run_isolated prepare SOURCE FOLDER [METADATA or "" [CHECKPOINT]]
python -m vehicle.models.run_isolated quantise FOLDER FRAMES PROFILE
python -m vehicle.models.run_isolated trial PATH
"""

import importlib
import os
import pathlib
import resource
import signal
import subprocess
import sys
from collections.abc import Callable

from shared.errors import BadInput
from vehicle.process.sandbox import confine
from vehicle.process.seccomp import forbid_sockets

WORKS = {
    "prepare": "vehicle.models.importing.prepare",
    "quantise": "vehicle.models.int8.quantise",
    "trial": "vehicle.models.trial",
}
PATIENCE_S = 60.0
# One thread; and large pieces of memory go back at once, which takes a fifth off the peak on a model of 25 MB.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "1048576"}
_CPU_S = 30
_MEMORY = 4 << 30


def in_jail(
    work: str,
    *arguments: str,
    about: pathlib.Path,
    patience_s: float = PATIENCE_S,
    meanwhile: Callable[[], object] = lambda: None,
) -> str:
    """What the child printed; `meanwhile` is done here while it works.

    Raises BadInput with the child's sentence, or one about how it ended.
    """
    words = [sys.executable, "-m", "vehicle.models.run_isolated", work, *arguments]
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=os.environ | ENVIRONMENT,
    ) as child:
        try:
            meanwhile()
            said, complaint = child.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            raise BadInput(f"{about}: the model's trial took longer than {patience_s:.0f} s.") from None
        finally:
            child.kill()  # a child that has ended does not mind
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        raise BadInput(f"{about}: the model's trial was ended by {name}: it wants too much.")
    if child.returncode != 0:
        # A stranger's names may stand in it: what cannot be printed does not reach a terminal or a page.
        sentence = "".join(sign if sign.isprintable() else "?" for sign in complaint.strip().split("\n")[-1])
        raise BadInput(sentence or f"{about}: the model's trial failed.")
    return said.strip()


def main(arguments: list[str]) -> int:
    """The child: the limits come before the libraries, and long before the model."""
    for sentence in confine(os.getppid()) + forbid_sockets():
        sys.stderr.write(f"{sentence}\n")
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    code: int = importlib.import_module(WORKS[arguments[0]]).main(arguments[1:])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
