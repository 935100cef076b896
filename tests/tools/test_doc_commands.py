"""Each command in README.md and docs/ is run as it is written, or at least read by the program's own parser.

What is run here needs neither a network, a device nor root; what is only read has its reason in `READ_ONLY` or is a
`raceday` command that would go on for long. A command of a program that is in neither table fails.
"""

import argparse
import contextlib
import io
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest

from bench.__main__ import main as bench
from raceday.__main__ import main as raceday
from station.store.opening import signer_of
from tests.station.store.test_opening import posted_once, station_folder
from tests.tools.doc_commands import ROOT, DocCommand, all_commands, commands_of
from tools.check import main as check
from tools.deb.__main__ import main as deb
from tools.metal.__main__ import main as metal

COMMANDS = all_commands()
# Programs of others: why their commands are not run by a test.
READ_ONLY = {
    "apt": "installs on the machine, as root; ./dev metal does so in a virtual one",
    "apt-get": "installs on the machine, as root",
    "pip": "asks a registry; ./dev metal installs the same wheels without one",
    "mpremote": "needs a Pico; the names of the files are checked here",
    "rpicam-hello": "needs a Raspberry Pi's camera",
    "ls": "shows devices of the reader's machine",
    "mosquitto": "a server; tests/raceday/test_broker.py starts it with this file",
    "iw": "needs a radio",
    "systemctl": "root's; ./dev metal starts the units",
    "systemd-analyze": "reads an installed unit; tests/raceday/install/units runs it on ours",
    "ufw": "root's; changes the firewall",
    "cp": "root's; copies to a car",
    "mv": "root's; tests/raceday/certs/test_new_authority.py runs it",
    "install": "root's; copies to a car",
    "sh": "runs on the Pi's card at its first start; tests/tools/deb runs that script",
    "ray": "starts a cluster; tests/simulator/farm does so by Ray's own interface",
    "echo": "puts the reader's password into a file",
    "openssl": "makes a secret of random bytes",
}
# What stands for a figure or a date in a doc, as one that a parser takes.
EXAMPLES = {"NAME": "station", "SEED": "1", "RUN": "run-1"}
# What a parser says to the name of a command alone, as a sentence has it: "`raceday model` shows them".
LACKS = re.compile(r"arguments are required|^usage: raceday \w+ (?:VERB|COMMAND)", re.MULTILINE)


class Accepted(BaseException):
    """Raised once a parser has taken all words: nothing is done with them. No `except Exception` catches it."""


@pytest.fixture
def parsers_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every parser reads its words as always, and ends there."""
    original = argparse.ArgumentParser.parse_args

    def parse_args(self: argparse.ArgumentParser, *given: Any, **named: Any) -> Any:
        original(self, *given, **named)
        raise Accepted

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)


def refusal(command: DocCommand, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the program's parser has against the command; "" if it takes it."""
    program, *words = [EXAMPLES.get(word, word) for word in command.words if word != "…"]
    if program == "./dev":
        program, *words = words
        if program in ("test", "lock"):
            return "" if f"  {program} " in (ROOT / "dev").read_text(encoding="utf-8") else "no command of ./dev"
        mains = {"demo": None, "run": None, "check": check, "deb": deb, "metal": metal, "bench": bench}
        if program not in mains:
            return "no command of ./dev"
        main = mains[program] or raceday
        if program == "demo":
            words = ["demo", *words]
    else:
        main = raceday
    said = io.StringIO()
    monkeypatch.setattr("sys.argv", [program, *words])
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code: object = main(words) if main is raceday else main()
        except Accepted:
            return ""
        except SystemExit as ended:
            code = ended.code
    is_named = command.is_in_text and all(re.fullmatch(r"[a-z-]+", word) for word in words)
    if code == 0 or (is_named and LACKS.search(said.getvalue())):
        return ""
    return said.getvalue() or f"exit code {code}"


def of_ours(command: DocCommand) -> bool:
    return command.words[0] in ("raceday", ".venv/bin/raceday", "./dev")


OURS = [each for each in COMMANDS if of_ours(each)]
OTHERS = [each for each in COMMANDS if not of_ours(each)]


@pytest.mark.usefixtures("parsers_stop")
def test_each_of_our_commands_is_taken_by_its_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {str(each): said for each in OURS if (said := refusal(each, monkeypatch))}
    assert refused == {}
    assert len(OURS) > 150


@pytest.mark.usefixtures("parsers_stop")
@pytest.mark.parametrize(
    "wrong",
    [
        "raceday station --confg config/station.toml",
        "raceday model evaluatte",
        "sudo raceday install spaceship",
        "raceday sync sent --rejected",
        "./dev demo --racers many",
        "./dev race",
        "raceday brigde --config FILE",
    ],
)
def test_a_wrong_command_is_found(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (command,) = commands_of("page.md", f"Do `{wrong}` now.")
    assert refusal(command, monkeypatch)


@pytest.mark.parametrize("command", OTHERS, ids=str)
def test_a_command_of_others_is_run_or_there_is_a_reason(command: DocCommand, tmp_path: pathlib.Path) -> None:
    program, *words = command.words
    if program in ("mkdir", "touch", "chmod"):
        if program != "mkdir":
            (tmp_path / words[-1]).parent.mkdir(parents=True, exist_ok=True)
        if program == "chmod":
            (tmp_path / words[-1]).touch()
        subprocess.run([program, *words], cwd=tmp_path, check=True, timeout=30)
        assert (tmp_path / words[-1]).exists()
    elif program.endswith(("python", "python3")):
        assert (ROOT / words[0]).is_file() or words[0] in ("bundle.zip", "leash/raceday_leash.py"), "no such script"
    else:
        assert READ_ONLY.get(program), f"{program}: run it in this test, or say in READ_ONLY why not"
        files = [word for word in words if re.match(r"(config|station|tools)/", word)]
        assert [each for each in files if not (ROOT / each).exists()] == []


# Run as written, one after another in one folder, with what each must say or make.
RUN = (
    ("raceday --version", "extras"),
    ("raceday journal verify data/station/station.db", "as they were written"),
    ("raceday replay data/station/station.db", "the same facts"),
    ("raceday protest RUN -o bundle.zip", "bundle.zip"),
    ("python3 bundle.zip --key HEX", "are intact"),
    ("raceday protest --check bundle.zip --key HEX", "are intact"),
    ("raceday backup evening.backup", "evening.backup"),
    ("raceday restore evening.backup", "restored"),
    ("raceday station claim-code --reset", "-"),
    ("raceday gate list", "p3"),
    ("raceday model render --track reinvent_base -o track.png", "track.png"),
    ("raceday print boards -o boards.pdf", "boards.pdf"),
    ("raceday bridge leash --to leash", "raceday-leash.service"),
    ("raceday leaderboard init --config config/leaderboard.toml", "config/secrets/webhook.secret"),
    ("raceday leaderboard openapi > openapi.json", "openapi"),
    ("raceday sync status", "3 waiting"),
    ("raceday sync pause", "paused"),
    ("raceday sync send", "raceday sync resume"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder as the docs mean it: config/, the models, and the journal of a station that has timed and posted."""
    made = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "config", made / "config")
    (made / "simulator").symlink_to(ROOT / "simulator")
    (made / "data/station").mkdir(parents=True)
    station_folder(made / "data/station")
    posted_once(made / "data/station")
    return made


def test_each_reason_is_that_of_a_command() -> None:
    assert sorted(READ_ONLY) == sorted({each.words[0] for each in OTHERS} & READ_ONLY.keys())


def test_what_is_run_stands_in_the_docs() -> None:
    written = {re.sub(r"\s+#.*", "", each.text) for each in COMMANDS}
    assert [text for text, _ in RUN if text not in written] == []


@pytest.mark.parametrize(("text", "says"), RUN, ids=[text for text, _ in RUN])
def test_a_command_does_what_the_docs_say(
    folder: pathlib.Path, text: str, says: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    examples = EXAMPLES | {"HEX": signer_of(folder / "data/station").public_key.hex()}
    program, *words = [examples.get(word, word) for word in DocCommand("", 0, text).words]
    if program == "raceday":
        code = raceday(words)
    else:
        code = subprocess.run([sys.executable, *words], check=False, timeout=60).returncode
    said = "".join(capfd.readouterr())
    assert (code, says in said or (folder / says).exists()) == (0, True), said
