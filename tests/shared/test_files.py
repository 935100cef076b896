"""Ready files are whole or not there, and a lock holds off a second holder and dies with the first."""

import errno
import os
import pathlib
import secrets
import subprocess
import sys

import pytest

from shared.errors import OperatorError, StorageError
from shared.files import hold_lock, is_locked, lock_file, write_ready_file, write_whole

HOLDER = (
    "import sys, pathlib; from shared.files import lock_file; print(lock_file(pathlib.Path(sys.argv[1])), flush=True)"
)


def test_a_ready_file_is_one_line_and_leaves_nothing_beside_it(tmp_path: pathlib.Path) -> None:
    write_ready_file(tmp_path / "ready", "http://127.0.0.1:1")
    write_ready_file(tmp_path / "ready", "http://127.0.0.1:2")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"ready": "http://127.0.0.1:2\n"}


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.ENOSPC, "free some space"), (errno.EDQUOT, "free some space"), (errno.EACCES, "")]
)
def test_a_disk_that_refuses_is_one_sentence_and_leaves_the_old_file(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    ready = tmp_path / "ready"
    write_ready_file(ready, "before")

    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(pathlib.Path, "replace", refuse)
    with pytest.raises(StorageError, match="the ready file cannot be written") as refused:
        write_ready_file(ready, "after")
    assert remedy in str(refused.value)
    assert ("free some space" in str(refused.value)) == bool(remedy)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"ready": "before\n"}


@pytest.mark.parametrize("is_durable", [False, True])
def test_a_file_is_written_through_nobodys_link(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, is_durable: bool
) -> None:
    # The folder is a service's, the writer is root, and the service knows all names that root has used before.
    (tmp_path / "victim").write_text("root:x:0:0\n")
    (tmp_path / "file").symlink_to("victim")
    for name in (f"file.{os.getpid()}.part", "file.part", ".file.part"):
        (tmp_path / name).symlink_to("victim")
    write_whole(tmp_path / "file", b"whole", is_durable=is_durable)
    assert (tmp_path / "victim").read_text() == "root:x:0:0\n"
    assert not (tmp_path / "file").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"whole"
    monkeypatch.setattr(secrets, "token_hex", lambda _: "ab")  # and were the name foreseen
    (tmp_path / ".file.ab.part").symlink_to("victim")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "file", b"again", is_durable=is_durable)
    assert (tmp_path / "victim").read_text() == "root:x:0:0\n"


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_is_never_more_open_than_it_will_be(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    begun, real_open = list[int](), os.open

    def watched(path: pathlib.Path, flags: int, mode: int = 0o777) -> int:
        descriptor = real_open(path, flags, mode)
        begun.append(os.fstat(descriptor).st_mode & 0o777)
        return descriptor

    umask = os.umask(0o022)
    try:
        monkeypatch.setattr(os, "open", watched)
        write_whole(tmp_path / "file", b"x", mode=mode)
    finally:
        os.umask(umask)
    assert begun == [mode]
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_a_second_holder_is_kept_off_until_the_first_lets_go(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    first = lock_file(path)
    assert first is not None
    assert is_locked(path)
    assert lock_file(path) is None
    with pytest.raises(OperatorError, match="another station runs here; stop it first"):
        hold_lock(path, "another station runs here")
    other = subprocess.run([sys.executable, "-c", HOLDER, str(path)], capture_output=True, text=True, check=True)
    assert other.stdout == "None\n"
    os.close(first)
    assert not is_locked(path)
    os.close(hold_lock(path, "nobody"))


def test_a_lock_ends_with_its_process(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "lock"
    program = f"{HOLDER}; sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() != "None\n"
    assert is_locked(path)
    holder.kill()
    holder.communicate()
    assert not is_locked(path)


def test_a_lock_in_no_folder_is_one_sentence(tmp_path: pathlib.Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        lock_file(tmp_path / "nowhere" / "lock")
