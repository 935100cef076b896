"""Power cuts while the station's journal is written, and what must hold of it after each of them.

A trial opens the journal that the last cut left (or a new one), continues the race where the journal ends, and
appends in transactions of one to six inputs until the power goes. What `append` returned for is acknowledged.
"""

import json
import pathlib
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.station.journal import race
from shared.errors import StorageError
from station.core import inputs as e
from station.core.engine import Engine
from station.service.restore import restore
from station.store.encoding import encode_facts, encode_input
from station.store.journal import Journal, JournalEntry
from station.store.journal_reader import JournalReader
from station.store.signer import Signer
from tests.system.durability.power_cut_vfs import power_cut

MOST_RECORDS = 400  # then a new journal begins, since each cut reads all of it again
SIGNER = Signer(Ed25519PrivateKey.generate())


@dataclass(slots=True)
class Tally:
    """The outcome of a campaign of cuts."""

    cuts: int = 0
    acknowledged: int = 0
    lost: int = 0
    cuts_with_loss: int = 0
    invented: int = 0
    disagreeing: int = 0
    unreadable: int = 0
    not_acknowledged_but_kept: int = 0
    fates: dict[str, int] = field(default_factory=dict)
    first_failure: str = ""

    @property
    def clean(self) -> bool:
        return not (self.lost or self.invented or self.disagreeing or self.unreadable)


def campaign(folder: pathlib.Path, cuts: int, seed: int, synchronous: str = "") -> Iterator[Tally]:
    """Runs `cuts` trials and yields the tally after each. After a damaged journal, the next trial begins a new one.

    `synchronous`: what SQLite is set to in place of what the journal itself sets ("").
    """
    tally, disk, number, before, given = Tally(), folder / "disk", 0, 0, _given()
    disk.mkdir()
    while tally.cuts < cuts:
        number += 1
        chance = random.Random(f"{seed}-{number}")
        acknowledged, tried = _write(disk, given, before, chance, synchronous, folder / "left", tally)
        shutil.rmtree(disk)
        (folder / "left").rename(disk)
        tally.cuts += 1
        tally.acknowledged += acknowledged - before
        shutil.copytree(disk, folder / "judged")  # the log stays as the cut left it
        there = _judge(folder / "judged", given, acknowledged, tried, tally, number)
        shutil.rmtree(folder / "judged")
        before = there or 0
        if there is None or there > MOST_RECORDS:
            shutil.rmtree(disk)
            disk.mkdir()
            before = 0
        yield tally


def _given() -> list[e.Input]:
    """The inputs of the race, the same for every trial; each makes one record or none."""
    inputs = race()
    return [next(inputs) for _ in range(MOST_RECORDS * 3)]


def _write(
    folder: pathlib.Path,
    given: Sequence[e.Input],
    before: int,
    chance: random.Random,
    synchronous: str,
    left: pathlib.Path,
    tally: Tally,
) -> tuple[int, int]:
    """Writes until the power is cut; returns how many records were acknowledged, and how many were tried."""
    acknowledged = tried = before
    left.mkdir()
    journal: Journal | None = None
    with power_cut(folder, chance.randrange(3, 400)) as disk:
        try:
            journal = Journal(folder / "station.db", SIGNER)
            if synchronous:
                journal._db.pragma("synchronous", synchronous)
            journal._db.pragma("wal_autocheckpoint", chance.choice((4, 12, 40, 1000)))
            assert journal.head.seq == before, "it opened to another end than when it was judged"
            engine, at = restore(journal).engine, before
            while at < len(given):
                step = given[at : at + chance.randrange(1, 7)]
                entries = [JournalEntry(event, engine.handle(event)) for event in step]
                tried = at + len(step)
                journal.append(entries)
                acknowledged = at = tried
        except StorageError:
            assert disk.dead, "it stopped though there was power"
        else:
            disk.operations = disk.cut_at + 1  # everything was written: the power is cut now
        fate = disk.survive(left, chance)
        if journal is not None:
            journal.close()
    tally.fates[fate] = tally.fates.get(fate, 0) + 1
    return acknowledged, tried


def _judge(
    folder: pathlib.Path, given: Sequence[e.Input], acknowledged: int, tried: int, tally: Tally, number: int
) -> int | None:
    """Opens what is left as a station does after a cut; returns how many records there are, None if they are wrong."""
    try:
        journal = Journal(folder / "station.db", SIGNER)
        head = journal.verify()
        faults = _faults(folder / "station.db", given)
        journal.probe()
        journal.close()
    except StorageError as error:
        tally.unreadable += 1
        tally.first_failure = tally.first_failure or f"trial {number}: {error}"
        return None
    lost, extra = max(0, acknowledged - head.seq), max(0, head.seq - tried)
    tally.lost += lost
    tally.cuts_with_loss += bool(lost)
    tally.invented += extra + faults[0]
    tally.disagreeing += faults[1]
    tally.not_acknowledged_but_kept += max(0, head.seq - acknowledged)
    if (lost or extra or any(faults)) and not tally.first_failure:
        tally.first_failure = f"trial {number}: {acknowledged} acknowledged, {tried} tried, {head.seq} there, {faults}"
    return None if lost or extra or any(faults) else head.seq


def _faults(path: pathlib.Path, given: Sequence[e.Input]) -> tuple[int, int]:
    """Records that differ from the inputs, and results that differ between journal and outbox."""
    invented = disagreeing = 0
    engine, reader = Engine(), JournalReader(path)
    for record, event in zip(reader.records(), given, strict=False):
        facts = engine.handle(event)
        invented += (record.input, record.facts) != (encode_input(event), encode_facts(facts))
        due = [fact[1]["result"] for fact in json.loads(record.facts) if fact[0] == "ResultDue"]
        posted = [json.loads(payload) for payload in record.results]
        disagreeing += [_name(result) for result in due] != [_name(result) for result in posted]
    reader.close()
    return invented, disagreeing


def _name(result: dict[str, object]) -> tuple[object, ...]:
    return result["result_id"], result["revision"], json.dumps(result["laps"])
