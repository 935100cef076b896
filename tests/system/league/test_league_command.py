"""`raceday demo --league` as a person starts it: it prints what to open, serves it, and leaves nothing behind."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest
import requests

from raceday.__main__ import main as raceday

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_it_serves_until_it_is_asked_to_end_and_leaves_nothing(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "-m", "raceday", "demo", "--league", "--headless"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as demo:
        assert demo.stdout is not None
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C ends it"):
                break
        words = [line.split() for line in lines]
        home = next(each[1] for each in words if each[:1] == ["home"])
        invitation = next(each[-1] for each in words if each[:2] == ["private", "race,"])
        passphrase = next(" ".join(each[1:]) for each in words if each[:1] == ["mara"])
        assert requests.get(invitation, timeout=30).status_code == 200
        credentials = {"alias": "mara", "passphrase": passphrase}
        assert requests.post(f"{home}api/v1/sessions", json=credentials, timeout=30).status_code == 201
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(60) == 0
    assert list(tmp_path.glob("raceday-league-*")) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--seed", "-1"], "--seed is -1; allowed is 0"), (["--port", "70000"], "--port is 70000; allowed is 0 to 65535")],
)
def test_what_is_wrong_with_an_option_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert raceday(["demo", "--league", *arguments]) != 0
    assert said in capsys.readouterr().err
