"""`raceday certs` as it is typed."""

import json
import pathlib
import stat

import pytest

from raceday.__main__ import main
from raceday.certs.carried_file import unpack
from raceday.certs.cli import ANOTHER_AUTHORITY, RELOAD


@pytest.fixture
def etc(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.chdir(tmp_path)
    assert main(["certs", "init", "--etc", "etc", "--host", "10.42.0.1"]) == 0
    said = capsys.readouterr().out
    assert "The authority" in said
    assert "10.42.0.1" in said
    return "etc"


def test_a_day_of_certificates(etc: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certs", "machine", "station-1", "--etc", etc]) == 0
    assert "raceday install station --certs station-1.raceday-certs" in capsys.readouterr().out
    assert main(["certs", "car", "car-1", "--etc", etc]) == 0
    said = capsys.readouterr().out
    assert "raceday install car --certs car-1.raceday-certs" in said
    assert "reload mosquitto" not in said  # a car changes nothing at the broker
    path = pathlib.Path("car-1.raceday-certs")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert unpack(path.read_bytes(), "").name == "car-1"

    assert main(["certs", "car", "car-1", "--etc", etc]) == 2
    assert "is there already" in capsys.readouterr().err
    path.unlink()
    assert main(["certs", "car", "car-1", "--etc", etc]) == 1
    assert "`--renew` makes a further one" in capsys.readouterr().err

    assert main(["certs", "revoke", "car-1", "--etc", etc]) == 0
    assert "reload mosquitto" in capsys.readouterr().out
    assert main(["certs", "show", "--etc", etc]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[:2] for line in shown.splitlines()[1:4]] == [
        ["broker", "broker"],
        ["car-1", "car"],
        ["station-1", "station"],
    ]
    assert "revoked on" in shown
    assert main(["certs", "show", "--json", "--etc", etc]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {each["name"]: each["state"] for each in document["certificates"]} == {
        "broker": "valid",
        "car-1": "revoked",
        "station-1": "valid",
    }


def test_a_reload_is_advised_only_where_it_disturbs_nobody(etc: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certs", "init", "--etc", etc, "--host", "other.local"]) == 0
    assert RELOAD in capsys.readouterr().out.splitlines()
    pathlib.Path(etc, "ca").rename(pathlib.Path(etc, "ca.old"))
    assert main(["certs", "init", "--etc", etc]) == 0
    said = capsys.readouterr().out.splitlines()
    assert RELOAD not in said
    assert ANOTHER_AUTHORITY in said
    assert main(["certs", "init", "--etc", "fresh"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert not {RELOAD, ANOTHER_AUTHORITY} & set(said), "no broker runs with files that were not there"
    assert said[-1].startswith("Next: ")


def test_show_ends_with_1_on_what_is_wrong(etc: str, capsys: pytest.CaptureFixture[str]) -> None:
    (pathlib.Path(etc) / "tls" / "crl.pem").unlink()
    assert main(["certs", "show", "--etc", etc]) == 1
    assert "BAD broker's files: crl.pem missing" in capsys.readouterr().out


def test_a_disk_that_refuses_the_carried_file_says_how_to_go_on(etc: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certs", "car", "car-1", "--etc", etc, "-o", "nowhere/car-1"]) == 2
    assert "say it again with `--renew`" in capsys.readouterr().err
    assert main(["certs", "car", "car-1", "--etc", etc, "--renew"]) == 0


@pytest.mark.parametrize("words", [["show"], ["car", "car-1"], ["revoke", "car-1"]])
def test_without_an_authority_a_sentence_says_how_to_make_one(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(["certs", *words, "--etc", str(tmp_path / "etc")]) == 2
    assert "raceday certs init" in capsys.readouterr().err
    assert not (tmp_path / "etc" / "tls").exists()
