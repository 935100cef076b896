"""Without --config: the working folder's file, else the installed one, which is said, and which root leaves alone."""

import os
import pathlib

import pytest

from shared import chosen_config as module
from shared.chosen_config import chosen_config
from shared.errors import ConfigError, OperatorError
from station.commands import access
from vehicle.commands import bridge


@pytest.fixture
def etc(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A machine with installed configs; one stands in a folder without any."""
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "station.toml").write_text('name = "hall-2"\nnonsense = 1\n')
    for part in (module, bridge):
        monkeypatch.setattr(part, "INSTALLED", etc)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setattr(os, "geteuid", lambda: 991)
    return etc


def test_what_is_named_is_taken_whatever_is_there(etc: pathlib.Path) -> None:
    assert chosen_config(pathlib.Path("mine.toml"), "station.toml") == pathlib.Path("mine.toml")
    assert etc.is_dir()


def test_the_working_folder_goes_first_and_nothing_is_said(
    etc: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pathlib.Path("config").mkdir()
    pathlib.Path("config/station.toml").touch()
    assert chosen_config(None, "station.toml") == pathlib.Path("config/station.toml")
    assert chosen_config(None, "vehicle.toml") == pathlib.Path("config/vehicle.toml"), "installed nowhere: as ever"
    assert "".join(capsys.readouterr()) == ""
    assert etc.is_dir()


def test_an_installed_config_is_taken_and_said(etc: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen_config(None, "station.toml") == etc / "station.toml"
    out, err = capsys.readouterr()
    assert out == "", "what a script reads is not touched"
    assert err == f"({etc}/station.toml is taken: there is no config/station.toml here.)\n"
    with pytest.raises(ConfigError, match=rf"{etc}/station.toml: unknown key `nonsense`"):
        access.main(["token", "--name", "script"])


def test_root_leaves_no_files_where_the_service_cannot_use_them(
    etc: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("sys.argv", ["raceday", "station", "token", "--name", "script"])
    with pytest.raises(OperatorError, match="sudo -u raceday raceday station token --name script"):
        access.main(["token", "--name", "script"])
    assert chosen_config(None, "station.toml", may_be_root=True) == etc / "station.toml"


def test_a_bridge_is_taken_if_it_is_the_only_one(etc: pathlib.Path) -> None:
    (etc / "bridge-car-1.toml").write_text("nonsense = 1")
    with pytest.raises(ConfigError, match=r"bridge-car-1\.toml: unknown key"):
        bridge.main(["models"])
    (etc / "bridge-car-2.toml").touch()
    with pytest.raises(ConfigError, match="name one by --config FILE"):
        bridge.main(["models"])
