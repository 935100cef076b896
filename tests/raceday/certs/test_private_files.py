"""Files of keys: never open to others, not for a moment; whole or not at all."""

import os
import pathlib
import stat
from collections.abc import Iterator

import pytest

from raceday.certs.private_files import FileOwner, make_folder, owner_of_sudo, read_file, write_file, write_new_file
from shared.errors import StorageError


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The most careless one."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_key_is_never_open_to_others_on_its_way(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        seen.extend(stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir())
        real(descriptor)

    real_open = os.open

    def opened(path: str, flags: int, mode: int = 0o777, **more: int) -> int:
        descriptor = real_open(path, flags, mode, **more)
        if flags & os.O_CREAT:
            seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "open", opened)
    write_file(tmp_path / "a.key", b"1", 0o600)
    write_file(tmp_path / "a.key", b"2", 0o600)
    write_new_file(tmp_path / "b.key", b"3", 0o600)
    assert len(seen) > 5
    assert set(seen) == {0o600}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.key": b"2", "b.key": b"3"}


def test_a_public_file_is_readable_by_all_whatever_the_umask(tmp_path: pathlib.Path) -> None:
    os.umask(0o077)
    write_file(tmp_path / "ca.pem", b"x", 0o644)
    assert stat.S_IMODE((tmp_path / "ca.pem").stat().st_mode) == 0o644
    make_folder(tmp_path / "ca", 0o700)
    make_folder(tmp_path / "tls" / "deep", 0o755)
    assert stat.S_IMODE((tmp_path / "tls" / "deep").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700


def test_a_full_disk_leaves_the_old_file_and_no_part(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file(tmp_path / "a.key", b"old", 0o600)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="free some space"):
        write_file(tmp_path / "a.key", b"new", 0o600)
    with pytest.raises(StorageError, match="free some space"):
        write_new_file(tmp_path / "b.key", b"new", 0o600)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.key": b"old"}


def test_a_carried_file_never_replaces_one_nor_follows_a_link(tmp_path: pathlib.Path) -> None:
    (tmp_path / "there").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("there", "link"):
        with pytest.raises(StorageError, match="is there already"):
            write_new_file(tmp_path / name, b"new", 0o600)
    assert (tmp_path / "there").read_bytes() == b"old"
    assert not (tmp_path / "elsewhere").exists()


def test_a_stick_without_owners_takes_the_carried_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuses)
    monkeypatch.setattr(os, "fchmod", refuses)
    write_new_file(tmp_path / "car-1.raceday-certs", b"x", 0o600, FileOwner(1, 1))
    assert (tmp_path / "car-1.raceday-certs").read_bytes() == b"x"
    with pytest.raises(StorageError, match="run this with sudo"):
        write_file(tmp_path / "broker.key", b"x", 0o600, FileOwner(1, 1))


def test_what_is_far_too_large_is_not_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"x" * 1_000_001)
    with pytest.raises(StorageError, match="too large"):
        read_file(tmp_path / "ca.pem")
    with pytest.raises(StorageError, match="cannot be read"):
        read_file(tmp_path / "none.pem")


@pytest.mark.parametrize(
    ("uid", "sudo_uid", "sudo_gid", "owner"),
    [
        (0, "1000", "1001", FileOwner(1000, 1001)),
        (0, "", "", None),
        (0, "-1", "0", None),
        (0, "x", "1", None),
        (1000, "1000", "1000", None),
    ],
)
def test_the_carried_file_belongs_to_who_said_sudo(
    monkeypatch: pytest.MonkeyPatch, uid: int, sudo_uid: str, sudo_gid: str, owner: FileOwner | None
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setenv("SUDO_UID", sudo_uid)
    monkeypatch.setenv("SUDO_GID", sudo_gid)
    assert owner_of_sudo() == owner
