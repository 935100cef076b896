"""Takes from a process that runs an untrusted model what it does not need of the kernel: a seccomp filter.

Open descriptors continue to work (the channels to the guard, the camera). Refused with EACCES: sockets, unless the
camera's driver needs some; signals to other processes and whatever else reaches into them; new processes and programs;
changes of files' rights, which Landlock does not govern; and what is shared by all processes of a user. Which files can
be opened is Landlock's matter (landlock.py).
Source: seccomp(2), linux/filter.h, linux/audit.h; the numbers of the calls are in system_calls.py.
"""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vehicle.process.system_calls import (
    AARCH64,
    FILE_ATTRIBUTES,
    FIRST_UNKNOWN,
    KERNEL,
    MESSAGES,
    OTHER_PROCESSES,
    PROGRAMS,
    SERVERS,
    SHARED_RESOURCES,
    SHUTDOWN,
    X86_64,
    names_of,
)

# Sockets that a camera's driver may still open: none, the kernel's device events (libcamera), sockets within this
# machine (the mock world's camera), or any (a network camera).
AllowedSockets = Literal["none", "device events", "local", "any"]

_LOAD, _IF_EQUAL, _IF_NOT_BELOW, _IF_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; its arguments have 64 bits each
_KILL, _ALLOW, _FAIL = 0x80000000, 0x7FFF0000, 0x00050000
_REFUSE, _UNKNOWN = _FAIL | errno.EACCES, _FAIL | errno.ENOSYS
_AF_UNIX, _AF_NETLINK, _KOBJECT_UEVENT, _CLONE_THREAD, _SO_SNDBUF = 1, 16, 15, 0x10000, 7
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_THIS_THREAD = (0,)
# Signals that the kernel sends for a descriptor go to whom its owner names: F_SETOWN, F_SETSIG, F_SETOWN_EX. A lease
# (F_SETLEASE) makes whoever opens the file wait for up to 45 s; F_NOTIFY signals too.
_FCNTL = (8, 10, 15, 1024, 1026)
# Typing into the terminal of the log (TIOCSTI, TIOCLINUX), taking it (TIOCSCTTY, TIOCSPGRP), FIOSETOWN, SIOCSPGRP.
_IOCTL = (0x5412, 0x541C, 0x540E, 0x5410, 0x8901, 0x8902)
_PRCTL = (1, 62)  # to outlive the guard (PR_SET_PDEATHSIG), or tie it to this process's turns (PR_SCHED_CORE)
_HAS_NETWORK = "The camera's driver needs the network, so the policy's process keeps it."
_OPEN = "what drives may use the network, and stop the guard or change its limits."

# struct sock_filter: code, instructions to skip if the comparison holds, and if it does not, constant.
_BpfInstruction = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class SeccompMachine:
    """One architecture: its number in linux/audit.h, and its system calls' numbers by name."""

    arch: int
    calls: dict[str, int]


@dataclass(frozen=True, slots=True)
class ArgumentRule:
    """A call that is refused by one argument, counted from 0: `values` are the only ones allowed, or the refused ones.

    Of the argument the lower 32 bits count, as for the kernel: all of these are an int there.
    """

    call: str
    argument: int
    values: tuple[int, ...]
    is_allowed: bool


MACHINES: dict[str, SeccompMachine] = {
    "x86_64": SeccompMachine(0xC000003E, X86_64),
    "aarch64": SeccompMachine(0xC00000B7, AARCH64),
}
_ALWAYS = (PROGRAMS, OTHER_PROCESSES, FILE_ATTRIBUTES, SHARED_RESOURCES, KERNEL, SHUTDOWN)
_SOCKET_CALLS: dict[AllowedSockets, tuple[str, ...]] = {  # refused whatever their arguments are
    "none": (*names_of(SERVERS, MESSAGES), "socket", "connect", "bind", "setsockopt"),
    "device events": (*names_of(SERVERS), "connect"),
    "local": (*names_of(SERVERS), "bind"),
    "any": (),
}
_SOCKET_KINDS: dict[AllowedSockets, tuple[ArgumentRule, ...]] = {
    "none": (),
    "device events": (
        ArgumentRule("socket", 0, (_AF_NETLINK,), is_allowed=True),
        ArgumentRule("socket", 2, (_KOBJECT_UEVENT,), is_allowed=True),
    ),
    "local": (ArgumentRule("socket", 0, (_AF_UNIX,), is_allowed=True),),
    "any": (),
}


def refused_calls(sockets: AllowedSockets) -> tuple[str, ...]:
    """The names of the calls that are refused whatever their arguments are."""
    return names_of(*_ALWAYS) + _SOCKET_CALLS[sockets]


def argument_rules(sockets: AllowedSockets, pid: int, own_children: Sequence[int] = ()) -> tuple[ArgumentRule, ...]:
    """The rules for the process `pid`, which may still end its `own_children`, such as a camera's program."""
    return (
        # 0 and negative numbers are process groups: the guard is in ours.
        ArgumentRule("kill", 0, (pid, *own_children), is_allowed=True),
        ArgumentRule("tgkill", 0, (pid,), is_allowed=True),
        ArgumentRule("prlimit64", 0, (0, pid), is_allowed=True),
        ArgumentRule("setpriority", 0, (os.PRIO_PROCESS,), is_allowed=True),
        ArgumentRule("setpriority", 1, _THIS_THREAD, is_allowed=True),
        *(
            ArgumentRule(call, 0, (*_THIS_THREAD, pid), is_allowed=True)
            for call in ("sched_setscheduler", "sched_setparam", "sched_setaffinity", "sched_setattr")
        ),
        ArgumentRule("fcntl", 1, _FCNTL, is_allowed=False),
        ArgumentRule("ioctl", 1, _IOCTL, is_allowed=False),
        ArgumentRule("prctl", 0, _PRCTL, is_allowed=False),
        ArgumentRule("socketpair", 0, (_AF_UNIX,), is_allowed=True),
        # The channels of laps and frames outlive this process: a small buffer would stay for the next pilot.
        ArgumentRule("setsockopt", 2, (_SO_SNDBUF,), is_allowed=False),
        *_SOCKET_KINDS[sockets],
    )


def filter_program(
    machine: SeccompMachine, sockets: AllowedSockets, pid: int, own_children: Sequence[int] = ()
) -> list[_BpfInstruction]:
    """The BPF instructions of the filter. Each refusal is a comparison and a return, which is skipped if not equal."""
    calls = machine.calls
    numbers = [calls[name] for name in refused_calls(sockets) if name in calls]
    return [
        (_LOAD, 0, 0, _ARCH),
        (_IF_EQUAL, 1, 0, machine.arch),
        (_RETURN, 0, 0, _KILL),  # a call by another architecture's interface, which this program never makes
        (_LOAD, 0, 0, _NUMBER),
        # What came after this filter was written, and another table (x32): libraries do without, as on older kernels.
        (_IF_NOT_BELOW, 0, 1, FIRST_UNKNOWN),
        (_RETURN, 0, 0, _UNKNOWN),
        *(line for number in numbers for line in ((_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE))),
        # Its flags are in memory, which a filter cannot read: with ENOSYS the C library falls back to clone.
        (_IF_EQUAL, 0, 1, calls["clone3"]),
        (_RETURN, 0, 0, _UNKNOWN),
        (_IF_EQUAL, 0, 4, calls["clone"]),
        (_LOAD, 0, 0, _ARGUMENTS),
        (_IF_BITS, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _REFUSE),  # a process; a thread is allowed
        (_RETURN, 0, 0, _ALLOW),
        *(line for rule in argument_rules(sockets, pid, own_children) for line in _rule_lines(rule, calls)),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _rule_lines(rule: ArgumentRule, calls: dict[str, int]) -> list[_BpfInstruction]:
    """A block that refuses by the rule; behind it the call's number is loaded again for the next block."""
    last = len(rule.values) - 1
    compared = [
        # A match jumps over the refusal if the value is allowed, and to it if not.
        (_IF_EQUAL, last - index + (1 if rule.is_allowed else 0), int(index == last and not rule.is_allowed), value)
        for index, value in enumerate(rule.values)
    ]
    block = [(_LOAD, 0, 0, _ARGUMENTS + 8 * rule.argument), *compared, (_RETURN, 0, 0, _REFUSE), (_LOAD, 0, 0, _NUMBER)]
    return [(_IF_EQUAL, 0, len(block), calls[rule.call]), *block]


def left_open_without_filter(machine: str) -> str:
    """What a filter would refuse, as a sentence about a machine for which there is none; "" where there is one."""
    if machine in MACHINES and sys.maxsize > 2**32:
        return ""
    return f"There is no filter of system calls for {machine}: {_OPEN}"


def install_filter(sockets: AllowedSockets = "none", own_children: Sequence[int] = ()) -> list[str]:
    """Install the filter for all threads of this process, irrevocably. Returns sentences for what stays open.

    `own_children`: processes that it may still end, such as a camera's program.
    """
    if sentence := left_open_without_filter(os.uname().machine):
        return [sentence]
    open_points = [_HAS_NETWORK] if sockets == "any" else []
    machine = MACHINES[os.uname().machine]
    lines = filter_program(machine, sockets, os.getpid(), own_children)
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines), 8 * len(lines))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(lines), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return [f"The kernel refused no_new_privs ({os.strerror(ctypes.get_errno())}), and so the filter: {_OPEN}"]
    if libc.syscall(machine.calls["seccomp"], _SET_MODE_FILTER, _ALL_THREADS, head) == 0:
        return open_points
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, head, 0, 0) == 0:
        return [*open_points, "The filter of system calls holds for one thread only: the seccomp call is refused."]
    return [f"The kernel refused the filter of system calls ({os.strerror(ctypes.get_errno())}): {_OPEN}"]
