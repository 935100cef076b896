"""Without --config: the installed file, which is said and which root leaves alone, else the working folder's."""

import os
import pathlib
import shutil

import pytest

from shared import chosen_config as module
from shared.chosen_config import chosen_config
from shared.errors import ConfigError, OperatorError
from station.commands import access
from tests.vehicle.sample_parts import config_text, pulses, write_model
from vehicle.commands import bridge, vehicle


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


def test_where_nothing_is_installed_the_working_folder_is_taken_and_nothing_is_said(
    etc: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pathlib.Path("config").mkdir()
    pathlib.Path("config/vehicle.toml").touch()
    assert chosen_config(None, "vehicle.toml") == pathlib.Path("config/vehicle.toml")
    assert chosen_config(None, "leaderboard.toml") == pathlib.Path("config/leaderboard.toml"), "as ever, for its error"
    assert "".join(capsys.readouterr()) == ""
    assert etc.is_dir()


USERS = {"root": 0, "somebody": 1000}


@pytest.mark.parametrize("has_here", [True, False])
@pytest.mark.parametrize(
    ("user", "installed", "expected"),
    [
        ("root", [], "here"),  # a container, a checkout: nothing is installed there
        ("root", ["vehicle.toml"], "installed"),
        ("root", ["station.toml"], "refused"),  # a station's machine, and the folder of a car's developer
        ("root", ["ca"], "refused"),  # `raceday certs init` alone, or configs that were purged
        ("somebody", [], "here"),
        ("somebody", ["vehicle.toml"], "installed"),
        ("somebody", ["station.toml"], "here"),
    ],
)
def test_whose_config_is_taken(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    user: str,
    installed: list[str],
    expected: str,
    has_here: bool,
) -> None:
    etc = tmp_path / "etc"
    for name in installed:
        etc.mkdir(exist_ok=True)
        (etc / name).touch()
    (tmp_path / "config").mkdir()
    if has_here:
        (tmp_path / "config/vehicle.toml").touch()
    monkeypatch.setattr(module, "INSTALLED", etc)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: USERS[user])
    if expected == "refused":
        with pytest.raises(
            OperatorError, match=rf"there is no {etc}/vehicle\.toml .* --config config/vehicle\.toml names"
        ):
            chosen_config(None, "vehicle.toml", may_be_root=True)
        return
    taken = etc / "vehicle.toml" if expected == "installed" else pathlib.Path("config/vehicle.toml")
    assert chosen_config(None, "vehicle.toml", may_be_root=True) == taken
    assert chosen_config(pathlib.Path("config/vehicle.toml"), "vehicle.toml") == pathlib.Path("config/vehicle.toml")


def test_root_starts_no_car_of_a_developers_folder_on_a_stations_machine(
    etc: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path / "model")
    pathlib.Path("config").mkdir()
    pathlib.Path("config/vehicle.toml").write_text(config_text(tmp_path, 1883))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(OperatorError, match=rf"there is no {etc}/vehicle\.toml"):
        vehicle.main(["neutral"])
    assert not (tmp_path / "pulses.jsonl").exists()
    assert vehicle.main(["neutral", "--config", "config/vehicle.toml"]) == 0
    assert pulses(tmp_path)


def test_an_installed_config_is_taken_and_said(etc: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen_config(None, "station.toml") == etc / "station.toml"
    out, err = capsys.readouterr()
    assert out == "", "what a script reads is not touched"
    assert err == f"({etc}/station.toml is taken.)\n"
    with pytest.raises(ConfigError, match=rf"{etc}/station.toml: unknown key `nonsense`"):
        access.main(["token", "--name", "script"])


def test_a_file_of_the_working_folder_stands_in_no_installed_cars_way(
    etc: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = tmp_path / "car", tmp_path / "mock"
    for folder in folders:
        folder.mkdir()
        write_model(folder / "model")
    pathlib.Path("config").mkdir()
    (etc / "vehicle.toml").write_text(config_text(folders[0], 1883))
    pathlib.Path("config/vehicle.toml").write_text(config_text(folders[1], 1883))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert vehicle.main(["neutral"]) == 0
    assert pulses(folders[0]) == [(1_450_000, 1_446_000)]
    assert not (folders[1] / "pulses.jsonl").exists()
    said = f"({etc}/vehicle.toml is taken, and not config/vehicle.toml of this folder, which --config names.)\n"
    assert capsys.readouterr().err == said


def test_root_leaves_no_files_where_the_service_cannot_use_them(
    etc: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("sys.argv", ["raceday", "station", "token", "--name", "script"])
    with pytest.raises(OperatorError, match="sudo -u raceday raceday station token --name script"):
        access.main(["token", "--name", "script"])
    assert chosen_config(None, "station.toml", may_be_root=True) == etc / "station.toml"


@pytest.mark.parametrize("words", [["claim"], ["run"], []])
def test_root_makes_no_claim_file_and_no_outbox_that_the_agent_cannot_read(
    etc: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    write_model(tmp_path / "model")
    (etc / "vehicle.toml").write_text(config_text(tmp_path, 1883))
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("sys.argv", ["raceday", "vehicle", *words])
    with pytest.raises(OperatorError, match=" ".join(["sudo -u raceday raceday vehicle", *words])):
        vehicle.main(words)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_working_folder_that_is_another_users_home_holds_nothing(
    etc: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `sudo -u raceday raceday …` in a home of mode 0700; the tests may run as root, whom no mode keeps out.
    real = os.stat

    def stat(path: "os.PathLike[str] | str | int", **options: object) -> os.stat_result:
        if isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith("config/"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path, **options)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(os, "stat", stat)
    assert chosen_config(None, "station.toml") == etc / "station.toml"
    (etc / "bridge-car-1.toml").write_text("nonsense = 1")
    with pytest.raises(ConfigError, match=r"bridge-car-1\.toml: unknown key"):
        bridge.main(["models"])


def test_a_working_folder_that_was_removed_holds_nothing(etc: pathlib.Path) -> None:
    shutil.rmtree(pathlib.Path.cwd())
    assert chosen_config(None, "station.toml") == etc / "station.toml"
    assert chosen_config(None, "vehicle.toml") == pathlib.Path("config/vehicle.toml")


def test_a_bridge_is_taken_if_it_is_the_only_one(etc: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    pathlib.Path("config").mkdir()
    pathlib.Path("config/bridge.toml").touch()
    (etc / "bridge-car-1.toml").write_text("nonsense = 1")
    with pytest.raises(ConfigError, match=r"bridge-car-1\.toml: unknown key"):
        bridge.main(["models"])
    assert "not config/bridge.toml of this folder" in capsys.readouterr().err
    (etc / "bridge-car-2.toml").touch()
    with pytest.raises(ConfigError, match="name one by --config FILE"):
        bridge.main(["models"])


def test_root_is_told_of_the_file_that_an_installed_bridge_has(
    etc: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(OperatorError, match=rf"there is no {etc}/bridge-NAME\.toml .* --config config/bridge\.toml"):
        bridge.main(["models"])


@pytest.mark.parametrize("words", [[], ["run"], ["models"]])
def test_of_several_bridges_each_runs_by_its_own_config(etc: pathlib.Path, words: list[str]) -> None:
    for name in ("car-1", "car-2"):
        (etc / f"bridge-{name}.toml").write_text("nonsense = 1")
    with pytest.raises(ConfigError, match=r"bridge-car-2\.toml: unknown key"):  # it was read, and not asked for
        bridge.main([*words, "--config", str(etc / "bridge-car-2.toml")])
