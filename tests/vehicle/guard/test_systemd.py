"""systemd is notified as its protocol demands, on a socket of ours; without systemd nothing fails."""

import os
import pathlib
import socket
from collections.abc import Iterator

import pytest

from vehicle.guard.systemd import SystemdNotifier


@pytest.fixture
def systemd(tmp_path: pathlib.Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind(str(tmp_path / "notify"))
        ours.settimeout(5)
        yield ours


def environment(ours: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": ours.getsockname(), "HOME": "/"} | more


def test_ready_alive_and_stopping(systemd: socket.socket) -> None:
    names = environment(systemd, WATCHDOG_USEC="2000000", WATCHDOG_PID=str(os.getpid()))
    notifier = SystemdNotifier(names)
    assert names == {"HOME": "/"}  # the children never see it
    notifier.notify_ready("neutral")
    assert systemd.recv(100) == b"READY=1\nSTATUS=neutral"
    for tick in range(121):  # two seconds of sixty ticks
        notifier.notify_alive(10.0 + tick / 60)
    notifier.notify_stopping()
    notifier.close()
    notifier.close()
    reports = [systemd.recv(100) for _ in range(6)]
    assert reports == [b"WATCHDOG=1"] * 5 + [b"STOPPING=1"]


def test_a_status_is_sent_once_it_changed_and_is_a_field_of_its_own(systemd: socket.socket) -> None:
    notifier = SystemdNotifier(environment(systemd))
    notifier.notify_ready("disarmed, online")
    for status in ("disarmed, online", "driving, online", "driving, online", "tripped, online: a\nWATCHDOG=trigger"):
        notifier.notify_status(status)
    notifier.notify_status("tripped, online: " + "€" * 9999)  # a report that is too long must not end the watchdog's
    notifier.notify_stopping()
    told = [systemd.recv(9999) for _ in range(5)]
    assert told[:3] == [
        b"READY=1\nSTATUS=disarmed, online",
        b"STATUS=driving, online",
        b"STATUS=tripped, online: a WATCHDOG=trigger",
    ]
    assert len(told[3]) <= 4096
    assert told[4] == b"STOPPING=1"
    notifier.close()


def test_a_status_that_was_not_taken_is_sent_again(systemd: socket.socket) -> None:
    notifier = SystemdNotifier(environment(systemd))
    lines = [f"disarmed, online: {number}" for number in range(9999)]
    for line in lines:
        notifier.notify_status(line)
    taken = systemd.recv(999)
    assert taken == b"STATUS=disarmed, online: 0"
    notifier.notify_status(lines[-1])
    systemd.setblocking(False)
    while True:
        try:
            taken = systemd.recv(999)
        except BlockingIOError:
            break
    assert taken == f"STATUS={lines[-1]}".encode()
    notifier.close()


@pytest.mark.parametrize(
    "more", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}]
)
def test_a_watchdog_that_is_not_ours_is_not_fed(systemd: socket.socket, more: dict[str, str]) -> None:
    notifier = SystemdNotifier(environment(systemd, **more))
    notifier.notify_alive(1.0)
    notifier.notify_stopping()
    assert systemd.recv(100) == b"STOPPING=1"
    notifier.close()


def test_an_abstract_address_is_one_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind("")
        ours.settimeout(5)
        notifier = SystemdNotifier({"NOTIFY_SOCKET": "@" + ours.getsockname()[1:].decode()})
        notifier.notify_ready("neutral")
        assert ours.recv(100).startswith(b"READY=1")
        notifier.close()


def test_without_a_supervisor_every_word_is_dropped(
    systemd: socket.socket, tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for names in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody")}):
        notifier = SystemdNotifier(names)
        notifier.notify_ready("neutral")
        notifier.notify_alive(1.0)
        notifier.notify_stopping()
    assert "cannot be reached" in capfd.readouterr().err
    notifier = SystemdNotifier(environment(systemd))
    systemd.close()
    notifier.notify_ready("neutral")
    notifier.notify_stopping()  # logged once, then dropped
    assert capfd.readouterr().err.count("cannot be notified") == 1


def test_one_that_does_not_read_blocks_nobody(systemd: socket.socket) -> None:
    notifier = SystemdNotifier(environment(systemd, WATCHDOG_USEC="4"))
    for second in range(10_000):
        notifier.notify_alive(float(second))
    assert systemd.recv(100) == b"WATCHDOG=1"
    notifier.close()
