"""The cache of wheels: what is in it is checked against the locks each time, and asks no network once it is filled."""

import pathlib

import pytest
from packaging.requirements import Requirement

from shared.errors import BadInput, RetryLater
from tests.tools.deb.wheels import make_wheel
from tools.deb import wheelhouse
from tools.deb.pins import Pin, Target
from tools.deb.wheelhouse import fetched, merged, sha256

TARGET = Target("arm64", "aarch64", (3, 12))


class Pip:
    """Stands for `pip download`: puts wheels into the folder that it is told, and counts the calls."""

    def __init__(self, *releases: tuple[str, str]) -> None:
        self.releases = releases
        self.calls: list[list[str]] = []

    def __call__(self, _pip: list[str], verb: str, arguments: list[str], _total: int) -> int:
        self.calls.append([verb, *arguments])
        folder = pathlib.Path(arguments[arguments.index("-d") + 1])
        for name, version in self.releases:
            make_wheel(folder, name, version)
        return 0 if self.releases else 1


def pin(folder: pathlib.Path, name: str, version: str) -> Pin:
    return Pin(Requirement(f"{name}=={version}"), frozenset({sha256(make_wheel(folder, name, version))}))


@pytest.fixture
def pins(tmp_path: pathlib.Path) -> tuple[Pin, ...]:
    (tmp_path / "index").mkdir()
    return (pin(tmp_path / "index", "rich", "14.0"), pin(tmp_path / "index", "apsw", "3.54"))


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Pip:
    pip = Pip(("rich", "14.0"), ("apsw", "3.54"))
    monkeypatch.setattr(wheelhouse, "run_pip", pip)
    return pip


def test_pip_is_asked_once_and_for_the_target(tmp_path: pathlib.Path, pins: tuple[Pin, ...], pip: Pip) -> None:
    first = fetched(TARGET, pins, tmp_path / "cache")
    assert [path.name for path in first] == ["apsw-3.54-py3-none-any.whl", "rich-14.0-py3-none-any.whl"]
    assert fetched(TARGET, pins, tmp_path / "cache") == first
    (call,) = pip.calls
    assert call[0] == "download"
    assert {"--require-hashes", "--no-deps", ":all:", "3.12", "manylinux_2_28_aarch64"} <= set(call)


def test_new_pins_leave_the_wheels_of_older_ones_out(tmp_path: pathlib.Path, pins: tuple[Pin, ...], pip: Pip) -> None:
    fetched(TARGET, pins, tmp_path / "cache")
    assert [path.name for path in fetched(TARGET, pins[:1], tmp_path / "cache")] == ["rich-14.0-py3-none-any.whl"]
    assert len(pip.calls) == 2


def test_a_wheel_that_was_altered_is_refused(tmp_path: pathlib.Path, pins: tuple[Pin, ...], pip: Pip) -> None:
    altered = fetched(TARGET, pins, tmp_path / "cache")[0]
    altered.write_bytes(altered.read_bytes() + b"x")
    with pytest.raises(BadInput, match=r"apsw-3\.54-py3-none-any\.whl: not the file that the lock names"):
        fetched(TARGET, pins, tmp_path / "cache")


def test_a_wheel_that_was_deleted_is_fetched_again(tmp_path: pathlib.Path, pins: tuple[Pin, ...], pip: Pip) -> None:
    fetched(TARGET, pins, tmp_path / "cache")[0].unlink()
    assert len(fetched(TARGET, pins, tmp_path / "cache")) == 2
    assert len(pip.calls) == 2


def test_a_failing_pip_leaves_no_cache_behind(
    tmp_path: pathlib.Path, pins: tuple[Pin, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "run_pip", Pip())
    with pytest.raises(RetryLater, match=r"arm64, Python 3\.12"):
        fetched(TARGET, pins, tmp_path / "cache")
    monkeypatch.setattr(wheelhouse, "run_pip", Pip(("rich", "14.0")))
    with pytest.raises(BadInput, match=r"apsw==3\.54: no wheel of it"):
        fetched(TARGET, pins, tmp_path / "cache")


def test_one_wheel_for_several_pythons_is_packed_once(tmp_path: pathlib.Path) -> None:
    names = ("3.11/rich-14.whl", "3.12/rich-14.whl", "3.12/apsw-cp312.whl")
    paths = [tmp_path / name for name in names]
    assert [path.name for path in merged([(paths[0],), (paths[2], paths[1])])] == ["apsw-cp312.whl", "rich-14.whl"]
