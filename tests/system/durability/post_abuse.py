"""Posts through a proxy that abuses them, with `kill -9` of either side: each is applied once, on both sides alike.

Real processes: one sync service a station, a proxy of ours, the leaderboard over SQLite or PostgreSQL. The proxy drops
requests and answers, sends requests twice, cuts answers, and answers itself as portals and gateways do. Waits after
failures pass TIMES faster (they are an argument of the syncer), all else is the product.

`./dev bench posts` runs 100,000 on both stores.
"""

import contextlib
import json
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import apsw
import sqlalchemy as sa
from pydantic import TypeAdapter

from leaderboard.build import open_board
from leaderboard.store.tables import RECEIPTS, RESULTS
from shared.protocol.results import PostAccepted, Result, encode_result
from shared.rules.ranking import RaceRules, score_run
from station.sync.attempts import read_records
from station.sync.schedule import OutboxRow
from tests.leaderboard import sample_races

ROOT = pathlib.Path(__file__).parents[3]
STATIONS = 4
TIMES = 200
RULES = RaceRules()
_CONFIG = """
data_dir = "{folder}/data"
[[gate]]
name = "start"
driver = "mock"
[sync]
leaderboard_url = "{url}"
secret_file = "{folder}/secret"
[sync.options]
connect_timeout_s = 2
read_timeout_s = 2
"""
ABUSES = ("drop", "lose answer", "twice", "cut answer", "portal", "gateway", "redirect", "reset", "slow")


@dataclass(slots=True)
class PostTally:
    """What came of a campaign. `differing`: results that the two sides hold differently; `twice`: applied twice."""

    posts: int = 0
    requests: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    abuses: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    twice: int = 0
    differing: int = 0
    wrong_lines: int = 0
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether every result was applied once, and both sides agree."""
        return not (self.lost or self.twice or self.differing or self.wrong_lines)


class AbusiveProxy:
    """Between the stations and the leaderboard; every `1 / often` requests one is abused, as `rng` says."""

    def __init__(self, rng: random.Random, often: float) -> None:
        self._rng, self._often = rng, often
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._closed = False
        self.port = self._listening.getsockname()[1]
        self.target = 0
        self.requests = 0
        self.abuses: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        threads = []
        while not self._closed:
            client, _ = self._listening.accept()
            thread = threading.Thread(target=self._handle, args=(client,))
            thread.start()
            threads.append(thread)
            threads = [each for each in threads if each.is_alive()]
        for thread in threads:
            thread.join()

    def _handle(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(5)
            request = _read_request(client)
            if not request:
                return
            with self._lock:
                self.requests += 1
                abuse = self._rng.choice(ABUSES) if self._rng.random() < self._often else ""
                if abuse:
                    self.abuses[abuse] += 1
            self._abuse(client, request, abuse)

    def _abuse(self, client: socket.socket, request: bytes, abuse: str) -> None:
        if abuse == "drop":
            return
        if abuse in _OWN_ANSWERS:
            client.sendall(_OWN_ANSWERS[abuse])
            return
        answer = self._forward(request)
        if abuse == "twice":
            answer = self._forward(request)
        if abuse == "lose answer" or not answer:
            return
        if abuse == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            return
        if abuse == "slow":
            client.sendall(answer[:20])
            threading.Event().wait(0.05)
            client.sendall(answer[20:])
            return
        client.sendall(answer[: len(answer) * 2 // 3] if abuse == "cut answer" else answer)

    def _forward(self, request: bytes) -> bytes:
        parts = []
        with socket.create_connection(("127.0.0.1", self.target), 5) as server:
            server.sendall(request)
            while part := server.recv(65_536):
                parts.append(part)
        return b"".join(parts)


def _own(status: str, body: bytes, kind: str = "text/html", more: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}connection: close\r\n\r\n"
    )
    return head.encode() + body


_OWN_ANSWERS = {
    "portal": _own("200 OK", b"<html>Welcome to the hall's Wi-Fi</html>"),
    "gateway": _own("404 Not Found", b'{"error":"Not Found","status":404}', "application/json"),
    "redirect": _own("302 Found", b"", more="location: http://portal.example/login\r\n"),
}


def _read_request(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65_536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = (int(lengths[0]) if lengths else 0) - len(body)
    while missing > 0:
        part = client.recv(min(65_536, missing))
        if not part:
            return b""
        data, missing = data + part, missing - len(part)
    return data


def made_results(station: int, count: int, rng: random.Random) -> list[Result]:
    """What a station has to post: runs of 40 racers, a third of them corrected, some of those withdrawn."""
    made: list[Result] = []
    number = 0
    while len(made) < count:
        number += 1
        times = [rng.randint(8000, 12_000) for _ in range(3)]
        name = f"station-{station}.run-{number}"
        one = sample_races.result(name, f"Racer {rng.randrange(40)}", times, RULES, finished_utc_ns=10**18 + number)
        made.append(one)
        revision = 1
        while rng.random() < 0.33 and len(made) < count:
            revision += rng.randint(1, 2)
            laps = sample_races.laps([rng.randint(8000, 12_000) for _ in range(3)])
            score = score_run(laps, RULES)
            withdrawn = rng.random() < 0.2
            assert score is not None
            made.append(replace(one, revision=revision, laps=laps, score_ms=0 if withdrawn else score.score_ms))
    return made


def write_station(folder: pathlib.Path, url: str, results: list[Result]) -> None:
    """A station's folder with these results in its outbox."""
    (folder / "data").mkdir(parents=True)
    (folder / "secret").write_text(sample_races.SECRET + "\n")
    (folder / "secret").chmod(0o600)
    (folder / "station.toml").write_text(_CONFIG.format(folder=folder, url=url))
    db = apsw.Connection(str(folder / "data" / "station.db"))
    db.pragma("journal_mode", "wal")
    db.execute("CREATE TABLE outbox (seq INTEGER PRIMARY KEY, result_id, revision, payload)")
    with db:
        for seq, one in enumerate(results, 1):
            row = OutboxRow(seq, one.result_id, one.revision, encode_result(one))
            db.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", (row.seq, row.result_id, row.revision, row.payload))
    db.close()


class StationProcess:
    """A sync service that is started again whenever it was killed, until it has nothing left to post."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._log = (folder / "log").open("ab")
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        words = [
            sys.executable,
            "-m",
            "tests.system.durability.fast_sync",
            str(self._folder / "station.toml"),
            str(TIMES),
        ]
        return subprocess.Popen(words, cwd=ROOT, stdout=self._log, stderr=self._log)

    def done(self) -> bool:
        """Whether it ended by itself, with all posted. Raises AssertionError if it failed."""
        code = self._process.poll()
        assert code in (None, 0), (self._folder / "log").read_text()[-2000:]
        return code == 0

    def kill(self) -> bool:
        """kill -9, and start again; False if it was done."""
        if self._process.poll() is not None:
            return False
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = self._start()
        return True

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._log.close()


def campaign(folder: pathlib.Path, store: str, posts: int, kills: int, seed: int = 1) -> PostTally:
    """Run one. `store`: of the leaderboard's config, `path = ...` or `url = ...`."""
    rng, began, tally = random.Random(seed), time.monotonic(), PostTally(posts)
    proxy = AbusiveProxy(random.Random(seed), 0.25)
    work = {station: made_results(station, posts // STATIONS, rng) for station in range(STATIONS)}
    (folder / "board").mkdir()
    server = sample_races.start(folder / "board", f"[store]\n{store}\n")
    stations: list[StationProcess] = []
    try:
        server.new_race("cup", rules={})
        proxy.target = int(server.url.rpartition(":")[2])
        for number, results in work.items():
            write_station(folder / f"station-{number}", f"http://127.0.0.1:{proxy.port}", results)
        stations = [StationProcess(folder / f"station-{number}") for number in work]
        while not all(station.done() for station in stations):
            threading.Event().wait(0.05)
            done = sum(tally.kills.values())
            # By what was sent, not by the clock: on a loaded machine a leaderboard would be killed before it serves.
            if done >= kills or proxy.requests < (done + 1) * posts // (kills + 1):
                continue
            if rng.random() < 0.4:
                server.kill()
                server = sample_races.start(folder / "board", f"[store]\n{store}\n")
                proxy.target = int(server.url.rpartition(":")[2])
                tally.kills["leaderboard"] += 1
            elif rng.choice(stations).kill():
                tally.kills["station"] += 1
    finally:
        for each in stations:
            each.close()
        server.kill()
        proxy.close()
    tally.requests, tally.abuses, tally.seconds = proxy.requests, proxy.abuses, time.monotonic() - began
    place = json.loads(store.partition("=")[2])
    compare(folder, place if "://" in place else str(folder / "board" / place), work, tally)
    return tally


def compare(folder: pathlib.Path, place: str, work: dict[int, list[Result]], tally: PostTally) -> None:
    """Compare what the stations hold as posted with what the leaderboard holds, and its lines with plain sums."""
    expected = [one for results in work.values() for one in results]
    board = open_board(place)
    try:
        with board.store.read() as db:
            stored = Counter((row.result_id, row.revision) for row in db.execute(sa.select(RESULTS)))
            receipts = {row.webhook_id: json.loads(bytes(row.answer)) for row in db.execute(sa.select(RECEIPTS))}
        standing = {placed.racer: placed.score_ms for placed in board.standings("cup")}
    finally:
        board.close()
    tally.lost = sum((one.result_id, one.revision) not in stored for one in expected)
    due = {(one.result_id, one.revision) for one in expected}
    tally.twice = sum(count > 1 for count in stored.values()) + len(stored.keys() - due)
    for number in work:
        for webhook_id, answer in _answers(folder / f"station-{number}" / "data" / "sync.db"):
            tally.differing += receipts.get(webhook_id) != answer
    tally.wrong_lines = len(standing.items() ^ _best(expected).items())


def _answers(path: pathlib.Path) -> Iterator[tuple[str, dict[str, object]]]:
    """What the leaderboard answered, as the station has it on disk; None for a post that it does not hold as posted."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    for record in read_records(db, path):
        answer = record.answer
        yield record.webhook_id, _TAKEN.dump_python(answer) if isinstance(answer, PostAccepted) else {}
    db.close()


_TAKEN = TypeAdapter(PostAccepted)


def _best(expected: list[Result]) -> dict[str, int]:
    newest: dict[str, Result] = {}
    for one in expected:
        if one.result_id not in newest or newest[one.result_id].revision < one.revision:
            newest[one.result_id] = one
    best: dict[str, int] = {}
    for one in newest.values():
        if one.score_ms:
            best[one.racer] = min(best.get(one.racer, one.score_ms), one.score_ms)
    return best
