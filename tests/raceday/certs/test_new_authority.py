"""A new authority beside the old one and in place of it: what a real mosquitto lets in, and what our findings say."""

import pathlib
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from raceday.__main__ import main as raceday
from raceday.broker import mosquitto_path
from raceday.certs.authority_folder import AuthorityFolder
from raceday.certs.carried_file import place, unpack
from raceday.certs.review import is_vouched_for, list_findings
from shared.link.mqtt import MqttOptions
from tests.raceday.certs.test_broker import is_let_in
from tests.secure_broker import NOW, SecureBroker
from tests.tools.doc_commands import ROOT

pytestmark = pytest.mark.broker
PAGE = ROOT / "docs/certificates.md"


@pytest.fixture
def broker() -> Iterator[SecureBroker]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed: this test needs a real broker")
    made = SecureBroker(("station-1", "car-1", "car-2"))
    yield made
    made.end()


def trusting_both(broker: SecureBroker, folder: pathlib.Path, other: AuthorityFolder) -> MqttOptions:
    """The options of a car of the other authority, which trusts the brokers of either."""
    place(other.issue("car", "car-9", NOW)[0], folder, None)
    both = folder / "both.pem"
    both.write_bytes((folder / "ca.pem").read_bytes() + (broker.folder / "car-1/ca.pem").read_bytes())
    return MqttOptions(port=broker.port, ca=str(both), cert=str(folder / "car-9.pem"), key=str(folder / "car-9.key"))


def test_two_authorities_side_by_side_need_both_their_lists(broker: SecureBroker, tmp_path: pathlib.Path) -> None:
    other = AuthorityFolder(tmp_path / "other")
    other.initialise("Raceday test", ("localhost",), NOW)
    guest = trusting_both(broker, tmp_path / "car-9", other)
    tls = broker.authority.tls
    own_ca, own_list = ((tls / name).read_bytes() for name in ("ca.pem", "crl.pem"))
    assert not is_let_in(guest)
    both = own_ca + (other.tls / "ca.pem").read_bytes()
    (tls / "ca.pem").write_bytes(both)
    broker.restart()
    found = list_findings((tls / "crl.pem").read_bytes(), NOW, both)
    assert [is_let_in(guest), is_let_in(broker.options("car-1"))] == [False, True]
    assert [each.is_good for each in found] == [True, False]
    assert "the broker refuses every machine of that authority" in found[1].seen
    (tls / "crl.pem").write_bytes(own_list + (other.tls / "crl.pem").read_bytes())
    broker.restart()
    assert [is_let_in(guest), is_let_in(broker.options("car-1"))] == [True, True]
    assert [each.is_good for each in list_findings((tls / "crl.pem").read_bytes(), NOW, both)] == [True, True]
    # A list alone, of an authority whom nobody trusts here, is said to be none of ours.
    found = list_findings((other.tls / "crl.pem").read_bytes(), NOW, own_ca)
    assert [each.is_good for each in found] == [False, False]


def test_the_commands_of_the_page_make_a_new_authority(
    broker: SecureBroker, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are written there, less `sudo`, in the folder of this broker."""
    etc, standing, station = broker.folder / "etc/raceday", broker.client("car-2"), broker.client("station-1")
    old_ca, kept = (etc / "tls/ca.pem").read_bytes(), tmp_path / "old"
    shutil.copytree(broker.folder / "car-1", kept)
    monkeypatch.chdir(tmp_path)
    move, init, *machines, last = commands_of_the_section("## A new authority")
    run_here(move, etc)
    run_here(init, etc)
    assert is_vouched_for((etc / "tls/broker.pem").read_bytes(), (etc / "tls/ca.pem").read_bytes(), NOW)
    assert not is_vouched_for((etc / "tls/broker.pem").read_bytes(), old_ca, NOW)
    (kept / "both.pem").write_bytes(old_ca + (etc / "tls/ca.pem").read_bytes())
    ca, cert, key = (str(kept / name) for name in ("both.pem", "car-1.pem", "car-1.key"))
    stolen = MqttOptions(port=broker.port, ca=ca, cert=cert, key=key)
    assert is_let_in(stolen)
    # A reload that comes by itself in between (Debian's logrotate) takes nothing from who is connected.
    broker.reload()
    assert standing.may_publish("raceday/cars/car-2/state"), "what is connected stays so: the page says restart"
    assert station.may_publish("raceday/to/car-2/order"), "the station keeps its rules"
    for line in machines:
        run_here(line, etc)
    for name in ("station-1", "car-1"):
        carried = tmp_path / f"{name}.raceday-certs"
        place(unpack(carried.read_bytes(), str(carried)), broker.folder / name, None)
    broker.until(lambda: is_let_in(broker.options("car-1")))
    assert not is_let_in(stolen)
    assert not station.is_disconnected.is_set()
    assert last == "systemctl restart mosquitto", "in one go: nobody carries files while two authorities are about"
    broker.restart()
    assert [is_let_in(broker.options(name)) for name in ("station-1", "car-1")] == [True, True]
    assert not is_let_in(stolen)
    for client in (standing, station):
        assert client.is_disconnected.wait(10)
        client.close()


def test_the_folder_of_an_earlier_authority_is_in_nobodys_way(tmp_path: pathlib.Path) -> None:
    """The page's first command, each time that an authority is renewed."""
    line = commands_of_the_section("## A new authority")[0]
    for _ in range(3):
        (tmp_path / "ca").mkdir(exist_ok=True)
        (tmp_path / "ca/ca.key").touch()
        subprocess.run(["sh", "-c", line.replace("/etc/raceday", str(tmp_path))], check=False, timeout=30)
    assert [path.relative_to(tmp_path) for path in tmp_path.glob("*/ca")] == []
    assert line.startswith("mv ")


def run_here(line: str, etc: pathlib.Path) -> None:
    """A command of the page, as a shell reads it, with /etc/raceday there."""
    if line.startswith("raceday certs"):
        hosts = ["--host", "localhost", "--host", "127.0.0.1"] if line.endswith(" init") else []
        assert raceday([*line.split()[1:], "--etc", str(etc), *hosts]) == 0
    else:
        assert line.startswith("mv ")
        subprocess.run(["sh", "-c", line.replace("/etc/raceday", str(etc))], check=True, timeout=30)


def commands_of_the_section(title: str) -> list[str]:
    """The lines of its first block of commands, without `sudo` and comments."""
    section = PAGE.read_text(encoding="utf-8").partition(f"{title}\n")[2]
    lines = section.split("```")[1].splitlines()
    found = [line.partition("#")[0].strip().removeprefix("sudo ") for line in lines]
    return [line for line in found if line]
