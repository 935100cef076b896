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
    ALWAYS_REFUSED,
    CLONE3,
    SYSCALL_TABLES,
    AllowedSockets,
    filter_program,
    forbid_sockets,
)

CHILD = """
import ctypes, errno, json, os, socket, sys, threading
from vehicle.process.seccomp import forbid_sockets

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
problems = forbid_sockets(sys.argv[1])
begin.set()
assert done.wait(30)
outcomes = {name: tried(action) for name, action in CALLS.items()}
print(json.dumps({"problems": problems, "old thread": late["thread"]} | outcomes))
"""
REFUSED = "EACCES"
MACHINE = os.uname().machine
needs_filter = pytest.mark.skipif(MACHINE not in SYSCALL_TABLES, reason=f"there is no filter for {MACHINE}")


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


def test_a_driver_that_needs_the_network_keeps_it_and_that_is_said() -> None:
    assert "keeps it" in forbid_sockets("any")[0]


@pytest.mark.parametrize("machine", ["armv7l", "riscv64", "i686"])
def test_where_there_is_no_filter_it_is_said(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.uname()
    named = os.uname_result((real.sysname, real.nodename, real.release, real.version, machine))
    monkeypatch.setattr(os, "uname", lambda: named)
    assert forbid_sockets() == [f"The network cannot be taken away on {machine}: there is no filter for it."]


def test_a_kernel_that_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Kernel:
        """Refuses everything."""

        def prctl(self, *_: object) -> int:
            return -1

        def syscall(self, *_: object) -> int:
            return -1

    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("", "", "", "", "x86_64")))
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Kernel())
    assert "could not be taken away" in forbid_sockets()[0]


def run_filter(machine: str, sockets: AllowedSockets, arch: int, number: int, arguments: tuple[int, ...]) -> int:
    """What the kernel would return: interprets the filter program for one system call."""
    words = {0: number, 4: arch} | {16 + 8 * place: value & 0xFFFFFFFF for place, value in enumerate(arguments)}
    lines, at, loaded = filter_program(SYSCALL_TABLES[machine], sockets), 0, 0
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


MODES: list[AllowedSockets] = [mode for mode in get_args(AllowedSockets) if mode != "any"]
ALLOW = 0x7FFF0000


@given(
    st.sampled_from(sorted(SYSCALL_TABLES)),
    st.sampled_from(MODES),
    st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 500)),
    st.tuples(*[st.integers(0, 2**32 - 1)] * 6),
)
def test_every_call_has_an_end_and_only_what_is_named_is_refused(
    name: str, sockets: AllowedSockets, number: int, arguments: tuple[int, ...]
) -> None:
    machine = SYSCALL_TABLES[name]
    verdict = run_filter(name, sockets, machine.arch, number, arguments)
    named = {*machine.always_refused, machine.socket, machine.connect, machine.bind, machine.clone, CLONE3}
    assert verdict == ALLOW or number in named or number >= machine.foreign_from
    assert run_filter(name, sockets, machine.arch ^ 1, number, arguments) == 0x80000000
    if number in machine.always_refused:
        assert verdict == 0x0005000D


@pytest.mark.parametrize("name", sorted(SYSCALL_TABLES))
def test_the_table_names_each_call_once(name: str) -> None:
    machine = SYSCALL_TABLES[name]
    assert (
        len(set(machine.always_refused))
        == len(machine.always_refused)
        == len(ALWAYS_REFUSED) - (0 if name == "x86_64" else 2)
    )
    assert run_filter(name, "none", machine.arch, machine.clone, (0x11, 0, 0, 0, 0, 0)) != ALLOW  # a fork
    assert run_filter(name, "none", machine.arch, machine.clone, (0x3D0F00, 0, 0, 0, 0, 0)) == ALLOW  # a thread
    assert run_filter(name, "none", machine.arch, CLONE3, (0, 0, 0, 0, 0, 0)) == 0x00050026  # ENOSYS
