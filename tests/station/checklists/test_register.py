"""The register of the checklists: what it takes, what it refuses, and what is still there after a restart."""

import errno
import os
import pathlib
import stat

import pytest

from shared.errors import BadInput, StorageError
from station.checklists.items import ITEMS, LISTS
from station.checklists.records import ChecklistFacts, ChecklistsView, HandTick, SensorSighting, StationSightings
from station.checklists.register import UNREADABLE, ChecklistRegister
from station.checklists.stored_file import FILE

NOW_NS = 1_790_000_000_000_000_000


def test_what_was_ticked_and_seen_is_there_after_a_restart(tmp_path: pathlib.Path) -> None:
    register = ChecklistRegister(tmp_path)
    changes: list[ChecklistsView] = []
    register.on_change(lambda: changes.append(register.view))
    register.tick("road", "Ruth", NOW_NS, on=True)
    register.tick("drills", "Max", NOW_NS + 1, on=True)
    register.tick("road", "Max", NOW_NS + 2, on=False)
    register.tick("road", "Ruth", NOW_NS + 3, on=True)
    register.set_sightings(StationSightings(button_utc_ns=NOW_NS))
    register.set_sightings(StationSightings(button_utc_ns=NOW_NS))  # nothing new
    register.set_facts(ChecklistFacts(officials=("Ruth",)))
    assert len(changes) == 6
    again = ChecklistRegister(tmp_path).view
    assert (again.ticks, again.sightings) == (register.view.ticks, register.view.sightings)
    assert again.tick("road") == HandTick("road", "Ruth", NOW_NS + 3, True)
    assert again.tick("line") is None
    assert again.facts == ChecklistFacts()  # read anew, never stored


def test_the_next_day_the_same_box_is_ticked_anew() -> None:
    register = ChecklistRegister(None)
    register.tick("road", "Ruth", NOW_NS, on=True)
    register.tick("road", "Max", NOW_NS + 24 * 3600 * 10**9, on=True)
    assert register.view.tick("road") == HandTick("road", "Max", NOW_NS + 24 * 3600 * 10**9, True)


@pytest.mark.parametrize("key", [each.key for each in ITEMS.values() if each.by_station] + ["", "nothing", "../x"])
def test_nobody_ticks_what_the_station_sees_or_what_is_no_line(key: str) -> None:
    register = ChecklistRegister(None)
    with pytest.raises(BadInput):
        register.tick(key, "Ruth", NOW_NS, on=True)
    assert register.view == ChecklistsView()


TICKED_AT = '{{"ticks": [{{"key": "road", "person": "Ruth", "at_utc_ns": {}, "on": true}}]}}'
LAPPED_AT = '{{"sightings": {{"last_lap_utc_ns": {}}}}}'


@pytest.mark.parametrize("content", [
    b"", b"{", b'{"ticks": [{"key": 3}]}', b"\xff\xfe", b"[" * 100_000,
    TICKED_AT.format(2**63).encode(), TICKED_AT.format(-1).encode(), TICKED_AT.format(10**4000).encode(),
    LAPPED_AT.format(10**30).encode(), LAPPED_AT.format(-1).encode(),
])  # fmt: skip
def test_a_file_that_cannot_be_read_is_kept_and_said(tmp_path: pathlib.Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    said: list[str] = []
    register = ChecklistRegister(tmp_path, said.append)
    assert register.view == ChecklistsView()
    assert len(said) == 1
    assert UNREADABLE in said[0]
    assert (tmp_path / UNREADABLE).read_bytes() == content
    register.tick("road", "Ruth", NOW_NS, on=True)
    assert ChecklistRegister(tmp_path).view.tick("road") is not None


@pytest.mark.parametrize("at_utc_ns", [0, 2**63 - 1])
def test_every_time_that_a_page_can_show_is_read(tmp_path: pathlib.Path, at_utc_ns: int) -> None:
    (tmp_path / FILE).write_text(TICKED_AT.format(at_utc_ns))
    assert ChecklistRegister(tmp_path).view.tick("road") == HandTick("road", "Ruth", at_utc_ns)


def test_the_folder_is_synced_after_the_rename_and_nothing_is_left_over(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    ChecklistRegister(tmp_path).tick("road", "Ruth", NOW_NS, on=True)
    assert synced == [False, True]
    assert [each.name for each in tmp_path.iterdir()] == [FILE]


def test_a_full_disk_refuses_a_tick_and_says_once_that_sightings_are_not_stored(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    register = ChecklistRegister(tmp_path, said.append)
    register.tick("road", "Ruth", NOW_NS, on=True)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="free some space"):
        register.tick("line", "Ruth", NOW_NS, on=True)
    assert register.view.tick("line") is None
    for press in (1, 2, 3):
        register.set_sightings(StationSightings(button_utc_ns=NOW_NS + press))
    assert register.view.sightings.button_utc_ns == NOW_NS + 3  # the page goes on
    assert len(said) == 1
    assert [each.name for each in tmp_path.iterdir()] == [FILE]
    assert [each.key for each in ChecklistRegister(tmp_path).view.ticks] == ["road"]


def test_what_could_not_be_read_again_is_never_stored_and_takes_no_tick_with_it(tmp_path: pathlib.Path) -> None:
    said: list[str] = []
    register = ChecklistRegister(tmp_path, said.append)
    register.tick("road", "Ruth", NOW_NS, on=True)
    for moment_ns in (NOW_NS, NOW_NS + 1):
        sensors = tuple(SensorSighting(f"gate {n}", "beam", moment_ns) for n in range(20_000))
        register.set_sightings(StationSightings(sensors=sensors))
        assert register.view.sightings.sensors == sensors  # the page goes on
    assert said == [
        "The checklists are larger than 1 MB and are not stored: "
        "move checklists.json away, and start the station again."
    ]
    with pytest.raises(StorageError, match="are larger than 1 MB"):
        register.tick("line", "Ruth", NOW_NS, on=True)
    again = ChecklistRegister(tmp_path, said.append).view
    assert [each.key for each in again.ticks] == ["road"]
    assert len(said) == 1


def test_every_list_has_lines_of_both_kinds() -> None:
    for name in LISTS:
        lines = [each for each in ITEMS.values() if each.list_name == name]
        assert {each.by_station for each in lines} == {True, False}, name
