"""A signal is heard that arrives behind the last instruction before a wait, where it interrupts nothing."""

import ctypes
import operator
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from types import FrameType

import pytest

from shared.process.signals import outlives_terminal, wait_for_any_child, wait_for_process, wait_until_set

PATIENCE_S = 20.0  # reached only on failure


class Heard(Exception):
    """Raised by the handler."""


@pytest.fixture
def handler() -> Iterator[None]:
    def hear(_signal: int, _frame: FrameType | None) -> None:
        raise Heard

    before = signal.signal(signal.SIGUSR1, hear)
    yield
    signal.signal(signal.SIGUSR1, before)


# It keeps the interpreter's lock, and no handler runs before the next Python instruction.
signal_us = partial(ctypes.PyDLL(None).kill, os.getpid(), int(signal.SIGUSR1))


def signalled_then_blocked(timeout_s: float | None) -> None:
    """The signal comes, and the wait begins without a Python instruction between them."""
    lock = threading.Lock()
    lock.acquire()
    list(map(operator.call, (signal_us, partial(lock.acquire, True, PATIENCE_S if timeout_s is None else timeout_s))))


class SignalledAtTheLastMoment(threading.Event):
    """Before it waits, the signal has come and its handler has not run."""

    def wait(self, timeout: float | None = None) -> bool:
        began_s = time.monotonic()
        try:
            signalled_then_blocked(timeout)
        finally:
            assert time.monotonic() - began_s < PATIENCE_S, "it was not heard until the wait had ended"
        return False


def test_the_wait_for_an_event_hears_it(handler: None) -> None:
    with pytest.raises(Heard):
        wait_until_set(SignalledAtTheLastMoment())


def test_the_wait_for_an_event_ends_when_it_is_set() -> None:
    event = threading.Event()
    event.set()
    wait_until_set(event)


class SignalledProcess(subprocess.Popen[bytes]):
    """As an event above, until it is left undisturbed."""

    disturbed = True

    def wait(self, timeout: float | None = None) -> int:
        if self.disturbed:
            SignalledAtTheLastMoment().wait(timeout)
        return super().wait(timeout)


def test_the_wait_for_a_process_hears_it(handler: None) -> None:
    command = [sys.executable, "-c", "input()"]
    process = SignalledProcess(command, stdin=subprocess.PIPE)
    with pytest.raises(Heard):
        wait_for_process(process)
    process.disturbed = False
    process.communicate(b"\n")
    assert wait_for_process(process) == 0


def test_the_wait_for_a_child_never_blocks_behind_a_signal(handler: None, monkeypatch: pytest.MonkeyPatch) -> None:
    options: list[int] = []

    def waitpid(_pid: int, option: int) -> tuple[int, int]:
        options.append(option)
        signal_us()
        return 0, 0

    monkeypatch.setattr(os, "waitpid", waitpid)
    with pytest.raises(Heard):
        wait_for_any_child()
    assert options == [os.WNOHANG]


CHILD = """
import os, sys
from shared.process.signals import wait_for_any_child
child = os.fork()
if not child:
    os._exit(3)
ended, status = wait_for_any_child()
print(ended == child, os.waitstatus_to_exitcode(status))
try:
    wait_for_any_child()
except ChildProcessError:
    print("no child")
"""


def test_the_wait_for_a_child_tells_which_has_ended_and_how() -> None:
    """In a process without other children, which it would reap as well."""
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout.split("\n") == ["True 3", "no child", ""]


@pytest.fixture
def is_at_a_terminal() -> Iterator[None]:
    """A terminal that closes ends this process, as it does by default: whoever started the tests may have kept it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("is_at_a_terminal")
def test_a_terminal_that_closes_ends_neither_the_work_nor_what_it_starts() -> None:
    words = ["sh", "-c", "kill -HUP $$; echo goes on"]
    before = [signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)]
    assert subprocess.run(words, check=False, capture_output=True).returncode == -signal.SIGHUP
    with outlives_terminal():
        os.kill(os.getpid(), signal.SIGHUP)
        assert subprocess.run(words, check=True, capture_output=True).stdout == b"goes on\n"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)] == before


def test_a_thread_leaves_signals_alone() -> None:
    def work() -> None:
        with outlives_terminal():
            seen.append(signal.getsignal(signal.SIGHUP))

    seen = list[object]()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGHUP)]
