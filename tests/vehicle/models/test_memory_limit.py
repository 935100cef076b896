"""How much memory a model's process may take: by its weights, by the machine, and by the machine's control groups."""

import pathlib
import subprocess
import sys

import pytest

from vehicle.models.memory_limit import largest_memory, machine_memory, max_memory

MB, GB = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("weights", "machine", "most"),
    [
        (0, 8 * GB, 150 * MB),
        (23 * MB, 8 * GB, 219 * MB),
        (230 * MB, 8 * GB, 840 * MB),
        (230 * MB, GB, 512 * MB),  # half of a small car's memory
        (23 * MB, GB, 219 * MB),
    ],
)
def test_the_limit_follows_from_the_weights_and_the_machine(weights: int, machine: int, most: int) -> None:
    assert max_memory(weights, machine) == most


def test_before_the_model_is_read_the_limit_is_that_of_the_largest() -> None:
    assert largest_memory(8 * GB) == 918 * MB
    assert largest_memory(GB) == 512 * MB


def _machine(root: pathlib.Path, groups: str, files: dict[str, str]) -> pathlib.Path:
    """As /proc and /sys show it on Raspberry Pi OS (version 2) and in a container with version 1."""
    for path, content in {
        "proc/meminfo": "MemTotal:        3884224 kB\nMemFree:          100 kB\n",
        "proc/self/cgroup": groups,
        **files,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    return root


TOTAL = 3884224 * 1024
VERSION_2 = "0::/system.slice/raceday-vehicle.service\n"
VERSION_1 = "5:cpuset:/\n4:cpu,memory:/box\n0::/\n"


@pytest.mark.parametrize(
    ("groups", "files", "most"),
    [
        (VERSION_2, {}, TOTAL),
        (VERSION_2, {"sys/fs/cgroup/system.slice/raceday-vehicle.service/memory.max": "max\n"}, TOTAL),
        (VERSION_2, {"sys/fs/cgroup/system.slice/raceday-vehicle.service/memory.max": "1073741824\n"}, GB),
        (VERSION_2, {"sys/fs/cgroup/system.slice/memory.max": "536870912\n"}, 512 * MB),
        (VERSION_2, {"sys/fs/cgroup/system.slice/memory.max": "9000000000\n"}, TOTAL),
        (VERSION_1, {"sys/fs/cgroup/memory/box/memory.limit_in_bytes": "9223372036854771712\n"}, TOTAL),
        (VERSION_1, {"sys/fs/cgroup/memory/box/memory.limit_in_bytes": "1073741824\n"}, GB),
        ("", {}, TOTAL),
    ],
)
def test_a_control_group_makes_the_machine_smaller(
    tmp_path: pathlib.Path, groups: str, files: dict[str, str], most: int
) -> None:
    assert machine_memory(_machine(tmp_path, groups, files)) == most


def test_this_machine_says_how_much_memory_it_has() -> None:
    assert machine_memory() > 256 * MB


CHILD = """
from shared.errors import BadInput
from vehicle.models.memory_limit import limit_memory
print(limit_memory(100 << 20), limit_memory(10 << 20))
try:
    bytearray(400 << 20)
except MemoryError:
    print("refused")
try:
    limit_memory(100 << 20)
except BadInput as error:
    print(error)
"""


def test_a_process_is_held_to_the_limit_and_never_raises_it() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    limits, refused, sentence = done.stdout.splitlines()
    assert (limits, refused) == (f"{450 * MB} {180 * MB}", "refused")
    assert "has 100 MB of weights and needs 300 MB of memory, of which this machine has 180 MB" in sentence
