"""Upgrade and roll-back: what is asked in which order, and that the old release is back when the new one does not do.

The commands are a script of answers here; `./dev metal` runs them on whole systems.
"""

import contextlib
import pathlib
import subprocess
from collections.abc import Sequence

import pytest

from raceday.install import running
from raceday.install.command import _parser, asked
from raceday.install.facts import MachineFacts
from raceday.install.machine import Machine
from raceday.install.machine_files.broker_files import BROKER_CONF
from raceday.install.plan import install_plan
from raceday.install.releases import change_over as change_over_module
from raceday.install.releases.backups import backed_up
from raceday.install.releases.program_wheel import ProgramWheel
from raceday.install.releases.release import MARK, MakeRelease
from raceday.install.releases.upgrade import COPY, roll_back, upgrade
from raceday.install.shipped_files import ROLES, Role
from raceday.install.steps import EnableService, MakeLink, WriteFile
from shared.errors import OperatorError

OLD, NEW = "/opt/raceday/releases/1", "/opt/raceday/releases/2"


class ScriptedMachine(Machine):
    """A root folder in which commands are written down, and fail if they hold one of these words."""

    def __init__(self, root: pathlib.Path, failing: Sequence[str] = ()) -> None:
        super().__init__(root)
        self.failing, self.ran, self.conf = failing, list[str](), ""

    def attempt(self, words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        line = " ".join(words).replace("/opt/raceday/releases/", "").replace("/bin/raceday", "")
        self.ran.append(f"{user}: {line}" if user else line)
        if " install " in line and not any(word in line for word in self.failing):
            if words[2] == "station":
                self.conf = broker_conf_of(words[1:], self)
            release = words[0].removesuffix("/bin/raceday").removeprefix("/opt/raceday/")
            MakeLink("/opt/raceday/current", release).do(self)  # as the release itself does
        return subprocess.CompletedProcess(words, int(any(word in line for word in self.failing)), "", "it is broken")

    def ids(self, user: str, group: str) -> tuple[int, int]:
        del user, group
        status = self.root.stat()
        return status.st_uid, status.st_gid


def broker_conf_of(arguments: Sequence[str], made: Machine) -> str:
    """What the release that is started writes for the broker, by its own reading of the arguments."""
    request = asked(_parser().parse_args(arguments[1:]), made)
    text = (made.read("/etc/raceday/station.toml") or b"").decode()
    facts = MachineFacts(
        configs={"station": text},
        certificates=frozenset({"ca.pem", "crl.pem", "broker.pem", "broker.key", "hall-2.pem", "hall-2.key"}),
    )
    program = ProgramWheel(pathlib.Path("raceday-1-py3-none-any.whl"), "1", "0123abcd", dict.fromkeys(ROLES, ""))
    plan = install_plan(request, facts, MakeRelease(program, ("station",), "python3", (3, 11), None))
    (conf,) = [step.text for step in plan.steps if isinstance(step, WriteFile) and step.path == BROKER_CONF]
    return conf


def machine(root: pathlib.Path, failing: Sequence[str] = ()) -> ScriptedMachine:
    made = ScriptedMachine(root, failing)
    made.write("/etc/raceday/station.toml", b'name = "hall-2"\ndata_dir = "/var/lib/raceday"\n', 0o644)
    made.write("/etc/systemd/system/raceday-station.service", b"", 0o644)
    made.write("/var/lib/raceday/station.db", b"the journal", 0o600)
    for release in (OLD, NEW):
        made.write(f"{release}/{MARK}", b'{"version": "1", "roles": ["station"]}', 0o644)
    MakeLink("/opt/raceday/current", "releases/2").do(made)
    MakeLink("/opt/raceday/previous", "releases/1").do(made)
    return made


def links(made: Machine) -> tuple[str, str]:
    return str(made.path("/opt/raceday/current").readlink()), str(made.path("/opt/raceday/previous").readlink())


def test_the_older_release_reads_a_copy_before_it_takes_its_place(tmp_path: pathlib.Path) -> None:
    made = machine(tmp_path)
    assert roll_back(made, print, force=False) == 0
    backup, copy = "/var/lib/raceday/backups/before-1.backup", f"/var/lib/raceday/backups/{COPY}"
    assert made.ran == [
        "raceday: mkdir -p -m 0700 /var/lib/raceday/backups",
        f"raceday: rm -f {backup}.new",
        f"raceday: 2 backup {backup}.new --data-dir /var/lib/raceday",
        f"raceday: mv -f {backup}.new {backup}",  # the earlier one of that name is there until now
        f"raceday: rm -rf {copy}",
        f"raceday: 1 restore {backup} --data-dir {copy}",
        f"raceday: 1 journal verify {copy}/station.db",
        f"raceday: 1 replay {copy}/station.db",
        f"raceday: rm -rf {copy}",
        "1 install station --force",
    ]
    assert "\nlistener 8883\n" in made.conf  # the station is called hall-2, and its cars stay connected
    assert links(made) == ("releases/1", "releases/2")


@pytest.mark.parametrize("failing", [["1 install bridge car-1"], ["1 install station"]])
def test_bridges_change_over_with_their_station_and_keep_it_from_nothing(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, failing: list[str]
) -> None:
    # The first: its station has certificates and it has none, its password is elsewhere, or the older release knows no
    # bridges ("invalid choice"). Its service must not stay stopped.
    said = list[str]()
    made = machine(tmp_path, failing)
    monkeypatch.setattr(change_over_module, "comes_up", lambda *_: "")
    for name in ("car-1", "car-2", "car-3"):
        made.write(f"/etc/raceday/bridge-{name}.toml", b"", 0o640)
    for name in ("car-1", "car-2"):  # the third was uninstalled, and kept its config
        EnableService(f"raceday-bridge@{name}.service").do(made)
    monkeypatch.setattr(ScriptedMachine, "is_running", True)
    bridges, ways = "bridge" in failing[0], ("station", "bridge car-1", "bridge car-2")
    with contextlib.nullcontext() if bridges else pytest.raises(OperatorError, match="before is in use again"):
        roll_back(made, said.append, force=True)
    installs = [line for line in made.ran if " install " in line]
    tried = [("1", ways)] if bridges else [("1", ways[:1]), ("2", ways)]
    assert installs == [f"{release} install {what} --force" for release, names in tried for what in names]
    assert links(made) == (("releases/1", "releases/2") if bridges else ("releases/2", "releases/1"))
    assert ("systemctl restart raceday-bridge@car-1.service" in made.ran) == bridges
    assert "systemctl restart raceday-bridge@car-2.service" not in made.ran
    mended = [line for line in said if "sudo raceday install bridge car-1" in line and "it is broken" in line]
    assert len(mended) == bridges


def test_a_bridge_that_does_not_come_up_is_said(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, made = list[str](), machine(tmp_path)
    answers = iter(["", "raceday-bridge@car-1.service ends again and again"])
    monkeypatch.setattr(change_over_module, "comes_up", lambda *_: next(answers))
    monkeypatch.setattr(ScriptedMachine, "is_running", True)
    made.write("/etc/raceday/bridge-car-1.toml", b"", 0o640)
    EnableService("raceday-bridge@car-1.service").do(made)
    assert roll_back(made, said.append, force=True) == 0
    assert "ends again and again: journalctl -u raceday-bridge@car-1.service says why" in said[-1]
    assert links(made) == ("releases/1", "releases/2")


@pytest.mark.parametrize("word", ["backup /var", "restore", "verify", "replay"])
def test_a_release_that_cannot_read_the_journal_does_not_get_it(tmp_path: pathlib.Path, word: str) -> None:
    made = machine(tmp_path, [word])
    with pytest.raises(OperatorError, match="it is broken"):
        roll_back(made, print, force=False)
    assert links(made) == ("releases/2", "releases/1")
    assert not any(" install " in line for line in made.ran)
    assert made.read("/var/lib/raceday/station.db") == b"the journal"


def test_a_release_that_does_not_come_up_gives_its_place_back(tmp_path: pathlib.Path) -> None:
    made = machine(tmp_path, ["1 install"])
    with pytest.raises(OperatorError, match="The release before is in use again, and runs"):
        roll_back(made, print, force=False)
    assert links(made) == ("releases/2", "releases/1")
    assert made.ran[-1] == "2 install station --force"


def test_a_run_that_began_while_the_release_was_made_is_not_disturbed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, answers = machine(tmp_path), [0, 1]
    monkeypatch.setattr(ScriptedMachine, "is_running", True)
    monkeypatch.setattr(running, "runs_on_track", lambda _address: answers.pop(0))
    with pytest.raises(OperatorError, match="a run is on the track"):
        roll_back(made, print, force=False)
    assert links(made) == ("releases/2", "releases/1")
    assert made.ran[-1].startswith("raceday: rm -rf")


STATION, BOARD = "/etc/raceday/station.toml", "/etc/raceday/leaderboard.toml"


@pytest.mark.parametrize(
    ("role", "config", "there", "expected"),
    [
        (
            "station",
            'data_dir = "/mnt/ssd"',
            "/mnt/ssd/station.db",
            "1 backup /mnt/ssd/backups/x.new --data-dir /mnt/ssd",
        ),
        ("station", 'data_dir = "../d"', "/etc/d/station.db", "1 backup /etc/d/backups/x.new --data-dir /etc/d"),
        ("station", 'data_dir = "/mnt/ssd"', "/var/lib/raceday/station.db", ""),
        (
            "leaderboard",
            'store.path = "/srv/b.db"',
            "/srv/b.db",
            f"1 league backup /srv/backups/x.new --config {BOARD}",
        ),
        (
            "leaderboard",
            'store.url = "postgresql://raceday@localhost/raceday"',
            "",
            f"1 league backup /var/lib/raceday-leaderboard/backups/x.new --config {BOARD}",
        ),
        ("leaderboard", "", "", ""),
        ("car", "", "", ""),
    ],
)
def test_what_is_backed_up_is_where_the_config_says(
    tmp_path: pathlib.Path, role: Role, config: str, there: str, expected: str
) -> None:
    made, said = ScriptedMachine(tmp_path), list[str]()
    made.write(STATION if role == "station" else BOARD, config.encode(), 0o644)
    if there:
        made.write(there, b"data", 0o600)
    backups = backed_up(made, OLD, (role,), "x", said.append)
    assert [line.removeprefix("raceday: ") for line in made.ran if "backup " in line] == [expected] * bool(expected)
    assert bool(backups) == bool(expected)
    assert bool(said) == (role != "car")


@pytest.mark.parametrize("config", [b"", b"not toml", b"\xff", b"data_dir = 3"])
def test_a_config_that_does_not_say_where_the_journal_is_stops_the_upgrade(
    tmp_path: pathlib.Path, config: bytes
) -> None:
    made = ScriptedMachine(tmp_path)
    made.write(STATION, config, 0o644)
    with pytest.raises(OperatorError, match=r"station\.toml"):
        backed_up(made, OLD, ("station",), "x", print)


def test_when_neither_can_be_put_in_place_what_is_in_use_is_said(tmp_path: pathlib.Path) -> None:
    made = machine(tmp_path, ["1 install", "2 install"])
    with pytest.raises(OperatorError, match=r"^1 could not .*\. The release in use is 2; 2 could not be put in place"):
        roll_back(made, print, force=False)
    assert links(made) == ("releases/2", "releases/1")


@pytest.mark.parametrize(
    ("back", "said"),
    [
        ("", "The release before is in use again, and runs. `journalctl -u raceday-station.service` says why."),
        (
            "raceday-station.service runs and does not answer, though it still works after 15 min",
            "The release in use is 2; raceday-station.service runs and does not answer, though it still works after "
            "15 min. Look at `journalctl -u raceday-station.service`; if it only takes long, `sudo raceday doctor ",
        ),
    ],
)
def test_of_a_release_that_is_back_it_is_said_whether_it_runs(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, back: str, said: str
) -> None:
    made, answers = machine(tmp_path), iter(["raceday-station.service has ended (exit-code, status 2)", back])
    monkeypatch.setattr(ScriptedMachine, "is_running", True)
    monkeypatch.setattr(change_over_module, "comes_up", lambda *_: next(answers))
    with pytest.raises(OperatorError) as raised:
        roll_back(made, print, force=True)
    assert str(raised.value).startswith(f"raceday-station.service has ended (exit-code, status 2). {said}")
    assert links(made) == ("releases/2", "releases/1")


def test_the_release_in_use_is_none_to_go_back_to(tmp_path: pathlib.Path) -> None:
    made = machine(tmp_path)  # the power was cut between the first link and the second
    MakeLink("/opt/raceday/previous", "releases/2").do(made)
    with pytest.raises(OperatorError, match="no earlier release"):
        roll_back(made, print, force=False)


def test_there_is_nothing_to_go_back_to(tmp_path: pathlib.Path) -> None:
    made = machine(tmp_path)
    made.remove("/opt/raceday/previous")
    with pytest.raises(OperatorError, match="no earlier release"):
        roll_back(made, print, force=False)


def test_nothing_is_installed(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OperatorError, match="nothing is installed here yet"):
        upgrade(Machine(tmp_path), None, print, force=False)


def test_a_package_is_unpacked_on_disk_and_not_in_memory(tmp_path: pathlib.Path) -> None:
    made = machine(tmp_path, failing=["dpkg-deb"])
    with pytest.raises(OperatorError, match=r"unpacking raceday_0\.2\.0_arm64\.deb"):
        upgrade(made, tmp_path / "raceday_0.2.0_arm64.deb", lambda _line: None, force=True)
    folder = pathlib.Path(made.ran[-1].split()[-1])
    assert folder.parent == pathlib.Path("/var/tmp")
    assert not folder.exists()
