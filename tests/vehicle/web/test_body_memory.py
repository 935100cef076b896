"""100 requests of 1 GB at the same time against a console in a process of its own: its memory does not grow."""

import asyncio
import contextlib
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shared.web.accepting.counted_protocol import LINGER_BYTES
from vehicle.web.session_auth import COOKIE

ROOT = pathlib.Path(__file__).parents[3]
GB = 10**9
CLIENTS = 100
MOST_KB = 20_000
IN_BUFFERS = 16 << 20  # what the kernel may hold of a connection, at both ends
PART = bytes(65_536)


@dataclass(frozen=True)
class Console:
    """The process, its port, and the token of a phone that has claimed the car."""

    process: subprocess.Popen[str]
    port: int
    token: str

    def memory_kb(self, key: str) -> int:
        """`VmRSS` is the memory now, `VmHWM` the most that it ever was."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(key))

    def forget_peak(self) -> None:
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


@pytest.fixture
def console() -> Iterator[Console]:
    words = [sys.executable, "-m", "tests.vehicle.web.served_console"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, token = process.stdout.readline().split()
        yield Console(process, int(port), token)
        process.terminate()


async def send(port: int, head: str, chunked: bool) -> tuple[bytes, int]:
    """Send until the other side ends it; returns the beginning of the answer, and how much was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
    sent = 0
    writer.write(head.encode())
    with contextlib.suppress(ConnectionError):
        while sent < GB:
            writer.write(b"10000\r\n" + PART + b"\r\n" if chunked else PART)
            await writer.drain()
            sent += len(PART)
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await reader.read(100)
    writer.close()
    return answer, sent


def request(path: str, more: str, chunked: bool) -> str:
    length = "transfer-encoding: chunked" if chunked else f"content-length: {GB}"
    method = "PUT" if "models" in path else "POST"
    return f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{length}\r\n{more}\r\n"


@pytest.mark.slow
def test_a_hundred_requests_of_a_gigabyte_take_no_memory(console: Console) -> None:
    known = f"x-raceday: console\r\ncookie: {COOKIE}={console.token}\r\n"
    kinds = [(path, who, chunked) for path in ("/api/hold", "/api/claim", "/api/models?file=x.onnx", "/nothing")
             for who in ("", "x-raceday: console\r\n", known) for chunked in (True, False)]  # fmt: skip

    async def all_at_once() -> list[tuple[bytes, int]]:
        calls = [kinds[number % len(kinds)] for number in range(CLIENTS)]
        return await asyncio.gather(*(send(console.port, request(*call), call[2]) for call in calls))

    asyncio.run(send(console.port, request("/api/hold", known, chunked=True), chunked=True))  # whatever is loaded first
    console.forget_peak()
    before_kb = console.memory_kb("VmRSS")
    got = asyncio.run(all_at_once())
    grown_kb = console.memory_kb("VmHWM") - before_kb
    assert grown_kb < MOST_KB
    assert console.process.poll() is None
    # A model may be long: of the one that is taken 128 MB are.
    assert sorted(sent for _, sent in got)[-2] < LINGER_BYTES + IN_BUFFERS
