"""`raceday broker` and what starts it: ready when it answers, one sentence when it cannot, nothing left behind."""

import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from raceday.broker import Kind, choose, free_port, is_broker_up, mosquitto_path, start_broker
from shared.errors import OperatorError

KINDS = [pytest.param("mosquitto", marks=pytest.mark.broker), "amqtt"]


def wait(condition: Callable[[], bool], timeout_s: float = 15.0) -> bool:
    until_s, never = time.monotonic() + timeout_s, threading.Event()
    while not condition() and time.monotonic() < until_s:
        never.wait(0.02)
    return condition()


def there(kind: str) -> Kind:
    if kind == "mosquitto":
        if mosquitto_path() is None:
            pytest.skip("mosquitto is not installed: this test needs it")
        return "mosquitto"
    return "amqtt"


def command(*words: str) -> "subprocess.Popen[str]":
    line = [sys.executable, "-m", "raceday", "broker", *words]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_when_it_is_said_to_be_ready_and_starts_again_on_its_port(tmp_path: pathlib.Path, kind: str) -> None:
    first = start_broker(tmp_path, 0, there(kind))
    assert is_broker_up("127.0.0.1", first.port)
    first.process.kill()
    first.process.wait()
    again = start_broker(tmp_path, first.port, first.kind)
    assert again.port == first.port
    again.stop()
    assert not is_broker_up("127.0.0.1", first.port)


@pytest.mark.parametrize("kind", KINDS)
def test_a_port_that_another_program_took_a_moment_ago_is_not_the_only_one(
    tmp_path: pathlib.Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as theirs:
        theirs.bind(("127.0.0.1", 0))
        theirs.listen()
        offered = [theirs.getsockname()[1]]
        monkeypatch.setattr("raceday.broker.free_port", lambda: offered.pop() if offered else free_port())
        broker = start_broker(tmp_path, 0, there(kind))
        assert broker.port != theirs.getsockname()[1]
        assert not offered
        broker.stop()


def test_mosquitto_is_chosen_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose() == ("mosquitto" if mosquitto_path() else "amqtt")
    monkeypatch.setattr("raceday.broker.shutil.which", lambda *_, **__: None)
    assert choose() == "amqtt"
    with pytest.raises(OperatorError, match="not installed"):
        start_broker(pathlib.Path("/tmp"), 0, "mosquitto")


@pytest.mark.parametrize("kind", KINDS)
def test_a_port_in_use_is_one_sentence(tmp_path: pathlib.Path, kind: str) -> None:
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        port = occupied.getsockname()[1]
        with pytest.raises(OperatorError, match=f"Port {port} is in use"):
            start_broker(tmp_path, port, there(kind))
        ran = command("--kind", there(kind), "--port", str(port))
        _, output = ran.communicate(timeout=60)
    assert ran.returncode == 2
    assert f"Port {port} is in use" in output
    assert len(output.strip().splitlines()) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_says_when_it_is_ready_and_ends_cleanly(tmp_path: pathlib.Path, kind: str) -> None:
    ready = tmp_path / "ready"
    ran = command("--kind", there(kind), "--port", "0", "--ready-file", str(ready))
    assert wait(ready.exists)
    port = int(ready.read_text().strip().rpartition(":")[2])
    assert is_broker_up("127.0.0.1", port)
    began_s = time.monotonic()
    ran.send_signal(signal.SIGTERM)
    output, errors = ran.communicate(timeout=30)
    assert time.monotonic() - began_s < 3.0
    assert ran.returncode == 0, errors
    assert output == f"listening on mqtt://127.0.0.1:{port}\n"
    assert not is_broker_up("127.0.0.1", port)


@pytest.mark.broker
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_killed_wrapper_leaves_no_broker_on_the_port(tmp_path: pathlib.Path) -> None:
    ready = tmp_path / "ready"
    ran = command("--kind", there("mosquitto"), "--port", "0", "--ready-file", str(ready))
    assert wait(ready.exists)
    port = int(ready.read_text().strip().rpartition(":")[2])
    ran.kill()
    ran.communicate()
    assert wait(lambda: not is_broker_up("127.0.0.1", port, 0.2))


@pytest.mark.parametrize("talk", [b"", b"HTTP/1.1 200 OK\r\n", None])
def test_what_is_no_broker_does_not_answer(free_port: Any, talk: bytes | None) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        if talk is None:
            assert not is_broker_up("127.0.0.1", port, 0.1)
        else:
            thread = threading.Thread(target=_talk, args=(server, talk))
            thread.start()
            assert not is_broker_up("127.0.0.1", port, 5.0)
            thread.join(5)
    assert not is_broker_up("127.0.0.1", free_port(), 0.1)


def _talk(server: socket.socket, talk: bytes) -> None:
    peer, _ = server.accept()
    with peer:
        peer.sendall(talk)
