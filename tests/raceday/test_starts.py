"""A start that fails, at each of its steps: one sentence, an exit code, nothing left running, no traceback."""

import pathlib
import socket
import threading
from collections.abc import Callable

import pytest

from raceday.__main__ import main

STATION = """
data_dir = "data"
[[gate]]
name = "start"
driver = "mock"
[mqtt]
port = 1
[web]
port = {port}
[race]
id = "friday"
name = "Friday"
"""


class Folder:
    """The folder of a station, in which each case breaks something."""

    def __init__(self, path: pathlib.Path, busy_port: int) -> None:
        self.path, self.busy_port = path, busy_port
        self.text = STATION.replace("{port}", "0")
        (path / "data").mkdir()

    def holds(self, name: str, content: bytes) -> None:
        (self.path / "data" / name).write_bytes(content)


def _text(old: str, new: str) -> Callable[[Folder], None]:
    def spoil(folder: Folder) -> None:
        assert old in folder.text
        folder.text = folder.text.replace(old, new.replace("BUSY", str(folder.busy_port)))

    return spoil


def _data_is_a_file(folder: Folder) -> None:
    (folder.path / "data").rmdir()
    (folder.path / "data").write_text("")


def _data_is_a_broken_link(folder: Folder) -> None:
    (folder.path / "data").rmdir()
    (folder.path / "data").symlink_to(folder.path / "nowhere")


def _a_folder_for(name: str) -> Callable[[Folder], None]:
    return lambda folder: (folder.path / "data" / name).mkdir()


def _a_file_of(name: str, content: bytes) -> Callable[[Folder], None]:
    return lambda folder: folder.holds(name, content)


CASES: list[tuple[str, Callable[[Folder], None], str]] = [
    ("port in use", _text("port = 0", "port = BUSY"), "is in use"),
    ("a host of others", _text("port = 0", 'host = "192.0.2.9"\nport = 0'), "check `web.host`"),
    ("no host", _text("port = 0", 'host = "no such host"\nport = 0'), "check `web.host`"),
    ("a file for a folder", _data_is_a_file, "data"),
    ("a broken link", _data_is_a_broken_link, "data"),
    ("a folder for a lock", _a_folder_for("station.lock"), "station.lock"),
    ("a folder for a journal", _a_folder_for("station.db"), "station.db"),
    ("no journal", _a_file_of("station.db", b"this is no database, and was never one" * 99), "station.db"),
    ("a folder for a key", _a_folder_for("station.key"), "station.key"),
    ("no key", _a_file_of("station.key", b"short"), "station.key"),
    ("no such driver", _text('driver = "mock"', 'driver = "laser"'), "no driver 'laser'"),
    ("no such clock", _text("[mqtt]", '[clock]\ndriver = "sundial"\n[mqtt]'), "no driver 'sundial'"),
    ("no world", _text("[mqtt]", '[clock]\ndriver = "simulator"\noptions = { world = "nowhere" }\n[mqtt]'), "world"),
    ("no TOML", _text("[race]", "[race"), "is not TOML"),
    ("an unknown key", _text("[web]", "[web]\ncolour = 1"), "unknown key"),
    ("a ready file nowhere", lambda _: None, "ready file"),
]


@pytest.mark.parametrize(("spoil", "says"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_station_that_cannot_start_says_one_sentence_and_ends_clean(
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Folder], None],
    says: str,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        folder = Folder(tmp_path, busy.getsockname()[1])
        spoil(folder)
        config = tmp_path / "station.toml"
        config.write_text(folder.text)
        ready = tmp_path / ("no such folder" if says == "ready file" else ".") / "ready"
        begun = set(threading.enumerate())
        code = main(["station", "--config", str(config), "--ready-file", str(ready)])
    output = capsys.readouterr().err
    assert code in (2, 4), output  # 4: a journal that is not as it was written
    sentences = [line for line in output.splitlines() if line.startswith("raceday station: ")]
    assert len(sentences) == 1, output
    assert says in sentences[0]
    assert "Traceback" not in output
    assert not ready.exists()
    left = [thread for thread in threading.enumerate() if thread not in begun and not _ends(thread)]
    assert left == []


def _ends(thread: threading.Thread) -> bool:
    thread.join(10.0)
    return not thread.is_alive()


LEADERBOARD = """
[server]
port = {port}
[store]
path = "board.db"
[secrets]
webhook_files = ["webhook.secret"]
admin_file = "admin.token"
"""
BOARD_CASES: list[tuple[str, str, str]] = [
    ("port in use", "port", "cannot listen"),
    ("a folder for a database", "board.db", "board.db"),
    ("no secrets", "secrets", "secret"),
    ("a ready file nowhere", "ready", "ready file"),
]


@pytest.mark.parametrize(("fault", "says"), [case[1:] for case in BOARD_CASES], ids=[case[0] for case in BOARD_CASES])
def test_a_leaderboard_that_cannot_start_says_one_sentence_and_ends_clean(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], fault: str, says: str
) -> None:
    config = tmp_path / "leaderboard.toml"
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1] if fault == "port" else 0
        config.write_text(LEADERBOARD.replace("{port}", str(port)))
        if fault != "secrets":
            assert main(["leaderboard", "init", "--config", str(config)]) == 0
        if fault == "board.db":
            (tmp_path / "board.db").mkdir()
        ready = tmp_path / ("no such folder" if fault == "ready" else ".") / "ready"
        capsys.readouterr()
        code = main(["leaderboard", "--config", str(config), "--ready-file", str(ready)])
    output = capsys.readouterr().err
    assert code == 2, output
    assert [line for line in output.splitlines() if line.startswith("raceday leaderboard: ")] == output.splitlines()
    assert says in output
