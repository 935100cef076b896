"""kill -9 of the server in the middle of a chunk, and of whoever sends: it goes on, and no kept byte is sent twice."""

import fcntl
import os
import pathlib
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from leaderboard.accounts.keys import ApiKeys
from leaderboard.build import open_board
from leaderboard.core.access import Caller
from raceday.submitting.api import LeaderboardApi
from raceday.submitting.packing import ModelArchive
from raceday.submitting.sender import ModelSending
from tests.leaderboard import sample_races, signed_in
from tests.leaderboard.submissions.racers import archive, sha256

pytestmark = pytest.mark.slow

CHUNK = 300_000
CONTENT = archive(7, 4 * CHUNK)
MODELS = "[submissions]\nfolder = 'models'\n"


def key_of_a_racer(folder: pathlib.Path) -> str:
    board = open_board(folder / "leaderboard.db")
    caller = Caller(signed_in.account(board.store, "ada"), "ada")
    made = ApiKeys(board.store).create(caller, "Terminal", {"submissions:write"}, (), None, time.time_ns())
    board.close()
    return made.key


@contextmanager
def half_a_chunk(url: str, key: str, upload_id: str, offset: int, size: int) -> Iterator[socket.socket]:
    """A connection on which the server waits for the rest of a chunk of which so much was sent."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=30) as line:
        line.sendall(
            f"PATCH /api/v1/uploads/{upload_id} HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {CHUNK}\r\nUpload-Offset: {offset}\r\n"
            "Expect: 100-continue\r\n\r\n".encode()
        )
        assert b"100 Continue" in line.recv(1000)  # it holds the upload's file, and asks for the bytes
        line.sendall(CONTENT[offset : offset + size])
        yield line


def wait_until_free(folder: pathlib.Path, upload_id: str) -> None:
    """Until nobody writes to the upload's file: the kernel wakes us."""
    descriptor = os.open(folder / "models" / "parts" / f"{upload_id}.part", os.O_RDWR)
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    os.close(descriptor)


class CountingApi(LeaderboardApi):
    """Notes which bytes were sent in chunks that were answered."""

    ranges: list[tuple[int, int]]

    def call(self, method, path, document=None, body=b"", headers=None):  # type: ignore[no-untyped-def]
        answer = super().call(method, path, document, body, headers)
        if method == "PATCH" and answer.status < 300:
            self.ranges.append((int(headers["upload-offset"]), len(body)))
        return answer


def test_an_upload_outlives_the_server_and_whoever_sends_it(tmp_path: pathlib.Path) -> None:
    key = key_of_a_racer(tmp_path)
    server = sample_races.start(tmp_path, MODELS)
    api = LeaderboardApi(server.url, key)
    wanted = {"sha256": sha256(CONTENT), "size_bytes": len(CONTENT), "name": "Fast one"}
    upload_id = api.call("POST", "/models", wanted).document["upload_id"]
    path = f"/uploads/{upload_id}"
    first = api.call("PATCH", path, body=CONTENT[:CHUNK], headers={"upload-offset": "0"})
    assert first.number("upload-offset") == CHUNK
    with half_a_chunk(server.url, key, upload_id, CHUNK, 200_000):
        server.kill()

    server = sample_races.start(tmp_path, MODELS)
    api = LeaderboardApi(server.url, key)
    assert api.call("GET", path).number("upload-offset") == CHUNK, "what was acknowledged, and nothing else"
    with half_a_chunk(server.url, key, upload_id, CHUNK, 200_000):
        """Whoever sends dies: the kernel closes the connection."""
    wait_until_free(tmp_path, upload_id)
    offset = api.call("GET", path).number("upload-offset")
    assert offset is not None
    assert CHUNK <= offset <= CHUNK + 200_000, "what arrived is kept"

    counting = CountingApi(server.url, key)
    counting.ranges = []
    file = tmp_path / "car.tar.gz"
    file.write_bytes(CONTENT)
    with file.open("rb") as opened:
        sending = ModelSending(
            counting, ModelArchive(opened, "car", len(CONTENT), sha256(CONTENT)), _no_wait, _silent, print
        )
        assert sending.begin("car")
        sending.send()
        assert not sending.begin("car"), "and never again"
    sent = 0
    for begins, size in counting.ranges:
        assert begins == offset + sent
        sent += size
    assert offset + sent == len(CONTENT)
    stored = tmp_path / "models" / "archives" / sha256(CONTENT)[:2] / sha256(CONTENT)
    assert stored.read_bytes() == CONTENT
    assert server.stop() == (0, "")


def _no_wait(_seconds: float) -> None:
    raise AssertionError("nothing breaks any more")


def _silent(_done: int, _size: int) -> None:
    """Tell nobody."""
