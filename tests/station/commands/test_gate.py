"""`raceday gate ...` from its arguments to its output: decode, list, probe, watch, record and play."""

import json
import pathlib
import queue
import signal
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from shared.errors import BadInput, ConfigError, HardwareMissing, OperatorError
from station.commands.gate.gate import main
from station.commands.gate.recording_file import Piece, entry, head, pieces
from station.commands.gate.watch import HealthLines
from station.gates.driver import GateHealthReport
from tests.station.gates.decoders.port_peer import WAIT_S, tcp, url
from tests.station.gates.decoders.vectors import P3, RC4_SENT

CAPTURE = pathlib.Path(__file__).parents[1] / "gates" / "decoders" / "captures" / "p3_short.hex"


class _Lines:
    """Collects what is written to standard output, so that a test can wait for a line."""

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def write(self, text: str) -> int:
        self._lines.put(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held."""

    def first(self) -> str:
        return self._lines.get(timeout=60).strip()


@contextmanager
def _peer(listening: socket.socket, data: bytes, stays: bool = False) -> Iterator[None]:
    """A decoder that sends this to the first client that connects, then hangs up (or stays connected)."""
    done = threading.Event()

    def serve() -> None:
        connected, _ = listening.accept()
        with connected:
            connected.sendall(data)
            if stays:
                done.wait(60.0)

    server = threading.Thread(target=serve)
    server.start()
    try:
        yield
    finally:
        done.set()
        server.join(10.0)


def _decode(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["decode", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_recorded_capture(capsys: pytest.CaptureFixture[str]) -> None:
    *frames, counts = _decode(capsys, "--protocol", "p3", "--hex", str(CAPTURE))
    assert len(frames) == counts["frames"] == 371
    assert [frame["frame"] for frame in frames].count("passing") == counts["passings"] == 83
    assert [frame["frame"] for frame in frames].count("status") == counts["status"] == 288
    assert [counts[name] for name in ("bad_crc", "bad_length", "bad_fields", "resynced_bytes")] == [0, 0, 0, 0]
    assert (counts["gaps"], counts["gap_sentences"]) == (
        1,
        ["The passing 157829 is missing (after 157828 came 157830)."],
    )
    (named,) = [frame for frame in frames if "gaps" in frame]
    assert (named["number"], named["gaps"][0]["kind"], named["gaps"][0]["missing"]) == (157830, "missed_numbers", 1)


def test_raw_bytes_and_hex_text_say_the_same(capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    raw, text = tmp_path / "raw", tmp_path / "text"
    raw.write_bytes(b"".join(RC4_SENT))
    text.write_text("# nine lines\n\n" + "\n".join(sent.hex(":") for sent in RC4_SENT) + "\n")
    output = _decode(capsys, "--protocol", "rc4", str(raw))
    assert output == _decode(capsys, "--protocol", "rc4", "--hex", str(text))
    assert (output[-1]["frames"], output[-1]["passings"]) == (9, 5)


def test_a_line_that_the_file_ends_is_a_line(capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    raw = tmp_path / "raw"
    raw.write_bytes(RC4_SENT[2].rstrip())
    assert _decode(capsys, "--protocol", "rc4", str(raw))[-1]["frames"] == 1
    raw.write_text(RC4_SENT[2].rstrip().hex() + "\n" + RC4_SENT[5].rstrip().hex())
    assert _decode(capsys, "--protocol", "rc4", "--hex", str(raw))[-1]["frames"] == 2


def test_what_is_left_over_is_counted(capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    raw = tmp_path / "raw"
    raw.write_bytes(P3[0].sent + P3[1].sent[:20])
    counts = _decode(capsys, "--protocol", "p3", str(raw))[-1]
    assert (counts["frames"], counts["bad_length"], counts["resynced_bytes"]) == (1, 1, 20)


@pytest.mark.parametrize(("text", "words", "error", "sentence"), [
    ("8e02\nnot hex\n", ["--protocol", "p3", "--hex"], BadInput, "line 2 is not hex text"),
    ("", ["--protocol", "p9"], ConfigError, "there is no protocol 'p9'"),
    ('{"recording": 1}\n{"at_ns": 1}\n', ["--protocol", "p3"], BadInput, "line 2 is not a piece"),
])  # fmt: skip
def test_what_decode_refuses(
    text: str, words: list[str], error: type[Exception], sentence: str, tmp_path: pathlib.Path
) -> None:
    file = tmp_path / "file"
    file.write_text(text)
    with pytest.raises(error, match=sentence):
        main(["decode", *words, str(file)])
    with pytest.raises((BadInput, ConfigError)):
        main(["decode", *words, str(tmp_path / "none")])


def test_list_names_protocols(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "AMB/MyLaps P3 (115200/19200 baud, TCP 5403); times to 1 ms" in out
    assert "serial ports of this machine:" in out


def test_help_and_unknown_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert main(["fly"]) == 2
    assert "there is no verb 'fly'" in capsys.readouterr().err


def test_probe_says_what_hangs_there(capsys: pytest.CaptureFixture[str]) -> None:
    with tcp() as listening, _peer(listening, b"".join(frame.sent for frame in P3) * 3):
        address = url(listening)
        assert main(["probe", address, "--seconds", "60"]) == 0
    out = capsys.readouterr().out
    assert "AMB/MyLaps P3 (protocol = 'p3'" in out
    assert "15 frames, 12 passings, 0 of" in out
    gate = tomllib.loads(out[out.index("[[gate]]") :])["gate"][0]
    assert gate["options"] == {"protocol": "p3", "url": address, "baud": 115200}


def test_probe_of_silence_and_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with tcp() as listening:
        assert main(["probe", url(listening), "--seconds", "0.2"]) == 1
    assert "nothing was received" in capsys.readouterr().out
    with pytest.raises(HardwareMissing, match="not there"):
        main(["probe", "/dev/there-is-none"])


def test_watch_shows_passings_edges_and_health() -> None:
    with tcp() as listening, _peer(listening, RC4_SENT[2] + RC4_SENT[5], stays=True):
        words = [sys.executable, "-m", "raceday", "gate", "watch", "--protocol", "rc4", url(listening)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            wanted = [
                "passing at 596.126000 s: transponder 8533156",
                "gate loop broken at 596.126000 s, no. 1 of device:20:",
            ]
            wanted += ["[gate: ready]", "gate loop broken at 614.635000 s, no."]
            for line in watching.stdout:
                wanted = [words for words in wanted if words not in line]
                if not wanted:
                    watching.send_signal(signal.SIGINT)
    assert (wanted, watching.returncode) == ([], 130)


class _Gate:
    """A gate of which only the health is used."""

    def __init__(self) -> None:
        self.alive = True

    def start(self, _after: object, _put: object) -> None: ...

    def close(self) -> None: ...

    def health(self) -> GateHealthReport:
        return GateHealthReport(self.alive, "it is well." if self.alive else "its line broke.")


@pytest.mark.slow
def test_watch_says_how_several_sensors_stand(tmp_path: pathlib.Path) -> None:
    """The two strips of an event manager's gate break in turn, over a real WebSocket."""
    served = threading.Event()

    def timer(line: ServerConnection) -> None:
        for number in range(1, 9):
            lap, second = divmod(number - 1, 2)
            pin = (17, 27)[(lap + second) % 2]
            stamp = 1_780_000_000_000 + 10_000 * lap + 12 * second
            line.send(json.dumps({"event": "lap", "timestamp": stamp, "gpio": pin, "lapNumber": number}))
        served.wait(WAIT_S)

    with serve(timer, "127.0.0.1", 0) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        config = tmp_path / "station.toml"
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        gate = (
            f'name = "start"\ndriver = "drem"\nsensors = ["left", "right"]\nlayout = "in_line"\noptions.url = "{url}"\n'
        )
        config.write_text(f'data_dir = "d"\n[[gate]]\n{gate}')
        words = [sys.executable, "-m", "raceday", "gate", "watch", "--config", str(config), "--seconds", "60"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            output = next((line for line in watching.stdout if 'set layout = "side_by_side"' in line), "")
            watching.send_signal(signal.SIGINT)
        served.set()
        server.shutdown()
        serving.join(WAIT_S)
    assert output.startswith("[start] 4 passes: left first twice, right first twice, 12 ms apart.")


def test_watch_says_at_once_when_a_gate_turns_unfit() -> None:
    gate = _Gate()
    bulletin = HealthLines({"start": gate})
    assert bulletin.due(10.0) == ["[start: ready] it is well. 0 edges, 0 lost.\n"]
    assert bulletin.due(11.0) == []
    gate.alive = False
    assert bulletin.due(11.5) == ["[start: NOT READY] its line broke. 0 edges, 0 lost.\n"]
    assert bulletin.due(12.0) == []
    assert len(bulletin.due(15.1)) == 1


@pytest.mark.parametrize(("device", "sentence"), [
    ("/dev/null", "it is not a serial port"),
    ("socket://", "its host or its port number is missing"),
    ("socket://127.0.0.1:1", "nothing answers there"),
    ("/dev/there-is-none", "it is not there; plug it in"),
])  # fmt: skip
def test_a_port_that_is_none(device: str, sentence: str) -> None:
    with pytest.raises(HardwareMissing, match=sentence):
        main(["probe", device])


def test_watch_wants_to_know_what() -> None:
    with pytest.raises(ConfigError, match="--config FILE"):
        main(["watch"])


def test_what_is_recorded_is_played_again(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, stream = tmp_path / "recording", b"".join(RC4_SENT)
    with tcp() as listening, _peer(listening, stream), pytest.raises(HardwareMissing, match="the device is gone"):
        main(["record", "--protocol", "rc4", "-o", str(file), url(listening)])
    with tcp() as listening:
        assert main(["record", "--protocol", "rc4", "-o", f"{file}-2", "--seconds", "0.05", url(listening)]) == 0
    assert b"".join(piece.data for piece in pieces(file)) == stream
    assert _decode(capsys, "--protocol", "rc4", str(file))[-1]["frames"] == 9
    with pytest.raises(BadInput, match="exists already"):
        main(["record", "--protocol", "rc4", "-o", str(file), "loop://"])
    with pytest.raises(BadInput, match="there is no folder"):
        main(["record", "--protocol", "rc4", "-o", str(tmp_path / "none" / "file"), "loop://"])
    with pytest.raises(OperatorError, match="port 99999: there is no such port"):
        main(["play", str(file), "--port", "99999"])


def test_play_keeps_the_pace_and_the_bytes(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "recording"
    file.write_text(head("rc4", "x") + "".join(entry(Piece(n * 10**9, sent)) for n, sent in enumerate(RC4_SENT)))
    out = _Lines()
    monkeypatch.setattr(sys, "stdout", out)
    player = threading.Thread(target=main, args=(["play", str(file), "--speed", "1000"],))
    player.start()
    host, port = out.first().removeprefix("socket://").split(":")
    with socket.create_connection((host, int(port)), 10.0) as reader:
        received = b""
        while piece := reader.recv(4096):
            received += piece
    player.join(10.0)
    assert received == b"".join(RC4_SENT)
