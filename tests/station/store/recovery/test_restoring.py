"""A restore that is cut off by `kill -9` at any step leaves the old station or the new one, and is finished later."""

import errno
import functools
import hashlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.errors import BadInput, StorageError
from shared.tracks.shipped import shipped_bytes
from station.checklists.records import HandTick, StationSightings
from station.checklists.register import ChecklistRegister
from station.checklists.stored_file import FILE as CHECKLISTS
from station.core import inputs as e
from station.service.backups.contents import contents_of
from station.store import disk_space
from station.store.event_files.tracks import TrackLibrary
from station.store.opening import JOURNAL, KEY, SYNC, open_journal
from station.store.recovery import backup as backups
from station.store.recovery import restoring
from station.store.recovery.backup import back_up
from station.store.recovery.restoring import commit, finish, is_committed, last_restore, stage
from station.sync.attempts import AttemptStore
from tests.station.core.scripted_race import S, moment
from tests.station.store.test_opening import played, posted_once, station_folder

TICK = b'{"ticks": [{"key": "road", "person": "Ruth", "at_utc_ns": 1}]'
NIGHT_NS = 1_700_000_000_000_000_000
KILLED_AT = ("replace", "rename", "unlink", "rmdir", "fsync")


def ticks_of(lines: int, person: str = "Ruth") -> bytes:
    """The ticks of so many lines of a later version."""
    ticks = [{"key": f"line {number}", "person": person, "at_utc_ns": 1} for number in range(lines)]
    return json.dumps({"ticks": ticks}).encode()


def two_states(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A station with two runs more than its backup, other tracks and ticks; the backup."""
    data, out = folder / "data", folder / "night.zip"
    station_folder(data)
    posted_once(data)
    TrackLibrary(data).add("Then", shipped_bytes("Monaco"), "Ruth")
    lists = ChecklistRegister(data)
    lists.tick("road", "Ruth", NIGHT_NS, on=True, device="Tablet")
    lists.tick("line", "Ruth", NIGHT_NS, on=True)
    lists.set_sightings(StationSightings(button_utc_ns=NIGHT_NS))
    back_up(data, out)
    (data / CHECKLISTS).unlink()
    lists = ChecklistRegister(data)
    lists.tick("line", "Max", NIGHT_NS + 9, on=False)
    lists.set_sightings(StationSightings(last_lap_utc_ns=NIGHT_NS))
    hand = played()
    hand.do(e.FinishRun(author="Ruth", run_id="run-3", moment=moment(90 * S)))
    for name in (JOURNAL, KEY, SYNC):
        (data / name).unlink()
    station_folder(data, hand)
    TrackLibrary(data).remove("Then")
    TrackLibrary(data).add("Now", shipped_bytes("Oval_track"), "Ruth")
    return data, out


def state(data: pathlib.Path) -> tuple[int, list[str], int]:
    """The records of the journal, once it is opened as a start does it; the uploaded tracks; the posts."""
    open_journal(data).close()
    attempts = AttemptStore(data / SYNC)
    posted = len(attempts.records())
    attempts.close()
    tracks = [each.name for each in TrackLibrary(data).entries() if each.sha256]
    return contents_of(data / JOURNAL).records, tracks, posted


def digests(data: pathlib.Path) -> dict[str, bytes]:
    """What the station would open, byte for byte."""
    opened = [data / name for name in (JOURNAL, f"{JOURNAL}-wal", KEY, SYNC, f"{SYNC}-wal", CHECKLISTS)]
    opened += sorted((data / backups.TRACKS).iterdir())
    return {str(path.relative_to(data)): path.read_bytes() for path in opened if path.exists()}


def killed(act: Callable[[], object], step: int) -> bool:
    """Does it in a child, which is killed with signal 9 at its step number `step` on the disk; whether it was."""
    child = os.fork()
    if not child:
        left = step

        def counted(real: Callable[..., object]) -> Callable[..., object]:
            def call(*arguments: object, **options: object) -> object:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **options)

            return call

        for name in KILLED_AT:
            setattr(os, name, counted(getattr(os, name)))
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_a_kill_at_any_step_leaves_the_old_or_the_new(tmp_path: pathlib.Path) -> None:
    data, out = two_states(tmp_path)
    old_state, old = state(data), digests(data)
    staged, outcomes = stage(data, out, "Ruth"), []

    def restore(place: pathlib.Path) -> None:
        commit(place, staged)
        finish(place)

    reached = tmp_path / "reached"
    shutil.copytree(data, reached)
    restore(reached)
    new = digests(reached)
    for step in itertools.count():
        place = tmp_path / str(step)
        shutil.copytree(data, place)
        was_killed = killed(functools.partial(restore, place), step)
        certain = is_committed(place) or last_restore(place) is not None
        finish(place)  # as every start does; nothing if the restore was never certain
        assert digests(place) == (new if certain else old), step
        outcomes.append(certain)
        if not was_killed:
            break
    assert outcomes == sorted(outcomes)
    assert 1 < outcomes.count(False) < outcomes.count(True)
    records, _, _ = old_state
    assert state(data) == old_state == (records, ["Now"], 0)
    assert state(place) == (records - 1, ["Then"], 1)
    done = last_restore(place)
    assert done is not None
    assert (done.backup, done.person) == ("night.zip", "Ruth")
    assert (place / f"{JOURNAL}.aside-1").read_bytes() == old[JOURNAL], "what was there before is kept"
    assert (place / f"{backups.TRACKS}.aside-1").is_dir()
    lists = ChecklistRegister(place).view
    assert [(each.key, each.person, each.on) for each in lists.ticks] == [
        ("road", "Ruth", True),
        ("line", "Max", False),
    ]
    assert lists.sightings == StationSightings(last_lap_utc_ns=NIGHT_NS), "what another machine saw is not seen here"
    assert (place / f"{CHECKLISTS}.aside-1").read_bytes() == old[CHECKLISTS]
    assert not (place / restoring.STAGED).exists()


def test_nothing_happens_before_the_commit(tmp_path: pathlib.Path) -> None:
    data, out = two_states(tmp_path)
    before = {path.name for path in data.iterdir()}
    stage(data, out)
    assert finish(data) is None
    assert state(data)[1:] == (["Now"], 0)
    restoring.drop_staged(data)
    assert {path.name for path in data.iterdir()} - {f"{JOURNAL}-wal", f"{JOURNAL}-shm"} <= before | {SYNC}


def test_a_newer_or_foreign_backup_and_a_full_disk_are_refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = station_folder(tmp_path / "data")
    monkeypatch.setattr(backups, "FORMAT", 3)
    back_up(data, tmp_path / "newer.zip")
    monkeypatch.setattr(backups, "FORMAT", 2)
    with pytest.raises(BadInput, match="was made by a newer Raceday"):
        stage(data, tmp_path / "newer.zip")
    space = disk_space.disk_space(tmp_path)
    monkeypatch.setattr(backups, "disk_space", lambda _: replace(space, free_bytes=1000))
    with pytest.raises(StorageError, match=r"the disk has 0 MB left, and this needs 50 MB"):
        back_up(data, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()
    assert not (data / restoring.STAGED).exists()


def test_a_station_on_another_machine_knows_who_ticked_what(tmp_path: pathlib.Path) -> None:
    _, out = two_states(tmp_path)
    spare = tmp_path / "spare"
    spare.mkdir()
    commit(spare, stage(spare, out))
    finish(spare)
    lists = ChecklistRegister(spare).view
    assert lists.tick("road") == HandTick("road", "Ruth", NIGHT_NS, True, "Tablet")
    assert lists.tick("line") == HandTick("line", "Ruth", NIGHT_NS)
    assert lists.sightings == StationSightings()


@pytest.mark.parametrize("form", [1, 2])
def test_a_backup_without_ticks_leaves_those_that_are_here(tmp_path: pathlib.Path, form: int) -> None:
    """As a version wrote it that knew of none: format 1 had no tracks, either."""
    data, out = two_states(tmp_path)
    old, ticks = tmp_path / "old.zip", (data / CHECKLISTS).read_bytes()
    with zipfile.ZipFile(out) as packed, zipfile.ZipFile(old, "w") as written:
        manifest = json.loads(packed.read(backups.MANIFEST))
        files = {name: digest for name, digest in manifest["files"].items() if form == 2 or "/" not in name}
        del manifest["extras"]
        written.writestr(backups.MANIFEST, json.dumps({**manifest, "backup": form, "files": files}))
        for name in files:
            written.writestr(name, packed.read(name))
    commit(data, stage(data, old))
    done = finish(data)
    assert done is not None
    assert (data / CHECKLISTS).read_bytes() == ticks
    assert not list(data.glob(f"{CHECKLISTS}.*"))


def test_what_a_version_before_the_ticks_reads_of_a_backup_is_all_that_it_knows(tmp_path: pathlib.Path) -> None:
    """A roll-back's release restores what the newer one made: it refuses files that it does not know."""
    _, out = two_states(tmp_path)
    with zipfile.ZipFile(out) as packed:
        manifest = json.loads(packed.read(backups.MANIFEST))
        assert CHECKLISTS in packed.namelist()
    assert manifest["backup"] == 2
    assert {name.partition("/")[0] for name in manifest["files"]} == {JOURNAL, KEY, SYNC, backups.TRACKS}


@pytest.mark.parametrize(
    ("content", "claims_another", "why"),
    [
        (b"{}", False, "checklists.json in it is damaged"),  # a backup holds ticks or no such file
        (b'{"ticks": [{"key": "road"}]}', False, "checklists.json in it is damaged"),
        (b'{"ticks": [{"key": "road", "person": "Ruth", "at_utc_ns": -1}]}', False, "checklists.json in it is damaged"),
        (TICK + b', "sightings": {"button_utc_ns": 1}}', False, "checklists.json in it is damaged"),
        (b" " * 1_000_001, False, "checklists.json in it is damaged"),
        (ticks_of(201), False, "checklists.json in it is damaged"),
        (ticks_of(1, person="R" * 1_500), False, "checklists.json in it is damaged"),
        (TICK + b"}", True, "checklists.json in it is damaged"),
        (None, False, "is not a complete backup"),
    ],
)
def test_ticks_that_are_none_are_refused_and_change_nothing(
    tmp_path: pathlib.Path, content: bytes | None, claims_another: bool, why: str
) -> None:
    data, out = two_states(tmp_path)
    forged, before = tmp_path / "forged.zip", digests(data)
    with zipfile.ZipFile(out) as packed, zipfile.ZipFile(forged, "w") as written:
        manifest = json.loads(packed.read(backups.MANIFEST))
        digest = hashlib.sha256(b"another" if claims_another else content or b"").hexdigest()
        written.writestr(backups.MANIFEST, json.dumps({**manifest, "extras": {CHECKLISTS: digest}}))
        for name in manifest["files"]:
            written.writestr(name, packed.read(name))
        if content is not None:
            written.writestr(CHECKLISTS, content)
    with pytest.raises(BadInput, match=why):
        stage(data, forged)
    assert digests(data) == before
    assert not (data / restoring.STAGED).exists()


def test_ticks_that_cannot_be_read_keep_nobody_from_a_backup_and_are_said(tmp_path: pathlib.Path) -> None:
    data = station_folder(tmp_path / "data")
    (data / CHECKLISTS).write_bytes(b"{")
    made = back_up(data, tmp_path / "b.zip")
    assert "The ticks of the checklists are not in it" in made.left_out
    assert str(made) == f"{made.sentence} {made.left_out}"
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        assert CHECKLISTS not in packed.namelist()


def as_a_folder(file: pathlib.Path, _patch: pytest.MonkeyPatch) -> None:
    file.unlink()
    file.mkdir()


def as_of_a_bad_sector(file: pathlib.Path, patch: pytest.MonkeyPatch) -> None:
    """As a file that root wrote with mode 0600, too: its name is ours, its content is not to be had."""
    read = pathlib.Path.read_bytes

    def refused(path: pathlib.Path) -> bytes:
        if path == file:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(path)

    patch.setattr(pathlib.Path, "read_bytes", refused)


@pytest.mark.parametrize("spoil", [as_a_folder, as_of_a_bad_sector])
def test_a_file_here_that_cannot_be_read_is_put_aside_and_keeps_no_station_from_starting(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[pathlib.Path, pytest.MonkeyPatch], None],
) -> None:
    data, out = two_states(tmp_path)
    spoil(data / CHECKLISTS, monkeypatch)
    commit(data, stage(data, out))
    done = finish(data)
    monkeypatch.undo()
    assert done is not None
    assert f"{CHECKLISTS}.aside-1" in done.aside
    assert [each.key for each in ChecklistRegister(data).view.ticks] == ["road", "line"]


@pytest.mark.parametrize(
    ("number", "cure"),
    [(errno.ENOSPC, "free some space"), (errno.EDQUOT, "free some space"), (errno.EACCES, "look at the disk")],
)
def test_only_a_full_disk_is_cured_by_space(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, number: int, cure: str
) -> None:
    data, out = two_states(tmp_path)
    staged = stage(data, out)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(restoring, "write_whole", refuse)
        with pytest.raises(StorageError, match=rf"cannot be written \(.*\): {cure}\.$"):
            commit(data, staged)
    commit(data, staged)
    monkeypatch.setattr(restoring, "put_aside", refuse)
    with pytest.raises(StorageError, match=rf"cannot be restored \(.*\): {cure}\.$"):
        finish(data)


def test_the_clock_of_this_machine_says_which_ticks_are_of_the_future(tmp_path: pathlib.Path) -> None:
    """The tick of "road" in the backup is newer than the one here, and later than now."""
    data, out = two_states(tmp_path)
    lists = ChecklistRegister(data)
    lists.tick("road", "Max", NIGHT_NS - 1, on=False)
    commit(data, stage(data, out))
    finish(data, utc_ns=NIGHT_NS - 1)
    assert [(each.key, each.person) for each in ChecklistRegister(data).view.ticks] == [
        ("line", "Max"),
        ("road", "Max"),
    ]


@pytest.mark.parametrize(("name", "method", "why"), [
    (backups.MANIFEST, zipfile.ZIP_DEFLATED, "larger than any station's"),
    ("a", zipfile.ZIP_BZIP2, "packed in a way"),
    ("a", zipfile.ZIP_LZMA, "packed in a way"),
])  # fmt: skip
def test_a_backup_that_is_a_bomb_is_refused_before_it_is_unpacked(
    name: str, method: int, why: str, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "night.zip"
    with zipfile.ZipFile(path, "w") as packed:
        if name != backups.MANIFEST:
            packed.writestr(backups.MANIFEST, b"{}")
        packed.writestr(name, b"[]" * 5_000_000, method)
    assert path.stat().st_size < 100_000
    (tmp_path / "into").mkdir()
    with pytest.raises(BadInput, match=why):
        backups.unpack(path, tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []
