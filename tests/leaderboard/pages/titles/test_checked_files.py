"""Checked files wait on the disk, so that any process of the leaderboard finds them, and nobody else does."""

import pathlib

import pytest

from leaderboard.pages.titles.checked_files import KEPT_FOR_NS, MAX_KEPT, CheckedFiles
from leaderboard.web.forms import PostedFile
from shared.errors import Refused, StorageError

FILE = PostedFile("board;\n.csv", b"Alias\nAda\n\n")
NOW = 1_800_000_000_000_000_000


def test_another_process_finds_the_file_for_its_sender_only(tmp_path: pathlib.Path) -> None:
    one, other = CheckedFiles(tmp_path / "checked"), CheckedFiles(tmp_path / "checked")
    token = one.keep("ada", FILE, NOW)
    assert other.find("ada", token, NOW + KEPT_FOR_NS) == FILE
    assert (tmp_path / "checked").stat().st_mode & 0o077 == 0
    for account, asked, now_utc_ns in (
        ("bob", token, NOW),
        ("ada", token, NOW + KEPT_FOR_NS + 1),
        ("ada", token, NOW - 1),
        ("ada", "0" * 32, NOW),
        ("ada", "*", NOW),
        ("ada", "../" + token, NOW),
    ):
        with pytest.raises(Refused, match="choose it again"):
            other.find(account, asked, now_utc_ns)
    other.drop(token)
    with pytest.raises(Refused):
        one.find("ada", token, NOW)


def test_a_few_are_kept_for_a_while(tmp_path: pathlib.Path) -> None:
    files = CheckedFiles(tmp_path)
    tmp_path.chmod(0o700)
    tokens = [files.keep("ada", FILE, NOW + n) for n in range(MAX_KEPT + 1)]
    with pytest.raises(Refused):
        files.find("ada", tokens[0], NOW + 9)
    assert [files.find("ada", token, NOW + 9) for token in tokens[1:]] == [FILE] * MAX_KEPT
    files.keep("ada", FILE, NOW + 2 * KEPT_FOR_NS)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_others_can_read_or_lead_elsewhere_is_refused(tmp_path: pathlib.Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "open").mkdir(mode=0o700)
    (tmp_path / "open").chmod(0o755)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").write_bytes(b"")
    for name in ("open", "link", "file"):
        with pytest.raises(StorageError):
            CheckedFiles(tmp_path / name).keep("ada", FILE, NOW)
    assert list((tmp_path / "elsewhere").iterdir()) == []
