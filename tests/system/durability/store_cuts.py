"""Power cuts of the other stores: what sync posted, the car's laps, the leaderboard's results.

A trial opens the store that the last cut left, changes it through the product's own methods until the power goes, and
opens again what is left. It must hold what was acknowledged, or that and the whole of the change that was in flight.
"""

import contextlib
import pathlib
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import apsw

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from shared.errors import RacedayError
from shared.protocol.messages import CarLap
from shared.protocol.results import PostAccepted, PostDeferred, encode_result
from shared.units import NS_PER_S
from station.sync.attempts import AttemptStore
from station.sync.schedule import OutboxRow
from tests.leaderboard import sample_races
from tests.system.durability.power_cut_vfs import power_cut
from tests.system.durability.power_cuts import Tally
from tests.system.durability.sqlite_over_apsw import sqlite_over_apsw
from vehicle.comms.lap_outbox import LapOutbox

Held = frozenset[tuple[object, ...]]
MOST_CHANGES = 120  # then a new store begins
MOST_OPERATIONS = {"sync": 300, "outbox": 300, "board": 900}  # until the cut; making a board's tables takes some 250


@dataclass(frozen=True, slots=True)
class StoreChange:
    """One change: what is held afterwards that was not, and what no more."""

    added: Held = frozenset()
    removed: Held = frozenset()

    def after(self, held: Held) -> Held:
        return (held | self.added) - self.removed


class CutStore(Protocol):
    """A store of the product in a folder: opened when it is made."""

    def draw(self, number: int, chance: random.Random) -> StoreChange:
        """The next change, not done yet."""

    def do(self, change: StoreChange) -> None:
        """Does it, by the product; when this returns, it is acknowledged. Raises StorageError."""

    def held(self) -> Held:
        """What it holds. Raises AssertionError if it contradicts itself."""

    def weaken(self) -> None:
        """Has it sync less than it does: the sabotage that must lose something."""

    def close(self) -> None: ...


class SyncCutStore:
    """sync.db: attempts, and the answers to them."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._store = AttemptStore(folder / "sync.db")
        self._open: dict[int, int] = {}

    def draw(self, number: int, chance: random.Random) -> StoreChange:
        waiting = [row for row in self.held() if row[2] == "no answer"]
        if waiting and chance.random() < 0.6:
            row = chance.choice(sorted(waiting, key=repr))
            answer = ("posted", 1000 + number) if chance.random() < 0.5 else ("later", f"because {number}")
            return StoreChange(frozenset({(row[0], row[1], *answer)}), frozenset({row}))
        return StoreChange(frozenset({(number, f"run-{number}", "no answer")}))

    def do(self, change: StoreChange) -> None:
        [row] = change.added
        result_id = str(row[1])
        match row[2]:
            case "no answer":
                self._store.begin(OutboxRow(int(str(row[0])), result_id, 1, b"{}"), int(str(row[0])))
            case "posted":
                self._store.finish(self._attempt(result_id), PostAccepted(int(str(row[3])), 1, 1), 1)
            case _:
                self._store.finish(self._attempt(result_id), PostDeferred(str(row[3])), 1)

    def held(self) -> Held:
        rows = set[tuple[object, ...]]()
        for record in self._store.records():
            match record.answer:
                case PostAccepted(score_ms):
                    rest: tuple[object, ...] = ("posted", score_ms)
                case PostDeferred(reason):
                    rest = ("later", reason)
                case _:
                    rest = ("no answer",)
            rows.add((record.last_utc_ns, record.result_id, *rest))
        return frozenset(rows)

    def weaken(self) -> None:
        self._store._db.pragma("synchronous", "normal")

    def close(self) -> None:
        self._store.close()

    def _attempt(self, result_id: str) -> int:
        return next(record.attempt_id for record in self._store.records() if record.result_id == result_id)


class OutboxCutStore:
    """laps.db of a car: laps that the station has not acknowledged. No number is used twice."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._outbox = LapOutbox(folder / "laps.db")

    def draw(self, number: int, chance: random.Random) -> StoreChange:
        held = sorted(self.held(), key=repr)
        if held and chance.random() < 0.4:
            return StoreChange(removed=frozenset({chance.choice(held)}))
        return StoreChange(frozenset({(number,)}))

    def do(self, change: StoreChange) -> None:
        for row in change.added:
            last = max((queued.seq for queued in self._outbox.pending()), default=0)
            queued = self._outbox.add(CarLap(int(str(row[0])) * NS_PER_S, "boot-1", lap_ns=NS_PER_S))
            assert queued.seq > last, "a number was used twice"
        for row in change.removed:
            [queued] = [each for each in self._outbox.pending() if each.lap.at_ns == int(str(row[0])) * NS_PER_S]
            self._outbox.remove(queued.boot, queued.seq)

    def held(self) -> Held:
        return frozenset((queued.lap.at_ns // NS_PER_S,) for queued in self._outbox.pending())

    def weaken(self) -> None:
        self._outbox._db.execute("PRAGMA synchronous=FULL")

    def close(self) -> None:
        self._outbox.close()


class BoardCutStore:
    """board.db: results, the answers that were given for them, and the standing that follows from both."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._board: LeaderboardService = open_board(folder / "board.db")
        self._board.create_race(sample_races.race(), 1)

    def draw(self, number: int, chance: random.Random) -> StoreChange:
        return StoreChange(frozenset({(f"run-{number}", chance.randrange(8_000, 12_000))}))

    def do(self, change: StoreChange) -> None:
        [(run, lap_ms)] = change.added
        result = sample_races.result(str(run), f"racer of {run}", [int(str(lap_ms))] * 3)
        reply = self._board.apply(result.webhook_id, encode_result(result), 1_700_000_001_000_000_000)
        assert reply.status == 201, reply

    def held(self) -> Held:
        return frozenset(
            (str(placed.racer).removeprefix("racer of "), placed.score_ms) for placed in self._board.standings("cup")
        )

    def weaken(self) -> None:
        with self._board.store._writer.connect() as db:
            plain = db.connection.driver_connection
            assert plain is not None
            plain.execute("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        self._board.close()


CUT_STORES: dict[str, Callable[[pathlib.Path], CutStore]] = {
    "sync": SyncCutStore,
    "outbox": OutboxCutStore,
    "board": BoardCutStore,
}


def campaign(name: str, folder: pathlib.Path, cuts: int, seed: int, *, weakened: bool = False) -> Iterator[Tally]:
    """Runs `cuts` trials of the store `name` and yields the tally after each."""
    tally, disk, held, number, changes = Tally(), folder / "disk", Held(), 0, 0
    disk.mkdir()
    while tally.cuts < cuts:
        chance = random.Random(f"{seed}-{tally.cuts}")
        trial = CutTrial(name, number, held, weakened=weakened)
        trial.write(disk, folder / "left", chance, tally)
        shutil.rmtree(disk)
        (folder / "left").rename(disk)
        tally.cuts += 1
        found = trial.judge(disk, tally)
        number, changes = trial.number, changes + trial.done
        held = Held() if found is None else found
        if found is None or changes > MOST_CHANGES:
            shutil.rmtree(disk)
            disk.mkdir()
            held, changes = Held(), 0
        yield tally


class CutTrial:
    """One cut: `held` was there before, `expected` is acknowledged, `flying` was asked for and not answered."""

    def __init__(self, store: str, number: int, held: Held, *, weakened: bool) -> None:
        self._store, self._weakened = store, weakened
        self.number, self.done = number, 0
        self.expected, self.flying = held, StoreChange()

    def write(self, disk: pathlib.Path, left: pathlib.Path, chance: random.Random, tally: Tally) -> None:
        """Changes the store until the power goes, and writes what is left of it to the folder `left`."""
        left.mkdir()
        before = len(list(disk.iterdir()))
        with power_cut(disk, chance.randrange(3, MOST_OPERATIONS[self._store])) as power, sqlite_over_apsw():
            store: CutStore | None = None
            try:
                store = CUT_STORES[self._store](disk)
                if self._weakened:
                    store.weaken()
                assert store.held() == self.expected or not before, "it opened to other than it was judged by"
                while self.done < MOST_CHANGES:
                    self.number += 1
                    self.flying = store.draw(self.number, chance)
                    store.do(self.flying)
                    self.expected, self.flying = self.flying.after(self.expected), StoreChange()
                    self.done += 1
            except RacedayError as error:
                if not power.dead:
                    tally.unreadable += 1
                    tally.first_failure = tally.first_failure or f"cut {tally.cuts}: with power, {error}"
            power.operations = max(power.operations, power.cut_at + 1)
            fate = power.survive(left, chance)
            if store is not None:
                with contextlib.suppress(apsw.Error, sqlite3.Error, RacedayError):  # the disk is dead
                    store.close()
        tally.fates[fate] = tally.fates.get(fate, 0) + 1
        tally.acknowledged += self.done

    def judge(self, disk: pathlib.Path, tally: Tally) -> Held | None:
        """What the store that is left holds; None if that is wrong."""
        try:
            with sqlite_over_apsw(), contextlib.closing(CUT_STORES[self._store](disk)) as store:
                held = store.held()
        except RacedayError as error:
            tally.unreadable += 1
            tally.first_failure = tally.first_failure or f"cut {tally.cuts}: {error}"
            return None
        if held == self.expected:
            return held
        if held == self.flying.after(self.expected):
            tally.not_acknowledged_but_kept += 1
            return held
        lost, invented = self.expected - held - self.flying.removed, held - self.expected - self.flying.added
        tally.lost += len(lost)
        tally.cuts_with_loss += bool(lost)
        tally.invented += len(invented)
        tally.disagreeing += not lost and not invented
        tally.first_failure = tally.first_failure or f"cut {tally.cuts}: {lost=}, {invented=}"
        return None
