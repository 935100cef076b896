"""Takes the network from a process that runs an untrusted model: a seccomp filter that refuses to create sockets.

Open descriptors continue to work (the channels to the guard, the camera), and files and devices can be opened, so a
camera can be reopened. Refused with EACCES: sockets, unless the camera's driver needs some; io_uring, which could
create them past the filter; new processes and programs; and access to other processes of the user.
Source: seccomp(2), linux/filter.h, linux/audit.h; the numbers of the calls from each machine's unistd.h.
"""

import ctypes
import errno
import os
import struct
import sys
from dataclasses import dataclass
from typing import Literal

# Sockets that a camera's driver may still open: none, the kernel's device events (libcamera), sockets within this
# machine (the mock world's camera), or any (a network camera), which leaves the pilot without a filter.
AllowedSockets = Literal["none", "device events", "local", "any"]

_LOAD, _IF_EQUAL, _IF_NOT_BELOW, _IF_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST, _THIRD = 0, 4, 16, 32  # offsets in struct seccomp_data; its arguments have 64 bits each
_KILL, _ALLOW, _FAIL = 0x80000000, 0x7FFF0000, 0x00050000
_REFUSE = _FAIL | errno.EACCES
_AF_UNIX, _AF_NETLINK, _KOBJECT_UEVENT, _CLONE_THREAD = 1, 16, 15, 0x10000
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2

# struct sock_filter: code, instructions to skip if the comparison holds, and if it does not, constant.
_BpfInstruction = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class SyscallTable:
    """System call numbers of one architecture. Numbers from `foreign_from` on belong to another table (x32)."""

    arch: int
    seccomp: int
    socket: int
    connect: int
    bind: int
    clone: int
    always_refused: tuple[int, ...]  # see ALWAYS_REFUSED
    foreign_from: int = 0xFFFFFFFF


CLONE3 = 435
ALWAYS_REFUSED = (
    *("accept", "listen", "accept4", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd"),
    *("execve", "execveat", "io_uring_setup", "io_uring_enter", "io_uring_register", "fork", "vfork"),
)
SYSCALL_TABLES: dict[str, SyscallTable] = {
    "x86_64": SyscallTable(
        0xC000003E, 317, 41, 42, 49, 56, (43, 50, 288, 101, 310, 311, 438, 59, 322, 425, 426, 427, 57, 58), 0x40000000
    ),
    # This architecture has no fork and no vfork: clone does both.
    "aarch64": SyscallTable(
        0xC00000B7, 277, 198, 203, 200, 220, (202, 201, 242, 117, 270, 271, 438, 221, 281, 425, 426, 427)
    ),
}


_FAMILIES: dict[AllowedSockets, list[_BpfInstruction]] = {
    "none": [(_RETURN, 0, 0, _REFUSE)],
    "local": [
        (_LOAD, 0, 0, _FIRST),
        (_IF_EQUAL, 1, 0, _AF_UNIX),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ],
    "device events": [
        (_LOAD, 0, 0, _FIRST),
        (_IF_EQUAL, 1, 0, _AF_NETLINK),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _THIRD),
        (_IF_EQUAL, 1, 0, _KOBJECT_UEVENT),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ],
}


def filter_program(machine: SyscallTable, sockets: AllowedSockets) -> list[_BpfInstruction]:
    """The BPF instructions of the filter. Each refusal is a comparison and a return, which is skipped if not equal."""
    refused = list(machine.always_refused)
    refused += [] if sockets == "local" else [machine.connect]
    refused += [] if sockets == "device events" else [machine.bind]
    return [
        (_LOAD, 0, 0, _ARCH),
        (_IF_EQUAL, 1, 0, machine.arch),
        (_RETURN, 0, 0, _KILL),  # a call by another architecture's interface, which this program never makes
        (_LOAD, 0, 0, _NUMBER),
        (_IF_NOT_BELOW, 0, 1, machine.foreign_from),
        (_RETURN, 0, 0, _REFUSE),
        *(line for number in refused for line in ((_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE))),
        # Its flags are in memory, which a filter cannot read: with ENOSYS the C library falls back to clone.
        (_IF_EQUAL, 0, 1, CLONE3),
        (_RETURN, 0, 0, _FAIL | errno.ENOSYS),
        (_IF_EQUAL, 0, 4, machine.clone),
        (_LOAD, 0, 0, _FIRST),
        (_IF_BITS, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _REFUSE),  # a process; a thread is allowed
        (_RETURN, 0, 0, _ALLOW),
        (_IF_EQUAL, 1, 0, machine.socket),
        (_RETURN, 0, 0, _ALLOW),
        *_FAMILIES[sockets],
    ]


def forbid_sockets(sockets: AllowedSockets = "none") -> list[str]:
    """Install the filter for all threads of this process, irrevocably. Returns sentences for what was not possible."""
    if sockets == "any":
        return ["The camera's driver needs the network, so the policy's process keeps it."]
    machine = SYSCALL_TABLES.get(os.uname().machine)
    if machine is None or sys.maxsize < 2**32:
        return [f"The network cannot be taken away on {os.uname().machine}: there is no filter for it."]
    lines = filter_program(machine, sockets)
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines), 8 * len(lines))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(lines), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return [f"The network could not be taken away ({os.strerror(ctypes.get_errno())})."]
    if libc.syscall(machine.seccomp, _SET_MODE_FILTER, _ALL_THREADS, head) == 0:
        return []
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, head, 0, 0) == 0:
        return ["The network could be taken away from one thread only: this kernel's seccomp call is refused."]
    return [f"The network could not be taken away ({os.strerror(ctypes.get_errno())})."]
