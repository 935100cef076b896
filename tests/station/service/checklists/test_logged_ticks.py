"""Ticks that a backup brought are in the log of access for good: once, together, whoever ticks the line next."""

import pathlib

import pytest

from shared.errors import StorageError
from station.access.access_store import AccessStore
from station.access.records import AccessEvent
from station.checklists.records import HandTick
from station.checklists.register import ChecklistRegister
from station.checklists.stored_file import FILE, StoredChecklists, as_bytes
from station.service.checklists.logged_ticks import log_ticks, tick_event
from tests.station.web.signed_in import cheap_access

T0_NS = 1_700_000_000_123_456_789
BROUGHT = (HandTick("road", "Olga", T0_NS, device="Phone"), HandTick("line", "Max", T0_NS + 1, on=False))


def test_the_log_keeps_what_a_backup_brought_once_the_line_is_ticked_here(tmp_path: pathlib.Path) -> None:
    (tmp_path / FILE).write_bytes(as_bytes(StoredChecklists(BROUGHT)))
    for start in range(3):
        state = cheap_access(tmp_path).state
        lists = ChecklistRegister(tmp_path)
        log_ticks(state, lists.view.ticks)
        if start == 1:
            state.record(tick_event(lists.tick("road", "Ruth", T0_NS + 2, on=True)))
        told = [(each.deed, each.subject, each.person, each.device) for _, each in state.events()]
        state.close()
    assert told == [
        ("line_ticked", "road", "Olga", "Phone"),
        ("line_taken_back", "line", "Max", ""),
        ("line_ticked", "road", "Ruth", ""),
    ]


def test_a_disk_that_refuses_leaves_all_of_them_to_the_next_start(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = cheap_access(tmp_path).state
    add = AccessStore.add_event
    added: list[AccessEvent] = []

    def full(store: AccessStore, event: AccessEvent) -> None:
        if added:
            raise StorageError("access.db: the disk is full.")
        added.append(event)
        add(store, event)

    with monkeypatch.context() as patch:
        patch.setattr(AccessStore, "add_event", full)
        with pytest.raises(StorageError):
            log_ticks(state, BROUGHT)
    assert len(added) == 1
    assert state.events() == []
    log_ticks(state, BROUGHT)
    assert [each for _, each in state.events()] == [tick_event(each) for each in BROUGHT]
    state.close()
