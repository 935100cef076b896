"""What is wrong with certificates, lists and key files, each with its cure. Pure: bytes and modes in, findings out.

Called by `raceday certs show` and by `raceday doctor`.
"""

import datetime as dt
import stat

from cryptography import x509

from raceday.certs.authority import is_pair
from raceday.certs.issued import IssuedCertificate, lifetime_state, list_number
from shared.errors import BadInput
from shared.findings import Finding

RENEW_BROKER = "Run `sudo raceday certs init --renew`, then `sudo systemctl reload mosquitto`."


def issued_findings(issued: list[IssuedCertificate], now: dt.datetime) -> list[Finding]:
    """Of each machine its longest certificate counts: those that end soon or have ended, unless revoked."""
    newest: dict[str, IssuedCertificate] = {}
    for each in issued:
        if each.revoked_at is None and (each.name not in newest or newest[each.name].until < each.until):
            newest[each.name] = each
    return [
        lifetime_finding(f"certificate of {each.name}", each.until, now, _renewal(each))
        for each in newest.values()
        if each.state(now) != "valid"
    ]


def lifetime_finding(what: str, until: dt.datetime, now: dt.datetime, cure: str) -> Finding:
    """How long something is valid; what ends within 60 days is bad already, so that it is renewed before the race."""
    state = lifetime_state(until, now)
    if state == "valid":
        return Finding(what, True, f"It is valid until {until:%Y-%m-%d}.")
    verb = "ended on" if state == "has ended" else "ends on"
    return Finding(what, False, f"It {verb} {until:%Y-%m-%d}.", cure)


def certificate_finding(what: str, pem: bytes, now: dt.datetime, cure: str) -> Finding:
    """How long the certificate in `pem` is valid, whoever made it."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        return Finding(what, False, f"It cannot be read ({error}).", cure)
    return lifetime_finding(what, certificate.not_valid_after_utc, now, cure)


def pair_finding(what: str, certificate_pem: bytes, key_pem: bytes, cure: str) -> Finding | None:
    """A certificate and a key that do not belong together; None if they do."""
    if is_pair(certificate_pem, key_pem):
        return None
    return Finding(what, False, "Its key does not belong to its certificate.", cure)


def list_finding(pem: bytes, now: dt.datetime, authority_pem: bytes | None = None) -> Finding:
    """The list of revoked certificates: whose it is, and until when a broker takes it."""
    what = "list of revoked certificates"
    cure = "Run `sudo raceday certs init`, then `sudo systemctl reload mosquitto`."
    try:
        crl = read_list(pem)
    except BadInput as error:
        return Finding(what, False, str(error), cure)
    if authority_pem is not None and not is_signed_by(crl, authority_pem):
        return Finding(what, False, "It is not the authority's own: the broker refuses everybody.", cure)
    until = crl.next_update_utc
    if until is None:
        return Finding(what, True, f"Number {list_number(crl)}, {len(crl)} revoked; it has no end.")
    if lifetime_state(until, now) != "valid":
        return lifetime_finding(what, until, now, cure + " Once it has ended, the broker refuses everybody.")
    return Finding(what, True, f"Number {list_number(crl)}, {len(crl)} revoked; it is valid until {until:%Y-%m-%d}.")


def read_list(pem: bytes) -> x509.CertificateRevocationList:
    """The list in `pem`. Raises BadInput."""
    try:
        return x509.load_pem_x509_crl(pem)
    except ValueError as error:
        raise BadInput(f"It cannot be read ({error}).") from None


def is_signed_by(crl: x509.CertificateRevocationList, authority_pem: bytes) -> bool:
    """Is the list the authority's?"""
    try:
        key = x509.load_pem_x509_certificate(authority_pem).public_key()
        return crl.is_signature_valid(key)  # type: ignore[arg-type]  # refuses other kinds of key
    except (ValueError, TypeError):
        return False


def key_mode_finding(path: str, mode: int) -> Finding | None:
    """A key that others may read or write; None for one that they may not. `mode` as stat has it."""
    bits = stat.S_IMODE(mode)
    if not bits & 0o077:
        return None
    return Finding(f"key {path}", False, f"Others may read it (mode {bits:03o}).", f"Run `sudo chmod 600 {path}`.")


def _renewal(each: IssuedCertificate) -> str:
    if each.role == "broker":
        return RENEW_BROKER
    verb = "car" if each.role == "car" else "machine"
    option = " --display" if each.role == "display" else ""
    return f"Run `sudo raceday certs {verb} {each.name}{option} --renew` and carry the file to it."
