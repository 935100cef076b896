"""Runs a program under the system call filter of a unit, as systemd would: for the tests of the units.

    python call_filter.py UNIT PROGRAM ARGUMENT...

Sets of calls come from `systemd-analyze syscall-filter`, the filter is made by libseccomp, which systemd uses too.
Source: systemd.exec(5), SystemCallFilter= and SystemCallErrorNumber=; seccomp_init(3), seccomp_rule_add(3).
"""

import ctypes
import errno
import os
import pathlib
import re
import subprocess
import sys

KILL_PROCESS, ALLOW, ERRNO = 0x80000000, 0x7FFF0000, 0x00050000


def values(unit: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE)


def calls_of(sets: dict[str, list[str]], word: str) -> set[str]:
    """The calls that a word of the filter means: one, or all of a set, with the sets inside it."""
    if not word.startswith("@"):
        return {word}
    return set().union(*(calls_of(sets, each) for each in sets[word]))


def known_sets() -> dict[str, list[str]]:
    words = ["systemd-analyze", "syscall-filter", "--no-pager"]
    text = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout
    sets: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif line.startswith("    ") and not line.strip().startswith("#"):
            sets[name].append(line.strip())
    return sets


def allowed(unit: str, sets: dict[str, list[str]]) -> set[str]:
    """The calls that a unit allows: a later line takes away from, or adds to, the ones before."""
    calls = calls_of(sets, "@default")
    for line in values(unit, "SystemCallFilter"):
        words = set().union(*(calls_of(sets, word.partition(":")[0]) for word in line.lstrip("~").split()))
        calls = calls - words if line.startswith("~") else calls | words
    return calls


def answered(unit: str) -> dict[str, int]:
    """The calls that a unit refuses with an error number of their own; 0 is success without doing anything.

    As systemd takes them beside an allow list (src/shared/seccomp-util.c, seccomp_parse_syscall_filter); a number on a
    call that is allowed it ignores.
    """
    lines = [line for line in values(unit, "SystemCallFilter") if line.startswith("~")]
    words = [word.partition(":") for line in lines for word in line.removeprefix("~").split()]
    return {name: int(number) for name, _, number in words if number}


def confine(unit: str) -> None:
    """Puts this process under the unit's filter. It also sets "no new privileges"."""
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    number = values(unit, "SystemCallErrorNumber")
    refusal = ERRNO | getattr(errno, number[-1]) if number else KILL_PROCESS
    made = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(refusal)))
    actions = dict.fromkeys(allowed(unit, known_sets()), ALLOW)
    actions |= {name: ERRNO | number for name, number in answered(unit).items()}
    for name, action in actions.items():
        if (call := library.seccomp_syscall_resolve_name(name.encode())) >= 0:  # below: not of this processor
            assert library.seccomp_rule_add(made, ctypes.c_uint32(action), call, 0) == 0, name
    assert library.seccomp_load(made) == 0


if __name__ == "__main__":
    confine(pathlib.Path(sys.argv[1]).read_text())
    os.execv(sys.argv[2], sys.argv[2:])
