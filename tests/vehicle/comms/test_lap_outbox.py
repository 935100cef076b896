"""The outbox: on the disk before on the wire, a number never twice, and nothing lost by a kill."""

import os
import pathlib
import signal
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import StorageError
from shared.protocol.messages import CarLap
from vehicle.comms.lap_outbox import LapOutbox


def lap(at_ns: int, boot: str = "boot-1") -> CarLap:
    return CarLap(at_ns, boot, 0, None, 5, 1000)


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "car" / "laps.db"


def test_laps_wait_in_order_until_they_are_forgotten(path: pathlib.Path) -> None:
    outbox = LapOutbox(path)
    stored = [outbox.add(lap(n)) for n in range(3)]
    assert [queued.seq for queued in stored] == [1, 2, 3]
    assert outbox.pending() == stored
    outbox.remove("boot-1", 2)
    outbox.remove("boot-1", 2)
    outbox.remove("another", 1)
    assert outbox.pending() == [stored[0], stored[2]]
    outbox.close()


def test_numbers_go_on_over_restarts_and_boots_even_when_all_is_forgotten(path: pathlib.Path) -> None:
    first = LapOutbox(path)
    first.add(lap(1))
    first.add(lap(2))
    first.remove("boot-1", 1)
    first.remove("boot-1", 2)
    first.close()
    second = LapOutbox(path)
    assert second.add(lap(3, "boot-2")).seq == 3
    second.close()


def test_a_kill_loses_nothing_that_was_kept(path: pathlib.Path) -> None:
    program = (
        "import sys, pathlib\nfrom tests.vehicle.comms.test_lap_outbox import lap\n"
        "from vehicle.comms.lap_outbox import LapOutbox\n"
        "outbox = LapOutbox(pathlib.Path(sys.argv[1]))\n"
        "for n in range(10**6):\n    print(outbox.add(lap(n)).seq, flush=True)\n"
    )
    root = pathlib.Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdout is not None
        printed = [int(process.stdout.readline()) for _ in range(20)]
        os.kill(process.pid, signal.SIGKILL)
    outbox = LapOutbox(path)
    assert [queued.seq for queued in outbox.pending()][:20] == printed
    outbox.close()


def test_a_damaged_row_holds_up_no_other(path: pathlib.Path) -> None:
    logged: list[str] = []
    outbox = LapOutbox(path, logged.append)
    stored = [outbox.add(lap(n)) for n in range(2)]
    with sqlite3.connect(path) as other:
        other.execute("UPDATE laps SET lap = 'broken' WHERE seq = 1")
    other.close()
    assert outbox.pending() == outbox.pending() == stored[1:]
    assert logged == [f"{path}: lap report 1 is damaged on the disk and cannot be sent; the station's gate timed it."]
    outbox.close()


@pytest.mark.parametrize("content", [b"this is no database" * 100])
def test_a_file_that_is_no_database_is_one_sentence(tmp_path: pathlib.Path, content: bytes) -> None:
    path = tmp_path / "laps.db"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="the outbox of laps cannot be used"):
        LapOutbox(path)


def test_a_full_disk_keeps_nothing_and_says_so(path: pathlib.Path) -> None:
    outbox = LapOutbox(path)
    outbox.add(lap(0))
    outbox._db.execute("PRAGMA max_page_count = 3")
    with pytest.raises(StorageError, match="full"):
        list(map(outbox.add, map(lap, range(1, 2_000))))
    before = len(outbox.pending())
    with pytest.raises(StorageError):
        outbox.add(lap(5_000))
    assert len(outbox.pending()) == before
    outbox._db.execute("PRAGMA max_page_count = 1000")
    assert outbox.add(lap(5_001)).seq == outbox.pending()[-1].seq
    outbox.close()


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.one_of(st.none(), st.integers(1, 12), st.just("reopen")), max_size=30))
def test_it_keeps_what_a_list_would_keep(
    steps: list[int | str | None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("outbox") / "laps.db"
    outbox, model, newest = LapOutbox(path), list[int](), 0
    for step in steps:
        if step is None:
            newest += 1
            assert outbox.add(lap(newest)).seq == newest
            model.append(newest)
        elif isinstance(step, int):
            outbox.remove("boot-1", step)
            model = [seq for seq in model if seq != step]
        else:
            outbox.close()
            outbox = LapOutbox(path)
        assert [queued.seq for queued in outbox.pending()] == model
    outbox.close()
