"""The command: secrets made once, one sentence for a wrong setting, a clean stop, and the exported contract."""

import json
import pathlib
import socket
import stat
import subprocess

import pytest

from leaderboard import cli
from leaderboard.config import LeaderboardConfig, read
from shared.errors import ConfigError, OperatorError, StorageError
from shared.web.server import listen
from tests.leaderboard import sample_races

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = "[secrets]\nwebhook_files = ['webhook.secret']\nadmin_file = 'admin.token'"


def test_the_shipped_config_shows_the_defaults(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "leaderboard.toml"
    path.write_text((ROOT / "config" / "leaderboard.toml").read_text())
    config = read(path)
    assert config.store.place == str(tmp_path / "leaderboard.db")
    assert config.secrets.admin_file == str(tmp_path / "secrets/admin.token")
    default = LeaderboardConfig()
    assert (config.title, config.server, config.limits) == (default.title, default.server, default.limits)


def test_init_makes_secrets_once(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "leaderboard.toml"
    path.write_text("")
    assert cli.main(["init", "--config", str(path)]) == 0
    first = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    assert set(first) == {"webhook.secret", "admin.token"}
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in (tmp_path / "secrets").iterdir())
    assert cli.main(["init", "--config", str(path)]) == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()} == first


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[server]\nprot = 1", r"unknown key `server.prot` \(did you mean `port`\?\)"),
        ("[server]\nport = 99999", "0 to 65535"),
        ("[limits]\ntolerance_s = '5 minutes'", "must be a whole number"),
        (f"[store]\nurl = 'mysql://x'\n{FILES}", "is not known"),
        ("[secrets]\nwebhook_files = []\nadmin_file = 'admin.token'", "no station could post"),
        ("[secrets]\nwebhook_files = ['none']\nadmin_file = 'admin.token'", "the secret is missing"),
        ("[secrets]\nwebhook_files = ['short']\nadmin_file = 'admin.token'", "has 5 bytes"),
        ("[secrets]\nwebhook_files = ['webhook.secret']\nadmin_file = 'short'", "24 or more ASCII"),
        ("[secrets]\nwebhook_files = ['webhook.secret']\nadmin_file = 'open'", "is open to others; run: chmod 600"),
        ("[secrets]\nwebhook_files = ['webhook.secret']\nadmin_file = '.'", "cannot be read"),
        ("title = ", "is not TOML"),
    ],
)
def test_bad_settings_are_one_sentence(tmp_path: pathlib.Path, text: str, sentence: str) -> None:
    path = sample_races.write_config(tmp_path)
    (tmp_path / "short").write_text("whsec_aGVsbG8=")
    (tmp_path / "open").write_text(sample_races.TOKEN)
    (tmp_path / "short").chmod(0o600)
    (tmp_path / "open").chmod(0o644)
    path.write_text(text if "[server]" in text else text + "\n[server]\nport = 0\n")
    with pytest.raises(OperatorError, match=sentence) as caught:
        cli.main(["--config", str(path)])
    assert caught.value.exit_code == 2
    assert sample_races.TOKEN not in str(caught.value)


def test_a_taken_port_is_one_sentence(tmp_path: pathlib.Path) -> None:
    path = sample_races.write_config(tmp_path)
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        port = occupied.getsockname()[1]
        path.write_text(path.read_text().replace("port = 0", f"port = {port}"))
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1 port {port}"):
            cli.main(["--config", str(path)])


def test_answers_are_not_held_back_by_nagle() -> None:
    with listen("127.0.0.1", 0, "server") as listening:
        assert listening.proto == socket.IPPROTO_TCP, (
            "asyncio sets TCP_NODELAY only then; without it an answer takes 44 ms"
        )


@pytest.mark.slow
def test_races_are_listed(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sample_races.write_config(tmp_path)
    with pytest.raises(StorageError, match="no such database"):
        cli.main(["races", "--config", str(path)])
    server = sample_races.start(tmp_path)
    server.new_race("cup")
    assert cli.main(["races", "--config", str(path)]) == 0
    assert capsys.readouterr().out == "cup\tCup\tcommunity\tphysical\tOval\t0\t0\n"
    assert server.stop() == (0, "")


def test_openapi_is_exported_without_a_config(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["openapi"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["openapi"].startswith("3.")
    assert "/api/v1/results" in document["paths"]


@pytest.mark.slow
def test_ready_file_and_a_stop_with_open_streams(tmp_path: pathlib.Path) -> None:
    import requests

    server = sample_races.start(tmp_path)
    server.new_race("cup")
    with requests.get(f"{server.url}/races/cup/live", stream=True, timeout=60) as stream:
        next(stream.iter_lines())
        assert server.stop() == (0, "")
    ready = tmp_path / "ready"
    again = subprocess.Popen(
        sample_races.command("--config", str(tmp_path / "leaderboard.toml"), "--ready-file", str(ready)),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert again.stdout is not None
    line = again.stdout.readline()
    # The line is printed first and the file written right after: a request is answered only after both.
    assert requests.get(line.removeprefix("listening on ").strip() + "/healthz", timeout=60).json()["races"] == 1
    assert ready.read_text() == line.removeprefix("listening on ")
    again.terminate()
    again.communicate(timeout=60)
    assert again.returncode == 0


@pytest.mark.slow
def test_wrong_settings_exit_with_two_and_no_traceback(tmp_path: pathlib.Path) -> None:
    done = subprocess.run(
        sample_races.command("--config", str(tmp_path / "none.toml")),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "there is no such config file" in done.stderr
