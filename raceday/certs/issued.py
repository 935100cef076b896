"""What a certificate says: whose it is, of what role, until when, and whether it is revoked. Pure.

The certificates themselves are the record of what was issued; there is no second list that could differ from them.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.x509.oid import NameOID

from raceday.certs.authority import BUILT, Revocation
from raceday.certs.names import ROLES, MachineRole
from shared.certificate_chain import UNREADABLE
from shared.errors import BadInput

SOON = dt.timedelta(days=60)
CertificateState = Literal["valid", "ends soon", "has ended", "revoked"]


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate of ours. `hosts` are the broker's names and addresses; `revoked_at` is None while it is good."""

    role: MachineRole
    name: str
    serial: int
    until: dt.datetime
    hosts: tuple[str, ...] = ()
    revoked_at: dt.datetime | None = None

    def state(self, now: dt.datetime) -> CertificateState:
        if self.revoked_at is not None:
            return "revoked"
        return lifetime_state(self.until, now)

    def is_good(self, now: dt.datetime) -> bool:
        return self.state(now) in ("valid", "ends soon")


def lifetime_state(until: dt.datetime, now: dt.datetime) -> CertificateState:
    """How a validity that ends at `until` stands; a clock that is not set says nothing about it."""
    if max(now, BUILT) > until:
        return "has ended"
    return "ends soon" if max(now, BUILT) > until - SOON else "valid"


def read_certificate(pem: bytes, revoked: Iterable[Revocation], source: str) -> IssuedCertificate:
    """The certificate in `pem`. Raises BadInput if it is none, or none that `issue` made; it names `source`."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        hosts = _hosts(certificate)
    except UNREADABLE as error:
        raise BadInput(f"{source}: is not a certificate ({error}).") from None
    if len(names) != 1 or len(units) != 1 or units[0].value not in ROLES:
        raise BadInput(f"{source}: is a certificate, but not one that `raceday certs` made.")
    dates = {each.serial: each.at for each in revoked}
    return IssuedCertificate(
        units[0].value,
        str(names[0].value),
        certificate.serial_number,
        certificate.not_valid_after_utc,
        hosts,
        dates.get(certificate.serial_number),
    )


def revocations(crl: x509.CertificateRevocationList) -> tuple[Revocation, ...]:
    """What the list holds."""
    return tuple(Revocation(each.serial_number, each.revocation_date_utc) for each in crl)


def list_number(crl: x509.CertificateRevocationList) -> int:
    """The list's number; 0 for one that has none."""
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return 0


def good_names(issued: Sequence[IssuedCertificate], role: MachineRole, now: dt.datetime) -> list[str]:
    """The names of this role that hold a good certificate, sorted."""
    return sorted({each.name for each in issued if each.role == role and each.is_good(now)})


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    dns = names.get_values_for_type(x509.DNSName)
    return (*dns, *(str(address) for address in names.get_values_for_type(x509.IPAddress)))
