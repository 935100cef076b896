"""The seccomp filter, tried in real processes: what is refused, what still works, and where there is no filter."""

import ctypes
import json
import os
import subprocess
import sys
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.process.seccomp import (
    MACHINES,
    AllowedSockets,
    argument_rules,
    filter_program,
    install_filter,
    refused_calls,
)
from vehicle.process.system_calls import FIRST_UNKNOWN

CHILD = """
import ctypes, errno, json, os, socket, sys, threading
from vehicle.process.seccomp import install_filter

one, other = socket.socketpair()
begin, done, late = threading.Event(), threading.Event(), {}

def tried(what):
    try:
        what()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

def connect():  # of a descriptor that the parent handed down
    socket.socket(fileno=os.dup(int(sys.argv[2]))).connect(("127.0.0.1", 9))

def bind():
    socket.socket(fileno=os.dup(int(sys.argv[2]))).bind(("127.0.0.1", 0))

def netlink():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15) as events:
        events.bind((0, 1))

def call(number, *words):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *words) == -1:
        raise OSError(ctypes.get_errno(), "")

def fork():
    if not (pid := os.fork()):
        os._exit(0)
    os.waitpid(pid, 0)

def earlier():  # a thread that was there before the filter
    begin.wait()
    late["thread"] = tried(lambda: socket.socket().close())
    done.set()

def thread():
    new = threading.Thread(target=one.send, args=(b"x",))
    new.start()
    new.join()
    assert other.recv(1) == b"x"

CALLS = {
    "inet": lambda: socket.socket(socket.AF_INET).close(),
    "inet6": lambda: socket.socket(socket.AF_INET6).close(),
    "packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "unix": lambda: socket.socket(socket.AF_UNIX).close(),
    "route": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close(),
    "netlink": netlink,
    "connect": connect,
    "bind": bind,
    "io_uring": lambda: call(425, 1, 0),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "fork": fork,
    "ptrace": lambda: call(101 if os.uname().machine == "x86_64" else 117, 16, 1, 0, 0),
    "pidfd_getfd": lambda: call(438, 0, 0, 0),
    "pair": lambda: [end.close() for end in socket.socketpair()],
    "open": lambda: open("/dev/null", "rb").close(),
    "thread": thread,
}
old = threading.Thread(target=earlier, daemon=True)
old.start()
problems = install_filter(sys.argv[1])
begin.set()
assert done.wait(30)
outcomes = {name: tried(action) for name, action in CALLS.items()}
print(json.dumps({"problems": problems, "old thread": late["thread"]} | outcomes))
"""
REFUSED = "EACCES"
MACHINE = os.uname().machine
needs_filter = pytest.mark.skipif(MACHINE not in MACHINES, reason=f"there is no filter for {MACHINE}")


def outcomes(sockets: AllowedSockets) -> dict[str, Any]:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handed:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, sockets, str(handed.fileno())],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            pass_fds=(handed.fileno(),),
        )
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads(done.stdout)
    return results


@needs_filter
@pytest.mark.parametrize(
    ("sockets", "allowed"),
    [("none", set()), ("device events", {"netlink", "bind"}), ("local", {"unix", "connect"})],
)
def test_what_is_refused_and_what_goes_on(sockets: AllowedSockets, allowed: set[str]) -> None:
    results = outcomes(sockets)
    assert results.pop("problems") == []
    assert results.pop("old thread") == REFUSED
    for name in ("pair", "open", "thread"):
        assert results.pop(name) == "done", name
    assert {name for name, how in results.items() if how != REFUSED} == allowed
    assert {results[name] for name in allowed} <= {"done"}


def test_a_driver_that_needs_the_network_keeps_it_and_nothing_else_and_that_is_said() -> None:
    results = outcomes("any")
    (said,) = results.pop("problems")
    assert "keeps it" in said
    assert results.pop("old thread") == "done"
    refused = {name for name, how in results.items() if how == REFUSED}
    assert refused == {"io_uring", "exec", "fork", "ptrace", "pidfd_getfd"}


@pytest.mark.parametrize("machine", ["armv7l", "riscv64", "i686"])
def test_where_there_is_no_filter_it_is_said(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.uname()
    named = os.uname_result((real.sysname, real.nodename, real.release, real.version, machine))
    monkeypatch.setattr(os, "uname", lambda: named)
    (said,) = install_filter()
    assert said.startswith(f"There is no filter of system calls for {machine}: ")


def test_a_kernel_that_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Kernel:
        """Refuses everything."""

        def prctl(self, *_: object) -> int:
            return -1

        def syscall(self, *_: object) -> int:
            return -1

    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("", "", "", "", "x86_64")))
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Kernel())
    assert "refused no_new_privs" in install_filter()[0]


PID, CAMERA_PROGRAM = 4711, 4712


def run_filter(machine: str, sockets: AllowedSockets, arch: int, number: int, arguments: tuple[int, ...]) -> int:
    """What the kernel would return: interprets the filter program for one system call."""
    words = {0: number, 4: arch} | {16 + 8 * place: value & 0xFFFFFFFF for place, value in enumerate(arguments)}
    lines, at, loaded = filter_program(MACHINES[machine], sockets, PID, (CAMERA_PROGRAM,)), 0, 0
    while True:
        code, yes, no, constant = lines[at]
        at += 1
        if code == 0x20:
            loaded = words[constant]
        elif code == 0x06:
            return constant
        else:
            holds = {0x15: loaded == constant, 0x35: loaded >= constant, 0x45: bool(loaded & constant)}[code]
            at += yes if holds else no


MODES: list[AllowedSockets] = list(get_args(AllowedSockets))
ALLOW, EACCES, ENOSYS, KILL = 0x7FFF0000, 0x0005000D, 0x00050026, 0x80000000


@given(
    st.sampled_from(sorted(MACHINES)),
    st.sampled_from(MODES),
    st.one_of(st.integers(0, 2**32 - 1), st.integers(0, FIRST_UNKNOWN)),
    st.tuples(*[st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, PID, CAMERA_PROGRAM]))] * 6),
)
def test_every_call_has_an_end_and_only_what_is_named_is_refused(
    name: str, sockets: AllowedSockets, number: int, arguments: tuple[int, ...]
) -> None:
    machine = MACHINES[name]
    names = {value: call for call, value in machine.calls.items()}
    call = names.get(number, "")
    rules = [rule for rule in argument_rules(sockets, PID, (CAMERA_PROGRAM,)) if rule.call == call]
    if number >= FIRST_UNKNOWN or call == "clone3":
        expected = ENOSYS
    elif call in refused_calls(sockets) or (call == "clone" and not arguments[0] & 0x10000):
        expected = EACCES
    else:
        kept = all((arguments[rule.argument] in rule.values) == rule.is_allowed for rule in rules)
        expected = ALLOW if kept else EACCES
    assert run_filter(name, sockets, machine.arch, number, arguments) == expected
    assert run_filter(name, sockets, machine.arch ^ 1, number, arguments) == KILL


THIS, ITS, GUARD, GROUP = PID, CAMERA_PROGRAM, 99, 0xFFFFFFFF - 98  # the last: the guard's process group, -99
BY_ARGUMENT = [
    ("kill", (THIS, 9), True),
    ("kill", (ITS, 2), True),
    ("kill", (GUARD, 19), False),
    ("kill", (0, 19), False),  # the process group, with the guard in it
    ("kill", (0xFFFFFFFF, 9), False),  # all processes
    ("kill", (GROUP, 9), False),
    ("tgkill", (THIS, 8, 6), True),  # abort()
    ("tgkill", (GUARD, GUARD, 19), False),
    ("prlimit64", (0, 7), True),
    ("prlimit64", (GUARD, 7), False),
    ("setpriority", (0, 0, 5), True),
    ("setpriority", (0, GUARD, 19), False),
    ("setpriority", (1, 0, 19), False),  # of the process group
    ("setpriority", (2, 0, 19), False),  # of the user
    ("sched_setscheduler", (0, 1), True),
    ("sched_setscheduler", (GUARD, 5), False),
    ("sched_setaffinity", (GUARD, 8), False),
    ("sched_setattr", (GUARD, 0), False),
    ("fcntl", (3, 4), True),  # F_SETFL
    ("fcntl", (3, 8, GUARD), False),  # F_SETOWN
    ("fcntl", (3, 15), False),  # F_SETOWN_EX
    ("fcntl", (3, 1024), False),  # F_SETLEASE
    ("ioctl", (3, 0xC0585611), True),  # VIDIOC_DQBUF
    ("ioctl", (2, 0x5412), False),  # TIOCSTI
    ("ioctl", (3, 0x8901), False),  # FIOSETOWN
    ("prctl", (15, 0), True),  # PR_SET_NAME
    ("prctl", (1, 0), False),  # PR_SET_PDEATHSIG
    ("socketpair", (1, 1), True),
    ("socketpair", (30, 1), False),  # AF_TIPC
]


@pytest.mark.parametrize("name", sorted(MACHINES))
@pytest.mark.parametrize(("call", "arguments", "is_allowed"), BY_ARGUMENT)
def test_a_call_is_judged_by_its_argument(name: str, call: str, arguments: tuple[int, ...], is_allowed: bool) -> None:
    machine = MACHINES[name]
    padded = (*arguments, *[0] * (6 - len(arguments)))
    for sockets in MODES:
        verdict = run_filter(name, sockets, machine.arch, machine.calls[call], padded)
        assert verdict == (ALLOW if is_allowed else EACCES)


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_the_numbers_are_those_of_libseccomp(name: str) -> None:
    """Of the library that systemd filters by (2.5.4, Debian 12); calls since Linux 6.6 it does not know yet."""
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp.so.2 is not installed: nothing to compare the numbers with")
    machine, late = MACHINES[name], {"setxattrat", "removexattrat", "open_tree_attr", "file_setattr"}
    resolve = library.seccomp_syscall_resolve_name_arch
    known = {call: resolve(ctypes.c_uint32(machine.arch), call.encode()) for call in machine.calls}
    assert {call for call, number in known.items() if number == -1} <= late
    assert {call: n for call, n in known.items() if n != -1} == {
        call: n for call, n in machine.calls.items() if known[call] != -1
    }
    missing = {call for call in MACHINES["x86_64"].calls if call not in machine.calls}
    # Below 0: this machine has no such call, and the library says so.
    assert all(resolve(ctypes.c_uint32(machine.arch), call.encode()) < 0 for call in missing)
    assert len(set(machine.calls.values())) == len(machine.calls)


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_a_thread_is_allowed_and_a_process_is_not(name: str) -> None:
    machine = MACHINES[name]
    assert run_filter(name, "none", machine.arch, machine.calls["clone"], (0x11, 0, 0, 0, 0, 0)) == EACCES  # a fork
    assert run_filter(name, "none", machine.arch, machine.calls["clone"], (0x3D0F00, 0, 0, 0, 0, 0)) == ALLOW
    assert run_filter(name, "none", machine.arch, machine.calls["clone3"], (0, 0, 0, 0, 0, 0)) == ENOSYS
