"""The authority's folder: every step can be repeated, one that was interrupted is mended, names stay apart."""

import datetime as dt
import pathlib
import stat

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from raceday.certs import authority_folder
from raceday.certs.acl_file import names_in
from raceday.certs.authority import is_pair
from raceday.certs.authority_folder import ASIDE, AuthorityFolder
from raceday.certs.issued import SOON, read_certificate
from raceday.certs.private_files import FileOwner
from raceday.certs.review import NEW_AUTHORITY
from raceday.certs.show import authority_findings
from shared.errors import BadInput, OperatorError, Refused
from shared.findings import all_good
from tests.raceday.certs.conftest import NOW

HOSTS = ("hall.local", "localhost", "127.0.0.1")


def files(folder: AuthorityFolder) -> dict[str, tuple[bytes, int]]:
    found = (path for path in folder.etc.rglob("*") if path.is_file())
    return {str(path.relative_to(folder.etc)): (path.read_bytes(), path.stat().st_mode) for path in found}


def acl_users(folder: AuthorityFolder) -> list[str]:
    lines = (folder.etc / "acl").read_text().splitlines()
    return [line.removeprefix("user ") for line in lines if line.startswith("user ")]


def test_all_that_a_broker_needs_is_made_and_private_keys_are_private(folder: AuthorityFolder) -> None:
    modes = {name: stat.S_IMODE(mode) for name, (_, mode) in files(folder).items()}
    assert {name for name in modes if name.startswith("tls/")} == {
        "tls/ca.pem",
        "tls/crl.pem",
        "tls/broker.pem",
        "tls/broker.key",
    }
    assert {modes[name] for name in ("ca/ca.key", "tls/broker.key", "acl")} == {0o600}
    assert stat.S_IMODE(folder.ca.stat().st_mode) == 0o700
    assert all_good(authority_findings(folder, NOW))


def test_a_second_time_changes_nothing(folder: AuthorityFolder) -> None:
    before = files(folder)
    assert folder.initialise("Raceday test", HOSTS, NOW) == []
    assert files(folder) == before


def test_a_further_address_makes_a_new_certificate_for_the_broker_alone(folder: AuthorityFolder) -> None:
    authority = (folder.ca / "ca.key").read_bytes()
    done = folder.initialise("Raceday test", (*HOSTS, "10.42.0.1"), NOW)
    assert done == [f"The broker's certificate was made for {', '.join((*HOSTS, '10.42.0.1'))}."]
    assert folder.broker_hosts(NOW) == (*HOSTS, "10.42.0.1")
    assert (folder.ca / "ca.key").read_bytes() == authority
    # What it was for before it stays for: cars that use it must not be shut out.
    folder.initialise("Raceday test", ("other.local",), NOW)
    assert set(folder.broker_hosts(NOW)) == {*HOSTS, "10.42.0.1", "other.local"}


@pytest.mark.parametrize("lost", ["tls/broker.key", "tls/broker.pem", "tls/ca.pem", "tls/crl.pem", "acl", "ca/crl.pem"])
def test_what_is_lost_or_half_made_is_made_again(folder: AuthorityFolder, lost: str) -> None:
    (folder.etc / lost).unlink()
    folder.initialise("Raceday test", HOSTS, NOW)
    assert all_good(authority_findings(folder, NOW))
    assert is_pair((folder.tls / "broker.pem").read_bytes(), (folder.tls / "broker.key").read_bytes())


def test_who_is_revoked_stays_so_when_the_list_is_lost(folder: AuthorityFolder) -> None:
    folder.issue("car", "car-1", NOW)
    folder.revoke("car-1", NOW)
    (folder.ca / "crl.pem").unlink()
    folder.initialise("Raceday test", HOSTS, NOW)
    assert [each.state(NOW) for each in folder.issued() if each.name == "car-1"] == ["revoked"] * 2
    for path in (folder.ca / "crl.pem", folder.tls / "crl.pem"):
        path.unlink()
    with pytest.raises(OperatorError, match=r"crl\.pem is gone"):
        folder.initialise("Raceday test", HOSTS, NOW)


def test_a_brokers_key_without_its_certificate_is_noticed(folder: AuthorityFolder) -> None:
    # Power went between the two.
    other = AuthorityFolder(folder.etc / "other")
    other.initialise("Raceday other", HOSTS, NOW)
    (folder.tls / "broker.key").write_bytes((other.tls / "broker.key").read_bytes())
    bad = [each for each in authority_findings(folder, NOW) if each.is_good is False]
    assert [(each.what, each.seen) for each in bad] == [("broker", "Its key does not belong to its certificate.")]
    folder.initialise("Raceday test", HOSTS, NOW)
    assert all_good(authority_findings(folder, NOW))


def test_an_authority_whose_key_is_lost_is_not_made_anew_in_silence(folder: AuthorityFolder) -> None:
    (folder.ca / "ca.key").unlink()
    with pytest.raises(OperatorError, match=r"ca\.key is gone"):
        folder.initialise("Raceday test", HOSTS, NOW)
    with pytest.raises(OperatorError, match="no authority yet"):
        folder.issue("car", "car-1", NOW)


def test_each_role_gets_its_rules(folder: AuthorityFolder) -> None:
    for role, name in (("station", "station-1"), ("car", "car-1"), ("display", "wall")):
        carried, _ = folder.issue(role, name, NOW)  # type: ignore[arg-type]  # of the table
        assert read_certificate(carried.certificate_pem, (), "").role == role
    assert acl_users(folder) == ["station-1", "wall"]


def test_a_second_certificate_wants_a_reason(folder: AuthorityFolder) -> None:
    folder.issue("car", "car-1", NOW)
    with pytest.raises(Refused, match="has a certificate until 2036-04-29"):
        folder.issue("car", "car-1", NOW)
    folder.issue("car", "car-1", NOW, renews=True)
    assert [each.state(NOW) for each in folder.issued() if each.name == "car-1"] == ["valid"] * 4  # with their pages


def test_a_name_stays_what_it_was(folder: AuthorityFolder) -> None:
    folder.issue("station", "station-1", NOW)
    folder.revoke("station-1", NOW)
    with pytest.raises(Refused, match="the name of a station"):
        folder.issue("car", "station-1", NOW, renews=True)
    with pytest.raises(Refused, match="cannot name a machine"):
        folder.issue("car", "car-1\nuser station-1", NOW)


def test_who_is_revoked_is_out_until_there_is_a_new_certificate(folder: AuthorityFolder) -> None:
    first, _ = folder.issue("car", "car-1", NOW)
    folder.issue("car", "car-1", NOW, renews=True)
    assert len(folder.revoke("car-1", NOW)) == 4  # with their pages
    assert folder.revoke("car-1", NOW) == []
    assert acl_users(folder) == ["car-1"]
    assert (folder.tls / "crl.pem").read_bytes() == (folder.ca / "crl.pem").read_bytes()
    new, done = folder.issue("car", "car-1", NOW)
    assert new.key_pem != first.key_pem
    assert acl_users(folder) == []
    assert done == [f"The broker's access rules were written to {folder.etc / 'acl'}."]
    assert sorted(each.state(NOW) for each in folder.issued() if each.name == "car-1") == [
        *["revoked"] * 4,
        *["valid"] * 2,
    ]
    with pytest.raises(Refused, match=r"nobody here is called 'car-9'; certificates have: broker, car-1\."):
        folder.revoke("car-9", NOW)


def test_a_new_authority_takes_nobodys_rules_until_it_gives_a_certificate(folder: AuthorityFolder) -> None:
    """The broker may read its rules before it is restarted: who is connected keeps them, and who is denied stays so."""
    for role, name in (("station", "station-1"), ("station", "station-2"), ("display", "wall"), ("car", "car-1")):
        folder.issue(role, name, NOW)  # type: ignore[arg-type]  # of the table
    folder.revoke("car-1", NOW)
    before = (folder.etc / "acl").read_text()
    folder.ca.rename(folder.etc / "ca.old")
    folder.initialise("Raceday test", HOSTS, NOW)
    assert (folder.etc / "acl").read_text() == before
    assert folder.issue("station", "station-1", NOW)[1] == []
    folder.issue("car", "car-1", NOW)
    folder.issue("car", "wall", NOW)
    folder.revoke("station-1", NOW)
    assert names_in((folder.etc / "acl").read_text()) == {"station-1": "denied", "station-2": "station"}


def test_what_ends_soon_is_named_with_its_cure(folder: AuthorityFolder) -> None:
    folder.issue("car", "car-1", NOW)
    late = next(each.until for each in folder.issued() if each.name == "car-1") - SOON + dt.timedelta(days=1)
    found = {each.what: each for each in authority_findings(folder, late)}
    assert found["certificate of car-1"].is_good is False
    assert "certs car car-1 --renew" in found["certificate of car-1"].cure
    assert "certs init --renew" in found["broker"].cure
    folder.issue("car", "car-1", late, renews=True)
    folder.initialise("Raceday test", HOSTS, late, renews_broker=True)
    assert all_good(authority_findings(folder, late))


def test_an_authority_that_ends_has_the_cure_of_the_page(folder: AuthorityFolder) -> None:
    late = NOW + dt.timedelta(days=20 * 365 - 10)
    found = {each.what: each for each in authority_findings(folder, late)}
    assert (found["authority"].is_good, found["authority"].cure) == (False, NEW_AUTHORITY)


def test_a_key_that_others_may_read_is_named(folder: AuthorityFolder) -> None:
    (folder.ca / "ca.key").chmod(0o640)
    bad = [each for each in authority_findings(folder, NOW) if not each.is_good]
    assert [(each.seen, each.cure) for each in bad] == [
        ("Others may read it (mode 640).", f"Run `sudo chmod 600 {folder.ca / 'ca.key'}`.")
    ]


def test_a_broker_that_was_installed_later_gets_its_files(
    folder: AuthorityFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_to: dict[str, tuple[int, int]] = {}
    monkeypatch.setattr(authority_folder, "owner_named", lambda _user: FileOwner(54321, 54322))
    monkeypatch.setattr("os.chown", lambda path, uid, gid, **_: given_to.update({path.name: (uid, gid)}))
    done = folder.initialise("Raceday test", HOSTS, NOW)
    assert given_to == {"broker.key": (54321, 54322), "acl": (54321, 54322)}
    assert len(done) == 2
    assert all(sentence.endswith("was given to mosquitto.") for sentence in done)


def test_rules_of_another_origin_are_kept_aside(folder: AuthorityFolder) -> None:
    (folder.etc / "acl").write_text("user mine\ntopic read #\n")
    done = folder.initialise("Raceday test", HOSTS, NOW)
    assert (folder.etc / ASIDE).read_text() == "user mine\ntopic read #\n"
    assert any(ASIDE in sentence for sentence in done)
    assert acl_users(folder) == []


@pytest.mark.parametrize("spoilt", ["ca/crl.pem", "ca/issued/broker-1.pem", "ca/ca.pem"])
def test_a_spoilt_file_is_one_sentence_that_names_it(folder: AuthorityFolder, spoilt: str) -> None:
    (folder.etc / spoilt).write_bytes(b"\xffspoilt")
    with pytest.raises(BadInput, match=str(folder.ca)):
        folder.issue("car", "car-1", NOW)


def test_two_at_a_time_do_not_work_on_one_authority(folder: AuthorityFolder) -> None:
    with folder.locked(), pytest.raises(OperatorError, match="another `raceday certs` is at work"):
        folder.issue("car", "car-1", NOW)


def test_a_copy_of_etc_elsewhere_is_an_authority_too(folder: AuthorityFolder, tmp_path: pathlib.Path) -> None:
    folder.etc.rename(tmp_path / "moved")
    moved = AuthorityFolder(tmp_path / "moved")
    assert moved.issue("car", "car-1", NOW)[0].name == "car-1"


def test_machines_with_pages_get_a_certificate_for_browsers_of_the_same_key(folder: AuthorityFolder) -> None:
    carried, _ = folder.issue("car", "car-1", NOW, ("10.42.0.1",))
    web = x509.load_pem_x509_certificate(carried.web_pem)
    assert read_certificate(carried.web_pem, (), "").hosts == ("car-1", "car-1.local", "10.42.0.1")
    assert web.public_key() == x509.load_pem_x509_certificate(carried.certificate_pem).public_key()
    # What iPhones ask of a server's certificate: https://support.apple.com/103769
    assert (web.not_valid_after_utc - web.not_valid_before_utc).days <= 825
    use = web.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(use) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert folder.issue("display", "wall", NOW)[0].web_pem == b""
    station, _ = folder.issue("station", "station-1", NOW)
    assert set(HOSTS) <= set(read_certificate(station.web_pem, (), "").hosts)


def test_a_cars_page_is_never_where_another_machine_is(folder: AuthorityFolder) -> None:
    folder.issue("car", "car-1", NOW)
    for name, hosts in (("car-2", ("car-1.local",)), ("car-2", HOSTS[:1])):
        with pytest.raises(Refused, match="is where"):
            folder.issue("car", name, NOW, hosts)
    assert "car-2" not in {each.name for each in folder.issued()}
    folder.revoke("car-1", NOW)
    assert folder.issue("car", "car-2", NOW, ("car-1.local",))[0].web_pem


def test_revoking_a_machine_revokes_its_page_and_a_leaderboard_may_say_nothing(folder: AuthorityFolder) -> None:
    folder.issue("leaderboard", "board", NOW)
    folder.issue("car", "car-1", NOW)
    assert {each.role for each in folder.revoke("car-1", NOW)} == {"car", "web"}
    acl = (folder.etc / "acl").read_text()
    for name in ("board", "car-1"):
        assert f"user {name}\ntopic deny #" in acl
