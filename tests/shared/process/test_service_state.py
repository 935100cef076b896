"""A line for systemd, received as systemd receives it (sd_notify(3)): at a path, and in the abstract namespace."""

import errno
import pathlib
import secrets
import socket

import pytest

from shared.process.service_state import MAX_BYTES, tell_service_state


@pytest.mark.parametrize("is_abstract", [False, True])
def test_the_line_arrives(tmp_path: pathlib.Path, is_abstract: bool) -> None:
    address = f"@raceday-{secrets.token_hex(8)}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0", 1) if is_abstract else address)
        line = "driving, online:\nREADY=1  ü" + "€" * 9999
        assert tell_service_state(line, {"NOTIFY_SOCKET": address}) == "sent"
        received = manager.recv(9999)
    assert received.decode().startswith("STATUS=driving, online: READY=1 ü")
    assert b"\n" not in received  # else a sentence could hold another field
    assert 4000 < len(received) + 100 <= len("STATUS=") + MAX_BYTES + 100 <= 4096


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:5000"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    assert tell_service_state("x", {"NOTIFY_SOCKET": address}) == "no manager"


@pytest.mark.parametrize("address", ["/nowhere/notify", "@nobody-listens", "/" + "x" * 200, "/a\0b"])
def test_a_manager_that_cannot_be_reached_is_told_again(address: str) -> None:
    assert tell_service_state("x", {"NOTIFY_SOCKET": address}) == "not sent"


def test_a_line_that_is_no_unicode_arrives(tmp_path: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        assert tell_service_state("disarmed, online: a\udcffb", {"NOTIFY_SOCKET": str(tmp_path / "notify")}) == "sent"
        assert manager.recv(99) == b"STATUS=disarmed, online: a?b"


def test_a_manager_that_does_not_read_blocks_nobody(tmp_path: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        told = [tell_service_state("x" * 3000, {"NOTIFY_SOCKET": str(tmp_path / "notify")}) for _ in range(2000)]
    assert (told[0], told[-1]) == ("sent", "not sent")


def test_a_process_without_a_free_descriptor_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", refuse)
    assert tell_service_state("x", {"NOTIFY_SOCKET": "/run/systemd/notify"}) == "not sent"
