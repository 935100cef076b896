"""Checks a stranger's bundle in a child that may take only so much memory and time, whatever stands in the bundle.

`raceday protest --check` calls `check_in_child`; the child runs `main`, which loads only what a bundle carries too.
What verify.py counts before it reads keeps an honest bundle far below these limits; they hold for what nobody foresaw.
"""

import resource
import signal
import subprocess
import sys
from collections.abc import Sequence

from station.evidence.verify import check_and_print

MAX_MEMORY_BYTES = 400 * 1024 * 1024  # address space of the child; the caller has less than 100 MB of its own
MAX_CPU_S = 20
MAX_S = 28.0  # by the wall clock, also on a machine that is busy with other things


def check_in_child(bundle: str, keys: frozenset[str], cpu_s: int = MAX_CPU_S, wait_s: float = MAX_S) -> int:
    """Checks the bundle at the path `bundle`; prints the outcome. Returns the exit code, 1 if it falls.

    `keys`: the public keys to trust, in hexadecimal; if empty, any key is accepted.
    """
    # -P: the current folder is no place to load a module from; the bundle may lie beside a stranger's json.py.
    command = [sys.executable, "-P", "-m", "station.evidence.limited_check", str(cpu_s), bundle, *sorted(keys)]
    try:
        child = subprocess.run(command, check=False, timeout=wait_s, capture_output=True, text=True, errors="replace")
    except subprocess.TimeoutExpired:
        return _fallen(f"its check takes longer than {wait_s:.0f} s, which that of no run's bundle does.")
    if child.returncode == -signal.SIGXCPU:
        return _fallen(f"its check takes more than {cpu_s} s of processor time, which that of no run's bundle does.")
    if child.returncode not in (0, 1):
        return _fallen("it ended the program that checked it: it wants more than any run's bundle.")
    sys.stdout.write(child.stdout)
    sys.stderr.write(child.stderr)
    return child.returncode


def _fallen(why: str) -> int:
    print(f"The bundle does NOT stand: {why}", file=sys.stderr)  # noqa: T201  the answer
    return 1


def main(arguments: Sequence[str]) -> int:
    """Entry point of the child: sets the limits, then reads the bundle. `arguments`: seconds, the bundle, the keys."""
    cpu_s, bundle, *keys = arguments
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s), int(cpu_s) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    return check_and_print(bundle, frozenset(keys))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
