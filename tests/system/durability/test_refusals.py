"""A disk that is full, read-only or failing: nothing is acknowledged, the fault is reported, and nothing is lost."""

import pathlib

import apsw
import pytest

from shared.protocol import messages as m
from station.commands.replay import check
from station.service.storage_fault import StorageFault
from station.store import disk_space as space_
from station.store.disk_space import DiskSpace
from tests.station.full_disk import full_disk
from tests.station.service.station_rig import Rig, S, WireCar

WAYS = {
    "full": (apsw.FullError, False, "disk is full"),
    "read-only": (apsw.ReadOnlyError, False, "cannot be written to"),
    "failing writes": (apsw.IOError, False, "the disk refuses"),
    "failing syncs": (apsw.IOError, True, "the disk refuses"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_said_and_mends_by_itself(tmp_path: pathlib.Path, way: str) -> None:
    error, syncs, sentence = WAYS[way]
    with full_disk(error, syncs=syncs) as disk:
        rig = Rig(tmp_path / "station.db")
        car = WireCar(rig)
        rig.open()
        rig.go()
        for _ in range(2):
            rig.cross(8.0)
        stored = rig.station.journal.head.seq
        disk.full = True
        rig.cross(8.0)
        car.lap(1, rig.clock.now_ns(), None)
        during = rig.station.snapshot().store
        assert not during.ok
        assert sentence in during.sentence
        assert rig.station.journal.head.seq == stored
        assert car.collect(m.LapAck) == []
        disk.full = False
        rig.wait(1 * S)
        after = rig.station.snapshot()
        assert after.store.ok
        assert len(car.collect(m.LapAck)) == 1
        assert after.run is not None
        assert len(after.run.laps) == 2
        check(rig.station.journal)
        rig.station.close()
    assert disk.refused


def test_the_log_hears_of_it_once_each_time_it_changes(tmp_path: pathlib.Path) -> None:
    with full_disk() as disk:
        rig = Rig(tmp_path / "station.db")
        logged: list[str] = []
        rig.station.storage._log = logged.append
        disk.full = True
        for _ in range(3):
            rig.cross(8.0)
        disk.full = False
        rig.wait(1 * S)
        rig.station.close()
    assert [sentence.split("; ")[0].rpartition(": ")[2] for sentence in logged] == [
        "the disk is full",
        "The disk accepts records again",
    ]


def test_a_disk_that_fills_up_while_nobody_drives_is_said_too(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with full_disk() as disk:
        rig = Rig(tmp_path / "station.db")
        disk.full = True
        monkeypatch.setattr("station.service.storage_monitor.disk_space", lambda _path: DiskSpace(0, read_only=False))
        monkeypatch.setattr(rig.station._clock, "due_inputs", lambda *_, **__: [])  # not even a tick arrives
        rig.wait(2 * S)
        assert "disk is full" in rig.station.snapshot().store.sentence
        disk.full = False
        rig.wait(1 * S)
        assert rig.station.snapshot().store.ok
        rig.station.close()


def test_a_disk_that_is_nearly_full_is_a_warning(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path / "station.db")
    monkeypatch.setattr(
        "station.service.storage_monitor.disk_space", lambda _path: DiskSpace(42_500_000, read_only=False)
    )
    rig.wait(2 * S)
    store = rig.station.snapshot().store
    assert store.ok
    assert "has only 42 MB left" in store.sentence
    rig.station.close()


def test_a_disk_that_does_not_answer_is_doubtful(tmp_path: pathlib.Path) -> None:
    assert space_.disk_space(tmp_path / "nowhere").doubtful
    assert not space_.disk_space(tmp_path).read_only


def test_more_than_can_be_held_ends_the_station_and_the_gate_says_it_again(tmp_path: pathlib.Path) -> None:
    with full_disk() as disk:
        rig = Rig(tmp_path / "station.db")
        rig.station.storage.fault = StorageFault(lambda _sentence: None, max_held=5)
        rig.open()
        rig.go()
        disk.full = True
        for _ in range(4):
            rig.cross(8.0)
        assert rig.station.snapshot().store.held == 5
        disk.full = False
        with pytest.raises(Exception, match="3 more inputs arrived than can be held"):
            rig.wait(1 * S)
        rig.restart()
        rig.settle()
        view = rig.station.snapshot()
        assert view.run is not None
        assert len(view.run.laps) == 3
        check(rig.station.journal)
        rig.station.close()
