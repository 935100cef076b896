"""What is wrong with certificates, lists and key files, each with its cure. Pure: bytes and modes in, findings out.

Called by `raceday certs show` and by `raceday doctor`.
"""

import datetime as dt
import re
import stat

from cryptography import x509

from raceday.certs.authority import BUILT, is_pair
from raceday.certs.issued import IssuedCertificate, lifetime_state, list_number, revocations
from shared.certificate_chain import UNREADABLE, trusted_until
from shared.errors import BadInput
from shared.findings import Finding

NEW_AUTHORITY = "Make a new authority, and with it each certificate anew (docs/certificates.md)."
RENEW_BROKER = "Run `sudo raceday certs init --renew`, then `sudo systemctl reload mosquitto`."
_OF_PAGES = ("", "'s pages")
_LISTS = "list of revoked certificates"
_RENEW_LIST = "Run `sudo raceday certs init`, then `sudo systemctl reload mosquitto`."
_LIST = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)


def issued_findings(issued: list[IssuedCertificate], now: dt.datetime) -> list[Finding]:
    """Of each machine its longest certificate counts: those that end soon or have ended, unless revoked."""
    newest: dict[tuple[str, bool], IssuedCertificate] = {}
    for each in issued:
        key = each.name, each.role == "web"
        if each.revoked_at is None and (key not in newest or newest[key].until < each.until):
            newest[key] = each
    return [
        lifetime_finding(f"certificate of {each.name}{_OF_PAGES[each.role == 'web']}", each.until, now, _renewal(each))
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
    except UNREADABLE as error:
        return Finding(what, False, f"It cannot be read ({error}).", cure)
    return lifetime_finding(what, certificate.not_valid_after_utc, now, cure)


def pair_finding(what: str, certificate_pem: bytes, key_pem: bytes, cure: str) -> Finding | None:
    """A certificate and a key that do not belong together; None if they do."""
    if is_pair(certificate_pem, key_pem):
        return None
    return Finding(what, False, "Its key does not belong to its certificate.", cure)


def list_findings(pem: bytes, now: dt.datetime, authority_pem: bytes | None = None) -> list[Finding]:
    """The lists of revoked certificates, one of each authority: whose they are, and until when a broker takes them.

    `authority_pem`: the authorities whom the broker trusts; a machine of one without a list is refused (mosquitto
    checks the list of whoever signed it: X509_V_FLAG_CRL_CHECK in `net__tls_load_verify`).
    """
    try:
        lists = [read_list(each) for each in _LIST.findall(pem) or [pem]]
    except BadInput as error:
        return [Finding(_LISTS, False, str(error), _RENEW_LIST)]
    if authority_pem is None:
        return [_list_finding(each, now) for each in lists]
    authorities = _authorities(authority_pem)
    found = []
    for each in lists:
        is_known = any(_is_signed_by(each, one) for one in authorities)
        stranger = Finding(_LISTS, False, "It is not the authority's own: the broker refuses everybody.", _RENEW_LIST)
        found.append(_list_finding(each, now) if is_known else stranger)
    for one in authorities:
        signs_authorities = any(each.issuer == one.subject != each.subject for each in authorities)
        if not signs_authorities and not any(_is_signed_by(each, one) for each in lists):
            seen = f"None is of {_name(one)}: the broker refuses every machine of that authority."
            cure = f"Add its list to crl.pem; or, once no machine needs it, take {_name(one)} out of ca.pem."
            found.append(Finding(_LISTS, False, seen, f"{cure} Then `sudo systemctl reload mosquitto`."))
    return found


def _list_finding(crl: x509.CertificateRevocationList, now: dt.datetime) -> Finding:
    until = crl.next_update_utc
    if until is None:
        return Finding(_LISTS, True, f"Number {list_number(crl)}, {len(crl)} revoked; it has no end.")
    if lifetime_state(until, now) != "valid":
        return lifetime_finding(_LISTS, until, now, _RENEW_LIST + " Once it has ended, the broker refuses everybody.")
    return Finding(_LISTS, True, f"Number {list_number(crl)}, {len(crl)} revoked; it is valid until {until:%Y-%m-%d}.")


def trust_finding(what: str, pem: bytes, authority_pem: bytes, now: dt.datetime, cure: str) -> Finding | None:
    """A certificate whose chain to an authority ends before itself, or soon; None if it does not, or there is none.

    `authority_pem` may hold more than one authority, and `pem` what brings it to them.
    """
    try:
        first, *brought = x509.load_pem_x509_certificates(pem)
        until = trusted_until(first, brought, _authorities(authority_pem), max(now, BUILT))
    except UNREADABLE:
        return None  # `certificate_finding` says it
    if until is None or until >= first.not_valid_after_utc or lifetime_state(until, now) == "valid":
        return None
    verb = "ended on" if lifetime_state(until, now) == "has ended" else "ends on"
    return Finding(what, False, f"It is valid for longer, but what vouches for it {verb} {until:%Y-%m-%d}.", cure)


def is_vouched_for(pem: bytes, authority_pem: bytes, now: dt.datetime) -> bool:
    """Was or is the certificate trusted by one of these authorities? True also for what is no certificate."""
    try:
        first, *brought = x509.load_pem_x509_certificates(pem)
        return trusted_until(first, brought, _authorities(authority_pem), max(now, BUILT)) is not None
    except UNREADABLE:
        return True


def read_list(pem: bytes) -> x509.CertificateRevocationList:
    """The list in `pem`. Raises BadInput."""
    try:
        found = x509.load_pem_x509_crl(pem)
        revocations(found)  # what it holds is parsed only when it is asked for
        list_number(found)
    except UNREADABLE as error:
        raise BadInput(f"It cannot be read ({error}).") from None
    return found


def is_signed_by(crl: x509.CertificateRevocationList, authority_pem: bytes) -> bool:
    """Is the list the authority's, or one of the authorities' of this file?"""
    return any(_is_signed_by(crl, each) for each in _authorities(authority_pem))


def _is_signed_by(crl: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(authority.public_key())  # type: ignore[arg-type]  # refuses other kinds of key
    except UNREADABLE:
        return False


def _authorities(pem: bytes) -> list[x509.Certificate]:
    """The authorities of a file; none if it cannot be read, which `certificate_finding` says."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except UNREADABLE:
        return []


def _name(authority: x509.Certificate) -> str:
    return authority.subject.rfc4514_string()


def key_mode_finding(path: str, mode: int) -> Finding | None:
    """A key that others may read or write; None for one that they may not. `mode` as stat has it."""
    bits = stat.S_IMODE(mode)
    if not bits & 0o077:
        return None
    return Finding(f"key {path}", False, f"Others may read it (mode {bits:03o}).", f"Run `sudo chmod 600 {path}`.")


def _renewal(each: IssuedCertificate) -> str:
    if each.role == "broker":
        return RENEW_BROKER
    if each.role == "web":
        verb = f"`sudo raceday certs machine {each.name} --renew`"
        return f"Run {verb} (a car's: `certs car`) with its --host as before, and carry the file to it."
    verb = "car" if each.role == "car" else "machine"
    option = f" --{each.role}" if each.role in ("display", "leaderboard") else ""
    return f"Run `sudo raceday certs {verb} {each.name}{option} --renew` and carry the file to it."
