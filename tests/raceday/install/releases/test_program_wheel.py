"""The program as a wheel: found in a folder, read, and refused if it is not whole."""

import pathlib
import zipfile

import pytest

from raceday.install.releases.program_wheel import packed_again, program_wheel, read_wheel
from raceday.install.shipped_files import ROLES
from shared.errors import BadInput, OperatorError


def wheel(folder: pathlib.Path, version: str, more: bytes = b"") -> pathlib.Path:
    path = folder / f"raceday-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        for role in ROLES:
            made.writestr(f"raceday/install/locks/{role}.lock", f"{role}==1")
        made.writestr("raceday/__init__.py", more)
        made.writestr(f"raceday-{version}.dist-info/RECORD", "")
    return path


def test_the_newest_of_a_folder_is_taken(tmp_path: pathlib.Path) -> None:
    for version in ("0.9.0", "0.10.0", "0.10.0rc1", "0.2.0"):
        wheel(tmp_path, version)
    found = program_wheel(tmp_path, tmp_path)
    assert found.version == "0.10.0"
    assert found.locks == {role: f"{role}==1" for role in ROLES}


def test_equal_files_have_one_digest_and_others_another(tmp_path: pathlib.Path) -> None:
    (tmp_path / "other").mkdir()
    first, same, other = wheel(tmp_path, "1.0"), wheel(tmp_path, "1.1"), wheel(tmp_path / "other", "1.0", b"x")
    assert read_wheel(first).digest == read_wheel(same).digest != read_wheel(other).digest


@pytest.mark.parametrize(
    "name", ["raceday-1.0-py3-none-any.whl", "numpy-2.0-py3-none-any.whl", "raceday-../x-py3-none-any.whl"]
)
def test_what_is_no_wheel_of_ours(tmp_path: pathlib.Path, name: str) -> None:
    path = tmp_path / pathlib.PurePath(name).name
    path.write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(BadInput):
        read_wheel(path)


def packed(folder: pathlib.Path) -> bytes:
    path = wheel(folder, "1.0", b"print('hello')\n" * 50)
    with zipfile.ZipFile(path) as made, zipfile.ZipFile(folder / "deflated", "w", zipfile.ZIP_DEFLATED) as again:
        for name in made.namelist():
            again.writestr(name, made.read(name))
    return (folder / "deflated").read_bytes()


@pytest.mark.parametrize("to", [0, 1, 9, 12, 0x7F, 0xFF])  # also a method of compression, and "encrypted"
def test_a_wheel_of_a_card_that_fails(tmp_path: pathlib.Path, to: int) -> None:
    whole, path, refused = packed(tmp_path), tmp_path / "raceday-1.0-py3-none-any.whl", 0
    for place in range(to % 7, len(whole), 37):
        path.write_bytes(whole[:place] + bytes([to]) + whole[place + 1 :])
        try:
            read_wheel(path)  # of a changed date or permission it may
        except BadInput:
            refused += 1
    assert refused
    for size in range(0, len(whole), 397):
        path.write_bytes(whole[:size])
        with pytest.raises(BadInput):
            read_wheel(path)


def test_a_wheel_that_would_fill_the_memory(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raceday.install.releases.program_wheel.MAX_BYTES", 1000)
    with pytest.raises(BadInput, match="unpacks to more than"):
        read_wheel(wheel(tmp_path, "1.0", b"\0" * 1000))


def test_a_folder_with_anothers_packages(tmp_path: pathlib.Path) -> None:
    for name in ("raceday-evil.whl", "raceday-99-cp311-cp311-linux_x86_64.whl", "numpy-2.0-py3-none-any.whl"):
        (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(BadInput, match="is no wheel of Raceday"):
        program_wheel(tmp_path, tmp_path)
    assert program_wheel(wheel(tmp_path, "0.1.0").parent, tmp_path).version == "0.1.0"


def test_a_folder_without_one(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OperatorError, match="holds no wheel of Raceday"):
        program_wheel(tmp_path, tmp_path)


def test_a_checkout_says_what_to_do(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OperatorError, match="runs from a checkout"):
        packed_again(tmp_path)
