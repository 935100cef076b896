"""A bridge tells systemd how its car is once that was taken: what a manager that is not there yet missed, it gets."""

import pathlib
import socket

import pytest

from shared.clock import ManualClock
from shared.link.mock import MockBroker, MockLink
from vehicle.bridge.bridge import Bridge
from vehicle.bridge.certificate_pin import CertificatePin
from vehicle.bridge.console_session import ConsoleSession
from vehicle.bridge.core.stock_car import StockCar, StockCarOptions


def test_a_line_that_was_not_taken_is_told_again_and_one_that_was_is_not(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    session = ConsoleSession("127.0.0.1", 1, tmp_path / "password", CertificatePin(tmp_path / "pin"))
    car = StockCar("boot-1", StockCarOptions("Sample_single_cam"), 0)
    bridge = Bridge("car-1", car, MockLink(MockBroker(), "car-1", "boot-1", "car"), session, ManualClock(), None)
    try:
        bridge.step()  # nobody listens
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as manager:
            manager.bind(address)
            bridge.step()
            assert manager.recv(4096).startswith(b"STATUS=disarmed, offline")
            bridge.step()
            with pytest.raises(BlockingIOError):
                manager.recv(4096)
    finally:
        bridge._wake_in.close()
        bridge._wake_out.close()
