"""Wrong input is reported in one sentence, before anything drives; nothing is left running and nothing is lost."""

import pathlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from raceday.__main__ import main
from simulator.driving.policy import DEMO, find_model

pytestmark = pytest.mark.slow


@pytest.fixture
def refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """A function that runs a command in `tmp_path`, in this process; returns the sentence of its refusal."""
    monkeypatch.chdir(tmp_path)

    def run_here(*words: str) -> str:
        assert main(list(words)) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    return run_here


def run(*words: str, folder: pathlib.Path) -> tuple[int, str]:
    """Runs the command in a process of its own; returns exit code and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "raceday", *words], capture_output=True, text=True, cwd=folder, timeout=120, check=False
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--track", "broken.npy"], "is not a readable .npy"),
        (["--track", "none.npy"], "does not exist"),
        (["--track", "nowhere"], "There is no track called 'nowhere'"),
        (["--model", "no-onnx"], "is not an ONNX model"),
        (["--model", "no-model"], "There is no model"),
        (["--model", "other-actions"], "actions"),
        (["--port", "70000"], "--port is 70000; allowed is 0 to 65535"),
        (["--racers", "0"], "--racers is 0; allowed is 1 to 20"),
        (["--speed", "99"], "--speed is 99; allowed is 0.25 to 10"),
        (["--summary", "no-folder/s.json"], "there is no folder"),
        (["--folder", "no-onnx"], "is not empty"),
    ],
)
def test_a_wrong_wish_is_one_sentence(
    words: list[str], sentence: str, tmp_path: pathlib.Path, refused: Callable[..., str]
) -> None:
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY junk")
    demo = find_model(DEMO).parent
    for name in ("no-onnx", "other-actions"):
        shutil.copytree(demo, tmp_path / name)
    (tmp_path / "no-onnx" / "model.onnx").write_text("not a model")
    metadata = tmp_path / "other-actions" / "model_metadata.json"
    metadata.write_text('{"action_space": [{"steering_angle": 0, "speed": 1}, {"steering_angle": 30, "speed": 1}]}')
    assert sentence in refused("demo", "--once", "--headless", *words)


def test_a_port_in_use_is_named_before_anything_starts(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        code, error = run("demo", "--once", "--headless", "--port", port, folder=tmp_path)
    assert (code, error.count("\n")) == (2, 1)
    assert f"port {port} is in use" in error


@pytest.mark.parametrize("command", ["station", "leaderboard", "vehicle", "world"])
def test_a_typo_in_a_config_names_file_and_key(
    command: str, tmp_path: pathlib.Path, refused: Callable[..., str]
) -> None:
    (tmp_path / "c.toml").write_text("nmae = 1\n")
    assert "c.toml: unknown key `nmae`" in refused(command, "--config", "c.toml")


def test_a_full_disk_is_one_sentence(tmp_path: pathlib.Path) -> None:
    """Uses a really full disk: a tmpfs of a few pages."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a tmpfs cannot be mounted here (needs root): the demo is not tried on a full disk")
    try:
        code, error = run("demo", "--once", "--headless", "--folder", str(disk / "d"), folder=tmp_path)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert code == 2
    assert "free some space" in error


def test_an_unknown_command_shows_the_table(tmp_path: pathlib.Path) -> None:
    code, error = run("flurb", folder=tmp_path)
    assert code == 2
    assert "there is no command 'flurb'" in error
