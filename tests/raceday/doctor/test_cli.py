"""`raceday doctor` as it is typed, on the machine that the tests run on."""

import io
import json
import pathlib

import pytest
from rich.console import Console

from raceday.__main__ import main
from raceday.doctor import cli
from raceday.doctor.bridge_checks import BridgeProbes
from raceday.doctor.cli import show
from raceday.doctor.installed import InstalledRole
from raceday.install.shipped_files import config_text
from shared.findings import Finding


def test_a_config_that_the_program_refuses_is_named(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "station.toml"
    config.write_text(config_text("station.toml").replace("[race]", "colour = 1\n[race]"))
    assert main(["doctor", "station", "--config", str(config), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["machine", "station"]
    (finding,) = [each for each in document["station"] if each["what"] == str(config)]
    assert finding["is_good"] is False
    assert "unknown key" in finding["seen"]
    assert all(set(each) == {"what", "is_good", "seen", "cure"} for group in document.values() for each in group)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["station", "--config", "nowhere.toml"], "there is no such config"),
        (["--config", "nowhere.toml"], "needs the role"),
    ],
)
def test_what_is_not_installed_is_one_sentence(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", *words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(("words", "is_tried"), [([], False), (["bridge"], True)])
def test_a_login_is_tried_by_name_alone(monkeypatch: pytest.MonkeyPatch, words: list[str], is_tried: bool) -> None:
    asked = list[BridgeProbes]()
    monkeypatch.setattr(cli, "installed_bridges", lambda _reader: [InstalledRole("car", "", {}, bridge="car-1")])
    monkeypatch.setattr(cli, "examined", lambda _reader, _roles, bridge_probes: asked.append(bridge_probes) or {})
    assert main(["doctor", *words]) == 0
    assert [each.models is not None for each in asked] == [is_tried]


def test_a_machine_without_roles_says_where_to_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "installed_roles", lambda _reader: [])
    assert main(["doctor"]) in (0, 1)
    assert "raceday install station" in capsys.readouterr().out


def test_the_table_has_each_cure_and_no_markup_of_what_was_seen() -> None:
    out = io.StringIO()
    findings = [
        Finding("gate start", False, "[red]/dev/ttyACM0[/red] is not there.", "Plug it in."),
        Finding("clock", None, "It is not confirmed."),
        Finding("disk", True, "20 GB are free."),
    ]
    show({"station": findings}, Console(file=out, width=100))
    lines = out.getvalue().splitlines()
    assert any(line.startswith("BAD") and "[red]/dev/ttyACM0[/red]" in line for line in lines)
    assert any("→ Plug it in." in line for line in lines)
    assert any(line.startswith("?") and "clock" in line for line in lines)
    assert lines[-1] == "1 to mend."
