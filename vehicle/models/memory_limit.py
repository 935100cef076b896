"""How much memory a process may take that handles a stranger's model: three times its weights and 150 MB, and never
more than half of the machine's.

Called by the children that import, try and drive models (run_isolated.py, importing/make_model.py). The limit is set on
private memory (RLIMIT_DATA, setrlimit(2)), not on the address space, of which libraries reserve more than they touch.
The code of the libraries, some 45 MB, is shared by all processes and does not count there.
"""

import pathlib
import resource

from shared.errors import BadInput
from shared.text import Sentence, text
from vehicle.models.model_files import MAX_MODEL_BYTES

LIBRARIES_BYTES = 150 << 20  # the interpreter, numpy, onnx, ONNX Runtime and the pictures of the trial
TIMES = 3
MIN_TIMES = 2  # ONNX Runtime holds a model's weights twice while it loads them
MIN_LIBRARIES_BYTES = 100 << 20
_UNLIMITED = 1 << 60  # a control group of version 1 without a limit says a number near 2^63
_MEMINFO = "proc/meminfo"
_GROUPS = "proc/self/cgroup"


def max_memory(weights_bytes: int, machine_bytes: int) -> int:
    """The most bytes of memory for a model with so many bytes of weights, on a machine with so many bytes of memory."""
    return min(TIMES * weights_bytes + LIBRARIES_BYTES, machine_bytes // 2)


def largest_memory(machine_bytes: int) -> int:
    """The most bytes for any model: what a process gets whose model has not been read yet."""
    return max_memory(MAX_MODEL_BYTES, machine_bytes)


def machine_memory(root: pathlib.Path = pathlib.Path("/")) -> int:
    """The bytes of memory that this process can get: the machine's, or less if its control group has a limit.

    Sources: proc_meminfo(5); the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
    """
    return min([_installed(root), *_group_limits(root)])


def limit_memory(weights_bytes: int) -> int:
    """Lowers this process's limit to what a model of so many bytes may take; returns the limit in bytes.

    It never raises the limit with which the process was started. Raises BadInput where that is too low for the model.
    """
    limits = [limit for limit in resource.getrlimit(resource.RLIMIT_DATA) if limit != resource.RLIM_INFINITY]
    limit = min([TIMES * weights_bytes + LIBRARIES_BYTES, *limits])
    if limit < MIN_TIMES * weights_bytes + MIN_LIBRARIES_BYTES:
        raise BadInput(
            text(
                "The model has {weights} MB of weights and needs {needed} MB of memory, of which this machine has "
                "{limit} MB for it: use a smaller network, or a machine with more memory.",
                weights=weights_bytes >> 20,
                needed=(MIN_TIMES * weights_bytes + MIN_LIBRARIES_BYTES) >> 20,
                limit=limit >> 20,
            )
        )
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    return limit


def too_much_memory() -> Sentence:
    """What is said of a model for which there is not enough memory."""
    return text("The model needs more memory than this machine has for one: use a smaller network.")


def _installed(root: pathlib.Path) -> int:
    for line in (root / _MEMINFO).read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal":
            return int(value.split()[0]) << 10
    raise OSError(f"{root / _MEMINFO} has no MemTotal")


def _group_limits(root: pathlib.Path) -> list[int]:
    """The limits of the process's control group and of those above it, version 2 and version 1."""
    limits = []
    for line in (root / _GROUPS).read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            folder, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            folder, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        group = folder / path.lstrip("/")
        for place in (group, *group.parents):
            limits += _limit(place / name)
            if place == folder:
                break
    return limits


def _limit(path: pathlib.Path) -> list[int]:
    try:
        written = path.read_text().strip()
    except OSError:  # the root group has no such file, and a container may not see the groups above its own
        return []
    return [int(written)] if written.isdigit() and int(written) < _UNLIMITED else []
