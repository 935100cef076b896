"""Damaged certificates, lists and keys are refused in a sentence, whatever of them is damaged. Found by fuzzing.

`cryptography` parses most of a certificate only when it is asked for: so a bent one may be loaded, and raise later.
"""

import base64
import datetime as dt
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from raceday.certs.authority_folder import AuthorityFolder
from raceday.certs.carried_file import CarriedCertificates, checked
from raceday.certs.issued import list_number, read_certificate, revocations
from raceday.certs.review import certificate_finding, is_vouched_for, read_list, trust_finding
from shared.certificate_chain import trusted_until
from shared.errors import BadInput
from tests.raceday.certs.conftest import NOW

LATER = NOW + dt.timedelta(days=30)


def armoured(kind: str, der: bytes) -> bytes:
    return f"-----BEGIN {kind}-----\n".encode() + base64.encodebytes(der) + f"-----END {kind}-----\n".encode()


def der_of(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(line for line in pem.splitlines() if not line.startswith(b"-----")))


@pytest.fixture
def carried(folder: AuthorityFolder) -> CarriedCertificates:
    made, _ = folder.issue("car", "car-1", NOW, renews=False)
    return made


def bent(der: bytes, values: tuple[int, ...]) -> list[bytes]:
    return [der[:at] + bytes([value]) + der[at + 1 :] for at in range(len(der)) for value in values if der[at] != value]


def all_refused(damaged: list[bytes], read: Callable[[bytes], object]) -> int:
    """How many were refused by a sentence; anything else than that or an answer is raised."""
    refused = 0
    for each in damaged:
        try:
            read(each)
        except BadInput:
            refused += 1
    return refused


def test_a_certificate_with_any_byte_bent(carried: CarriedCertificates) -> None:
    authority = x509.load_pem_x509_certificate(carried.ca_pem)
    damaged = bent(der_of(carried.certificate_pem), (0, 3, 9, 0x76))

    def read(der: bytes) -> None:
        pem = armoured("CERTIFICATE", der)
        certificate_finding("a certificate", pem, LATER, "")
        trust_finding("a certificate", pem, carried.ca_pem, LATER, "")
        is_vouched_for(pem, carried.ca_pem, LATER)
        read_certificate(pem, (), "car-1.pem")
        found = x509.load_der_x509_certificate(der)
        trusted_until(found, [], [found, authority], LATER)

    assert len(damaged) > all_refused(damaged, read) > len(damaged) // 4


def test_a_list_with_any_byte_bent(carried: CarriedCertificates) -> None:
    damaged = bent(der_of(carried.crl_pem), (0, 3, 9, 0x76))

    def read(der: bytes) -> None:
        found = read_list(armoured("X509 CRL", der))
        revocations(found)
        list_number(found)

    assert len(damaged) > all_refused(damaged, read) > len(damaged) // 4


@pytest.mark.parametrize("part", ["ca_pem", "crl_pem", "certificate_pem", "key_pem"])
def test_a_carried_file_with_any_byte_of_a_part_bent(part: str, carried: CarriedCertificates) -> None:
    pem = getattr(carried, part)
    kind = pem.splitlines()[0].removeprefix(b"-----BEGIN ").removesuffix(b"-----").decode()
    damaged = bent(der_of(pem), (0, 9))

    def read(der: bytes) -> None:
        files = {name: getattr(carried, name) for name in CarriedCertificates.__slots__} | {part: armoured(kind, der)}
        checked(CarriedCertificates(**files), "car-1.tar")

    assert all_refused(damaged, read) > len(damaged) // 2  # nothing hangs on the rest: an authority signs itself
    assert checked(carried, "car-1.tar").name == "car-1"


def test_a_key_of_a_kind_that_nobody_knows(carried: CarriedCertificates) -> None:
    key = serialization.load_pem_private_key(carried.key_pem, None)
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    unknown = der.replace(bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648cf6c0201"))
    assert unknown != der
    files = {name: getattr(carried, name) for name in CarriedCertificates.__slots__}
    with pytest.raises(BadInput, match="cannot be read or are not its authority's"):
        checked(CarriedCertificates(**files | {"key_pem": armoured("PRIVATE KEY", unknown)}), "car-1.tar")
