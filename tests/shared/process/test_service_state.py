"""A line for systemd, received as systemd receives it (sd_notify(3)): at a path, and in the abstract namespace."""

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
        assert tell_service_state("driving, online:\nREADY=1  ü" + "€" * 9999, {"NOTIFY_SOCKET": address})
        received = manager.recv(9999)
    assert received.decode().startswith("STATUS=driving, online: READY=1 ü")
    assert b"\n" not in received  # else a sentence could hold another field
    assert 4000 < len(received) + 100 <= len("STATUS=") + MAX_BYTES + 100 <= 4096


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/notify", "@nobody-listens"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    assert not tell_service_state("x", {"NOTIFY_SOCKET": address})
