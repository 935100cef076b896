"""The authority: OpenSSL's own verifier takes what it issues, at any time of day, as strictly as Python 3.13 asks."""

import datetime as dt
import pathlib
import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from raceday.certs.authority import (
    BUILT,
    EPOCH,
    Authority,
    KeyedCertificate,
    Revocation,
    is_pair,
    issue,
    key_pem,
    new_authority,
    new_key,
    read_authority,
    revocation_list,
)
from raceday.certs.issued import list_number, read_certificate, revocations
from shared.errors import BadInput

NOW = dt.datetime(2026, 5, 2, 9, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PEM = serialization.Encoding.PEM


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority("Raceday test", new_key(), NOW)


@pytest.fixture(scope="module")
def car(authority: Authority) -> KeyedCertificate:
    return issue(authority, "car", "car-1", new_key(), NOW)


def verdict(folder: pathlib.Path, authority: Authority, made: KeyedCertificate, *more: str, crl: bytes = b"") -> str:
    """What `openssl verify` says."""
    (folder / "ca.pem").write_bytes(authority.certificate.public_bytes(PEM))
    (folder / "crl.pem").write_bytes(crl)
    (folder / "made.pem").write_bytes(made.certificate_pem())
    words = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", *more, "made.pem"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize("purpose", ["sslclient", "sslserver"])
@pytest.mark.parametrize("at", [EPOCH + DAY, NOW, NOW + 3640 * DAY])
def test_openssl_takes_them_from_1970_on(
    tmp_path: pathlib.Path, authority: Authority, car: KeyedCertificate, purpose: str, at: dt.datetime
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: this test holds our certificates against it")
    broker = issue(authority, "broker", "broker", new_key(), NOW, ("hall.local", "10.42.0.1"))
    made, hosts = (broker, ["-verify_ip", "10.42.0.1"]) if purpose == "sslserver" else (car, [])
    crl = revocation_list(authority, (), 1).public_bytes(PEM)
    words = ["-attime", str(int(at.timestamp())), "-purpose", purpose, "-crl_check", "-CRLfile", "crl.pem", *hosts]
    assert "made.pem: OK" in verdict(tmp_path, authority, made, *words, crl=crl)
    other = "sslclient" if purpose == "sslserver" else "sslserver"
    assert "unsuitable certificate purpose" in verdict(tmp_path, authority, made, "-purpose", other)


def test_openssl_refuses_what_is_revoked_and_takes_the_later_of_two_lists(
    tmp_path: pathlib.Path, authority: Authority, car: KeyedCertificate
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: this test holds our certificates against it")
    first = revocation_list(authority, (), 1).public_bytes(PEM)
    second = revocation_list(authority, [Revocation(car.certificate.serial_number, NOW)], 2).public_bytes(PEM)
    # A broker that reloads has both, in either order.
    for both in (first + second, second + first):
        assert "certificate revoked" in verdict(tmp_path, authority, car, "-crl_check", "-CRLfile", "crl.pem", crl=both)


def test_lives_are_counted_from_a_clock_that_is_set(authority: Authority) -> None:
    unset = new_authority("Raceday", new_key(), EPOCH)
    assert unset.certificate.not_valid_after_utc > BUILT + 7000 * DAY
    late = authority.certificate.not_valid_after_utc - DAY
    assert issue(authority, "car", "car-1", new_key(), late).certificate.not_valid_after_utc == late + DAY


def test_a_certificate_says_who_it_is_for(authority: Authority, car: KeyedCertificate) -> None:
    revoked = [Revocation(car.certificate.serial_number, NOW)]
    read = read_certificate(car.certificate_pem(), revoked, "car-1.pem")
    assert (read.role, read.name, read.revoked_at, read.hosts) == ("car", "car-1", NOW, ())
    usage = car.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    basic = car.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert not basic.value.ca
    listed = revocation_list(authority, revoked, 7)
    assert revocations(listed) == tuple(revoked)
    assert list_number(listed) == 7


def test_keys_and_certificates_that_do_not_belong_together(authority: Authority, car: KeyedCertificate) -> None:
    assert is_pair(car.certificate_pem(), car.key_pem())
    assert not is_pair(car.certificate_pem(), key_pem(new_key()))
    assert not is_pair(b"", car.key_pem())
    pem = authority.certificate.public_bytes(PEM)
    assert read_authority(pem, key_pem(authority.key), "ca").certificate == authority.certificate
    for certificate, key in ((pem, car.key_pem()), (b"x", car.key_pem()), (pem, b"x")):
        with pytest.raises(BadInput, match=r"^ca: "):
            read_authority(certificate, key, "ca")


@pytest.mark.parametrize("pem", [b"", b"\xff" * 99, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_one_sentence(pem: bytes) -> None:
    with pytest.raises(BadInput, match=r"^x\.pem: is not a certificate"):
        read_certificate(pem, (), "x.pem")


def test_a_strangers_certificate_is_none_of_ours(authority: Authority) -> None:
    with pytest.raises(BadInput, match="not one that `raceday certs` made"):
        read_certificate(authority.certificate.public_bytes(PEM), (), "ca.pem")
