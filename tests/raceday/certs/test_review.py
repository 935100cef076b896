"""What is said of certificates and lists where a file holds more than one authority."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import Certificate

from raceday.certs.review import is_vouched_for, list_findings, trust_finding
from shared.findings import Finding
from tests.shared.test_certificate_chain import BETWEEN, CERTIFICATES, KEYS, NEW, NOW, OLD, OTHER, PEM, RENEWED, YEAR

DAY = dt.timedelta(days=1)


def pem(*certificates: Certificate) -> bytes:
    return b"".join(each.public_bytes(PEM) for each in certificates)


def list_of(authority: Certificate, key: str, years: float = 5) -> bytes:
    """An empty list of revoked certificates."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.subject).last_update(NOW - YEAR)
    return builder.next_update(NOW + years * YEAR).sign(KEYS[key], hashes.SHA256()).public_bytes(PEM)


@pytest.mark.parametrize(("lists", "authorities", "good"), [
    (list_of(OLD, "old"), pem(OLD), [True]),
    (list_of(OLD, "old"), pem(OLD, RENEWED), [True]),  # one key: its list is of both
    (list_of(OLD, "old") + list_of(NEW, "new"), pem(NEW, OLD), [True, True]),
    (list_of(OLD, "old"), pem(NEW, OLD), [True, False]),
    (list_of(OLD, "old") + list_of(NEW, "new", 0.1), pem(NEW, OLD), [True, False]),
    (list_of(BETWEEN, "between"), pem(BETWEEN, OLD), [True]),  # OLD signs no machine itself
    (list_of(OTHER, "other"), pem(OLD), [False, False]),
    (b"hello", pem(OLD), [False]),
    (list_of(OLD, "old"), b"hello", [False]),
])  # fmt: skip
def test_each_authority_that_signs_machines_needs_its_list(lists: bytes, authorities: bytes, good: list[bool]) -> None:
    found = list_findings(lists, NOW, authorities)
    assert [each.is_good for each in found] == good
    assert all(each.cure for each in found if not each.is_good)


def found_of(name: str, authorities: bytes, now: dt.datetime = NOW) -> Finding | None:
    return trust_finding("own", pem(CERTIFICATES[name]), authorities, now, "Make a new authority.")


def test_what_ends_before_the_certificate_is_said_60_days_ahead() -> None:
    soon = NOW + YEAR - 30 * DAY
    assert found_of("of the old", pem(OLD)) is None
    ends = found_of("of the old", pem(OLD), soon)
    assert ends is not None
    assert ends.seen == f"It is valid for longer, but what vouches for it ends on {NOW + YEAR:%Y-%m-%d}."
    over = found_of("of the old", pem(OLD), NOW + 2 * YEAR)
    assert over is not None
    assert "vouches for it ended on" in over.seen
    assert found_of("of the old", pem(OLD, RENEWED), soon) is None
    assert found_of("of the old", pem(OTHER), soon) is None  # signed by an authority that is not in this file
    assert trust_finding("own", b"hello", pem(OLD), soon, "") is None


@pytest.mark.parametrize(("certificate", "authorities", "is_so"), [
    (pem(CERTIFICATES["of the old"]), pem(NEW, OLD), True),
    (pem(CERTIFICATES["of the old"]), pem(NEW), False),
    (pem(CERTIFICATES["of the one between"]), pem(OLD), False),
    (pem(CERTIFICATES["of the one between"], BETWEEN), pem(OLD), True),
    (pem(CERTIFICATES["of the one between"]), pem(OLD, BETWEEN), True),
    (b"hello", pem(OLD), True),  # another finding says that
])  # fmt: skip
def test_whether_anybody_vouches_for_it(certificate: bytes, authorities: bytes, is_so: bool) -> None:
    assert is_vouched_for(certificate, authorities, NOW) is is_so
