"""The file that carries certificates to a machine: what is taken out of it, and what no file can do there."""

import dataclasses
import io
import pathlib
import stat
import tarfile
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from raceday.certs.authority import issue, key_pem, new_key
from raceday.certs.authority_folder import AuthorityFolder
from raceday.certs.carried_file import CarriedCertificates, pack, place, unpack
from raceday.certs.private_files import FileOwner
from shared.errors import BadInput, Refused
from tests.raceday.certs.conftest import NOW

Member = tuple[str, bytes, bytes]  # name, content, type


def tar(members: list[Member]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as file:
        for name, content, kind in members:
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, len(content) if kind == tarfile.REGTYPE else 0
            member.linkname = content.decode() if kind == tarfile.SYMTYPE else ""
            file.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def carried(folder: AuthorityFolder) -> CarriedCertificates:
    return folder.issue("car", "car-1", NOW)[0]


def members_of(carried: CarriedCertificates) -> list[Member]:
    return [(name, content, tarfile.REGTYPE) for name, (content, _) in carried.files().items()]


def test_what_is_packed_comes_out_again(carried: CarriedCertificates) -> None:
    assert unpack(pack(carried), "f") == carried
    assert pack(carried) == pack(carried)
    with tarfile.open(fileobj=io.BytesIO(pack(carried))) as file:  # as `tar tvf` shows it
        assert {each.name: each.mode for each in file} == {
            "ca.pem": 0o644,
            "crl.pem": 0o644,
            "car-1.pem": 0o644,
            "car-1.web.pem": 0o644,
            "car-1.key": 0o600,
        }


def named_otherwise(members: list[Member], old: str, new: str) -> list[Member]:
    return [*members[:2], *((name.replace(old, new), content, kind) for name, content, kind in members[2:])]


SPOILS: list[tuple[str, Callable[[list[Member]], list[Member]], str]] = [
    ("a path out of the folder", lambda m: [*m[:3], ("../car-1.key", m[3][1], m[3][2])], "does not hold"),
    ("an absolute path", lambda m: [*m[:3], ("/etc/shadow", m[3][1], m[3][2])], "does not hold"),
    ("a link", lambda m: [*m[:3], ("car-1.key", b"/etc/shadow", tarfile.SYMTYPE)], "holds something"),
    ("a device", lambda m: [*m[:3], ("car-1.key", b"", tarfile.CHRTYPE)], "holds something"),
    ("a fifth file", lambda m: [*m, ("more", b"", tarfile.REGTYPE)], "holds something"),
    ("one twice", lambda m: [*m[:3], m[2]], "holds something"),
    ("one less", lambda m: m[:3], "does not hold"),
    ("another's name", lambda m: named_otherwise(m, "1", "2"), "not car-2's"),
    (
        "a reserved name",
        lambda m: named_otherwise(m, "car-1", "broker"),
        "another's",
    ),
    ("the authority's own key", lambda m: [*m[:2], ("ca.key", m[3][1], m[3][2])], "another's"),
    (
        "a name with a wildcard",
        lambda m: named_otherwise(m, "car-1", "#"),
        "cannot name",
    ),
    ("another key", lambda m: [*m[:3], ("car-1.key", key_pem(new_key()), tarfile.REGTYPE)], "does not belong"),
    ("no key", lambda m: [*m[:3], ("car-1.key", b"x", tarfile.REGTYPE)], "cannot be read"),
    ("no list", lambda m: [m[0], ("crl.pem", b"", tarfile.REGTYPE), *m[2:]], "cannot be read"),
    ("a huge file", lambda m: [*m[:3], ("car-1.key", b"x" * 1_000_001, tarfile.REGTYPE)], "holds something"),
]


@pytest.mark.parametrize(("spoil", "says"), [case[1:] for case in SPOILS], ids=[case[0] for case in SPOILS])
def test_a_spoilt_file_is_one_sentence(
    carried: CarriedCertificates, spoil: Callable[[list[Member]], list[Member]], says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        unpack(tar(spoil(members_of(carried))), "car-1.raceday-certs")


def test_a_certificate_of_another_authority_is_refused(carried: CarriedCertificates, tmp_path: pathlib.Path) -> None:
    other = AuthorityFolder(tmp_path / "other")
    other.initialise("Raceday other", ("localhost",), NOW)
    theirs = other.issue("car", "car-1", NOW)[0]
    for mixed in (
        dataclasses.replace(carried, ca_pem=theirs.ca_pem),
        dataclasses.replace(carried, certificate_pem=theirs.certificate_pem, key_pem=theirs.key_pem),
        dataclasses.replace(carried, crl_pem=theirs.crl_pem),
    ):
        with pytest.raises(BadInput, match="authority's"):
            unpack(pack(mixed), "f")


@given(st.binary(max_size=2000))
def test_any_bytes_are_one_sentence(packed: bytes) -> None:
    with pytest.raises(BadInput, match=r"^f: "):
        unpack(packed, "f")


def test_a_machine_puts_them_in_place_once(carried: CarriedCertificates, tmp_path: pathlib.Path) -> None:
    tls = tmp_path / "machine" / "tls"
    assert len(place(carried, tls, None)) == 5
    assert place(carried, tls, None) == ()
    assert stat.S_IMODE((tls / "car-1.key").stat().st_mode) == 0o600
    (tls / "car-1.key").chmod(0o644)
    assert place(carried, tls, None) == (tls / "car-1.key",)
    assert stat.S_IMODE((tls / "car-1.key").stat().st_mode) == 0o600


def test_the_key_is_its_services_alone(
    carried: CarriedCertificates, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_to: list[tuple[int, int]] = []
    monkeypatch.setattr("os.fchown", lambda _descriptor, uid, gid: given_to.append((uid, gid)))
    place(carried, tmp_path / "tls", FileOwner(991, 992))
    assert given_to == [(991, 992)]


def test_an_older_list_does_not_replace_a_newer_one(folder: AuthorityFolder, tmp_path: pathlib.Path) -> None:
    old = folder.issue("car", "car-1", NOW)[0]
    folder.issue("car", "car-2", NOW)
    folder.revoke("car-2", NOW)
    newer = folder.issue("car", "car-3", NOW)[0]
    place(newer, tmp_path / "tls", None)
    place(old, tmp_path / "tls", None)
    assert (tmp_path / "tls" / "crl.pem").read_bytes() == newer.crl_pem


def test_a_broker_of_another_authority_is_not_shut_out(folder: AuthorityFolder, tmp_path: pathlib.Path) -> None:
    other = AuthorityFolder(tmp_path / "other")
    other.initialise("Raceday other", ("localhost",), NOW)
    theirs = other.issue("station", "station-9", NOW)[0]
    before = (folder.tls / "ca.pem").read_bytes()
    with pytest.raises(Refused, match="another authority"):
        place(theirs, folder.tls, None)
    assert (folder.tls / "ca.pem").read_bytes() == before


def test_a_certificate_that_no_command_made_is_refused(folder: AuthorityFolder, carried: CarriedCertificates) -> None:
    broker = issue(folder.authority(), "broker", "broker", new_key(), NOW, ("localhost",))
    pem = broker.certificate.public_bytes(serialization.Encoding.PEM)
    with pytest.raises(BadInput, match="not car-1's"):
        unpack(pack(dataclasses.replace(carried, certificate_pem=pem, key_pem=broker.key_pem(), web_pem=b"")), "f")


def test_a_file_of_an_earlier_release_has_none_for_pages(carried: CarriedCertificates) -> None:
    old = dataclasses.replace(carried, web_pem=b"")
    assert unpack(pack(old), "f") == old


def test_anothers_certificate_for_pages_is_refused(folder: AuthorityFolder, carried: CarriedCertificates) -> None:
    other = folder.issue("car", "car-2", NOW)[0]
    stranger = AuthorityFolder(folder.etc / "elsewhere")
    stranger.initialise("Raceday test", ("localhost",), NOW)
    theirs = stranger.issue("car", "car-1", NOW)[0]
    for web_pem in (other.web_pem, theirs.web_pem, b"nothing"):
        with pytest.raises(BadInput, match=r"^f: "):
            unpack(pack(dataclasses.replace(carried, web_pem=web_pem)), "f")
