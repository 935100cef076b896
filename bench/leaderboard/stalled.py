"""Posts and pages beside 500 connections that stall within a request, interleaved with the same without them."""

import contextlib
import pathlib
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator

from bench.report import report, rows
from tests.leaderboard import sample_races

STALLED = 500
_ARRIVING = f"a page while {STALLED} arrive"


def main(quick: bool) -> None:
    """Measure rounds of each, on one leaderboard."""
    rounds, calls = (3, 20) if quick else (12, 60)
    with tempfile.TemporaryDirectory() as folder:
        server = sample_races.start(pathlib.Path(folder), "[limits]\nheartbeat_s = 5.0\n")
        try:
            server.new_race("cup")
            port = int(server.url.rpartition(":")[2])
            times = _measured(server, port, rounds, calls)
        finally:
            server.kill()
    table = rows({name: values for name, values in times.items() if name.startswith("post")})
    pages = rows({name: values for name, values in times.items() if name.startswith("page")})
    arriving = rows({_ARRIVING: times[_ARRIVING]})
    p99 = table[1].p99_us / table[0].p99_us, pages[1].p99_us / pages[0].p99_us
    notes = {"p99 of a post, beside / alone (asked: < 2)": round(p99[0], 2), "p99 of a page": round(p99[1], 2)}
    report("stalled", [*table, *pages, *arriving], notes)


def _measured(server: sample_races.Running, port: int, rounds: int, calls: int) -> dict[str, list[int]]:
    names = ("post, alone", f"post, beside {STALLED} stalled", "page, alone", f"page, beside {STALLED} stalled")
    times: dict[str, list[int]] = {name: [] for name in (*names, _ARRIVING)}
    number = 0
    for _ in range(rounds):
        for beside in (0, 1):
            with _stalled(port) if beside else contextlib.nullcontext():
                if beside:
                    # Five hundred connections that arrive at once are work; only from here on do they stall.
                    began = time.perf_counter_ns()
                    assert server.get("/races/cup").status_code == 200
                    times[_ARRIVING].append(time.perf_counter_ns() - began)
                for _ in range(calls):
                    number += 1
                    one = sample_races.result(f"run-{number}", f"racer {number % 50}", (9000 + number % 90,) * 3)
                    began = time.perf_counter_ns()
                    assert server.post(one).status_code == 201
                    posted = time.perf_counter_ns()
                    assert server.get("/races/cup").status_code == 200
                    times[names[beside]].append(posted - began)
                    times[names[2 + beside]].append(time.perf_counter_ns() - posted)
    assert all(statistics.median(values) > 0 for values in times.values())
    return times


@contextlib.contextmanager
def _stalled(port: int) -> Iterator[None]:
    """Half of them stall in the head of a request, half in its body; from several addresses, as a hall's would be."""
    with contextlib.ExitStack() as opened:
        for number in range(STALLED):
            one = opened.enter_context(socket.socket())
            one.bind((f"127.0.0.{2 + number % 50}", 0))
            one.connect(("127.0.0.1", port))
            head = b"POST /api/v1/results HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n"
            one.sendall(head if number % 2 else head + b"\r\n{")
        yield
