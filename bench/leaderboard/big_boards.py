"""A board of a million racers beside one of ten thousand, and beside what others do: Redis, COUNT(*), rank() OVER.

Rounds are interleaved. Times are of the processor where the cost of a page is asked, and of the clock where something
answers: a rank beside Redis, a commit. Boards are files of SQLite, filled straight into their tables (big_board.py);
every post, page and event goes through the leaderboard's own code.
"""

import itertools
import json
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
import valkey

from bench.leaderboard.big_board import RACE_ID, filled, line_of, name_of, score_of
from bench.report import Candidate, Row, measure, report, rows
from leaderboard.board import LeaderboardService
from leaderboard.core.rank import BestAttempt
from leaderboard.live_stream.content import LiveContent, difference, event
from leaderboard.pages.render import LeaderboardPages
from leaderboard.snapshots import Part
from leaderboard.store.ranking import line_rows
from leaderboard.store.ranking.ranks import ahead_of
from shared.process.start_up import without_collecting
from shared.protocol.results import encode_result
from tests.leaderboard.sample_races import result

NOW_NS = 1_800_000_000 * 10**9
TOP, AROUND, LIVE = 100, 11, 200
_UPSERT_ROUNDS = 5
LIMITS = {"page": 1.5, "page_ms": 10.0, "rank": 3.0, "post": 1.3, "posts_per_s": 500.0, "upserts_per_s": 3000.0}
LIVE_LIMIT_MS, LIVE_LIMIT_BYTES = 5.0, 4096


def main(quick: bool) -> None:
    """Prints the tables and writes run/bench/leaderboard.json."""
    small, big, live = (1_000, 20_000, 5_000) if quick else (10_000, 1_000_000, 100_000)
    rounds = 2 if quick else 10
    notes: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        folder = pathlib.Path(name)
        with without_collecting():  # as a leaderboard starts
            boards = {racers: filled(folder, racers) for racers in (small, big)}
        table = _pages(boards, rounds, notes)
        table += _ranks(folder, boards[big], big, rounds, notes)
        table += _posts(boards, rounds, notes)
        _throughput(boards[big], big, 200 if quick else 2_000, notes)
        _upserts(boards[big], big, 5 if quick else 50, notes)
        for board in boards.values():
            board.close()
        with without_collecting():
            watched = filled(folder, live)
        table += _live(watched, live, 20 if quick else 200, notes)
        watched.close()
    report("leaderboard", table, notes)


def _judged(found: float, limit: float, what: str, *, least: bool = False) -> str:
    met = found >= limit if least else found <= limit
    return f"{found:,.2f} {what} ({'at least' if least else 'at most'} {limit:,g})" + ("" if met else "  MISSED")


def _processor(candidates: list[Candidate], rounds: int, calls: int) -> list[Row]:
    """As `measure`, in time of the processor: what other programs take of the machine does not count."""
    times: dict[str, list[int]] = {each.name: [] for each in candidates}
    for each in candidates:
        each.once()  # what is drawn or decoded for the first time
    for _ in range(rounds):
        for each in candidates:
            for _ in range(calls):
                began = time.process_time_ns()
                each.once()
                times[each.name].append(time.process_time_ns() - began)
    return rows(times)


def _pages(boards: dict[int, LeaderboardService], rounds: int, notes: dict[str, Any]) -> list[Row]:
    """(a) The top of a board as a page, and the lines around a racer."""
    pages, draw = LeaderboardPages("Board"), random.Random(1)

    def top(board: LeaderboardService) -> Callable[[], object]:
        return lambda: pages.race(board.snapshot(RACE_ID, TOP), NOW_NS, live=True)

    def around(board: LeaderboardService, racers: int) -> Callable[[], object]:
        return lambda: board.snapshot(RACE_ID, AROUND, part=Part(around=name_of(draw.randrange(racers))))

    found: list[Row] = []
    for what, once in (("page of the first 100", top), ("11 lines around a racer", around)):
        made = [
            Candidate(f"{what}, {racers:,} racers, processor", once(board) if once is top else around(board, racers))
            for racers, board in boards.items()
        ]
        small, big = table = _processor(made, rounds, 20)
        notes[f"(a) {what}: ratio"] = _judged(big.ratio / small.ratio, LIMITS["page"], "x")
        notes[f"(a) {what}: processor"] = _judged(big.p50_us / 1e3, LIMITS["page_ms"], "ms")
        found += table
    return found


def _ranks(
    folder: pathlib.Path, board: LeaderboardService, racers: int, rounds: int, notes: dict[str, Any]
) -> list[Row]:
    """(b) An exact rank beside Redis, and (d) as SQL has it."""
    draw = random.Random(2)
    with _redis(folder) as redis, board.store.read() as db:
        for start in range(0, racers, 10_000):
            members = range(start, min(racers, start + 10_000))
            redis.zadd(RACE_ID, {name_of(number): score_of(number) for number in members})

        def ours() -> None:
            ahead_of(db, RACE_ID, "physical", line_of(draw.randrange(racers)).rank_key)

        def ours_alone() -> None:
            with board.store.read() as own:
                ahead_of(own, RACE_ID, "physical", line_of(draw.randrange(racers)).rank_key)

        def count() -> None:
            db.execute(_COUNT, {"score_ms": line_of(draw.randrange(racers)).score_ms}).scalar_one()

        def over() -> None:
            db.execute(_OVER, {"racer": name_of(draw.randrange(racers))}).scalar_one()

        def zrank() -> None:
            line_of(draw.randrange(racers))  # the same work of the bench
            redis.zrank(RACE_ID, name_of(draw.randrange(racers)))

        quick = [
            Candidate("Redis ZRANK, one round trip", zrank),
            Candidate("ours: exact rank", ours),
            Candidate("ours: exact rank in a transaction of its own", ours_alone),
        ]
        table = measure(quick, rounds=rounds, calls=200)
        table += measure([Candidate("SQL COUNT(*) of the better ones", count)], rounds=rounds, calls=2)
        table += measure([Candidate("SQL rank() OVER", over)], rounds=1, calls=2)
    first = table[0].p50_us
    table = [Row(r.name, r.calls, r.p50_us, r.p99_us, r.per_s, r.p50_us / first) for r in table]
    notes["(b) exact rank beside ZRANK, p50"] = _judged(table[2].ratio, LIMITS["rank"], "x")
    return table


_COUNT = sa.text(
    f"SELECT count(*) FROM lines WHERE race_id = '{RACE_ID}' AND kind = 'physical' AND score_ms < :score_ms"
)
_OVER = sa.text(
    "SELECT place FROM (SELECT racer, rank() OVER (ORDER BY score_ms, set_utc_ns) AS place FROM lines "
    f"WHERE race_id = '{RACE_ID}' AND kind = 'physical') AS ranked WHERE racer = :racer"
)


@contextmanager
def _redis(folder: pathlib.Path) -> Iterator[Any]:
    path = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        while "eady to accept" not in process.stdout.readline():
            pass
        client: Any = valkey.Valkey(unix_socket_path=str(path), decode_responses=True)
        yield client
        client.close()
    finally:
        process.terminate()
        process.wait(20)


_numbers = itertools.count()


def _post(racers: int, draw: random.Random) -> tuple[str, bytes]:
    """A faster run of some racer."""
    number = draw.randrange(racers)
    one = result(f"post-{next(_numbers)}", name_of(number), (max(2000, score_of(number) - draw.randrange(3000)),) * 3)
    return one.webhook_id, encode_result(one)


def _apply(board: LeaderboardService, post: tuple[str, bytes]) -> int:
    webhook_id, payload = post
    return board.apply(webhook_id, payload, NOW_NS).status


def _posts(boards: dict[int, LeaderboardService], rounds: int, notes: dict[str, Any]) -> list[Row]:
    """(c) A whole post, one after another: each waits for the disk."""
    draw = random.Random(3)

    def once(board: LeaderboardService, racers: int) -> Callable[[], None]:
        made = (_post(racers, draw) for _ in itertools.count())

        def post() -> None:
            assert _apply(board, next(made)) == 201

        return post

    candidates = [(racers, once(board, racers)) for racers, board in boards.items()]
    whole = measure([Candidate(f"whole post, {n:,} racers", each) for n, each in candidates], rounds=rounds, calls=20)
    work = _processor([Candidate(f"whole post, {n:,} racers, processor", each) for n, each in candidates], rounds, 20)
    notes["(c) whole post: ratio"] = _judged(whole[1].ratio, LIMITS["post"], "x")
    notes["(c) whole post: ratio of the processor's time"] = _judged(work[1].ratio, LIMITS["post"], "x")
    return whole + work


def _throughput(board: LeaderboardService, racers: int, posts: int, notes: dict[str, Any]) -> None:
    """(c) 64 stations at once on one core."""
    draw = random.Random(4)
    made = [_post(racers, draw) for _ in range(posts)]
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        with ThreadPoolExecutor(64) as pool:
            began, used = time.perf_counter(), time.process_time()
            statuses = set(pool.map(lambda post: _apply(board, post), made))
            took, used = time.perf_counter() - began, time.process_time() - used
    finally:
        os.sched_setaffinity(0, cores)
    assert statuses == {201}
    notes["(c) 64 posts at once, one core"] = _judged(posts / took, LIMITS["posts_per_s"], "a second", least=True)
    notes["(c) 64 posts at once, a second of the processor"] = f"{posts / used:,.0f}"


def _upserts(board: LeaderboardService, racers: int, groups: int, notes: dict[str, Any]) -> None:
    """(c) The store's part alone: replace a line, count it, read its rank; 64 a transaction."""
    draw, rates = random.Random(5), []
    for _ in range(_UPSERT_ROUNDS):  # each long enough for the log to be written back several times
        began = time.perf_counter()
        for _ in range(groups):
            _upsert_group(board, racers, draw)
        rates.append(groups * 64 / (time.perf_counter() - began))
    per_s = statistics.median(rates)
    notes["(c) upsert and rank alone"] = _judged(per_s, LIMITS["upserts_per_s"], "a second", least=True)


def _upsert_group(board: LeaderboardService, racers: int, draw: random.Random) -> None:
    with board.store.write() as db:
        for _ in range(64):
            old = line_rows.line(db, RACE_ID, line_of(draw.randrange(racers)).key)
            assert old is not None
            score_ms = max(1, old.score_ms - draw.randrange(1, 1000))
            new = BestAttempt(old.racer, score_ms, old.set_utc_ns, old.order, old.seq, old.attempts)
            line_rows.set_line(db, RACE_ID, old.key, old, new)
            line_rows.rank_of(db, RACE_ID, "physical", new)


def _live(board: LeaderboardService, racers: int, updates: int, notes: dict[str, Any]) -> list[Row]:
    """(e) One racer of the board climbs onto the live page, or on it: from the commit to the event's bytes."""
    pages, draw, times, sizes = LeaderboardPages("Board"), random.Random(6), [], []
    before: LiveContent = pages.live_content(board.snapshot(RACE_ID, LIVE), NOW_NS)
    for number in range(updates):
        shown = board.snapshot(RACE_ID, LIVE).rows
        # Onto a place of the page, from below it or from further down on it.
        target = shown[draw.randrange(len(shown) - 1)].placed.score_ms
        racer = name_of(draw.randrange(racers)) if number % 2 else shown[-1 - draw.randrange(20)].placed.racer
        one = result(f"live-{number}", racer, (target,) * 3)
        assert board.apply(one.webhook_id, encode_result(one), NOW_NS).status == 201
        began = time.process_time_ns()
        now = pages.live_content(board.snapshot(RACE_ID, LIVE), NOW_NS)
        sent = event(difference(before, now))
        times.append(time.process_time_ns() - began)
        sizes.append(len(sent))
        before = now
        assert json.loads(sent.split(b"data: ")[1])
    [row] = rows({f"a live update of one row of {racers:,}, processor": times})
    notes["(e) live update: processor, p50"] = _judged(row.p50_us / 1e3, LIVE_LIMIT_MS, "ms")
    notes["(e) live update: bytes, p50"] = _judged(statistics.median(sizes), LIVE_LIMIT_BYTES, "bytes")
    notes["(e) live update: bytes, largest"] = _judged(max(sizes), LIVE_LIMIT_BYTES, "bytes")
    return [row]


if __name__ == "__main__":
    main(quick=True)
