"""Whether a file of authorities trusts a certificate, and until when, as OpenSSL judges it. Pure.

A file may hold more than one authority: the old one beside the new one, or one with what it lets sign for it. OpenSSL,
and so the broker and Python's ssl, goes from a certificate to what signed it, without ever turning back: first among
the authorities, and only until it has found one there among the certificates that came with it; of several that fit it
takes one that is valid then. It trusts a chain that ends in an authority of the file that signs itself.
Sources: openssl-verification-options(1), `build_chain` in crypto/x509/x509_vfy.c, RFC 5280 section 6.1. Not judged, as
a handshake shows them: purposes, names, strength of keys, revocation.
Called by the station's checklists and by `raceday doctor`.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import Certificate

# What `cryptography` raises for a certificate, list or key that is damaged, when it is loaded or when a field is asked
# for: most of a certificate is parsed only then.
UNREADABLE = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)
MAX_DEPTH = 100  # as OpenSSL has it
_Kind = TypeVar("_Kind", bound=x509.ExtensionType)
_TICK = dt.timedelta(seconds=1)
_ENDLESS = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)  # RFC 5280, 4.1.2.5: without an end that is known


def trusted_until(
    certificate: Certificate, brought: Sequence[Certificate], authorities: Sequence[Certificate], now: dt.datetime
) -> dt.datetime | None:
    """The last second in which the certificate is trusted: from `now` on without a gap, or before `now`. None: never.

    `brought`: what its holder sends along with it.
    """
    until, at = None, now
    while (chain := _chain(certificate, brought, authorities, at)) is not None:
        end = min(each.not_valid_after_utc for each in chain)
        if end < at:  # over: was it good until then?
            return end if until is None and is_trusted(certificate, brought, authorities, end) else until
        if not _is_good(chain, at):
            break
        if end >= _ENDLESS:
            return end
        until, at = end, end + _TICK
    return until


def is_trusted(
    certificate: Certificate, brought: Sequence[Certificate], authorities: Sequence[Certificate], at: dt.datetime
) -> bool:
    """Is the certificate trusted at this moment?"""
    chain = _chain(certificate, brought, authorities, at)
    return chain is not None and _is_good(chain, at)


def _chain(
    certificate: Certificate, brought: Sequence[Certificate], authorities: Sequence[Certificate], at: dt.datetime
) -> list[Certificate] | None:
    """From the certificate to an authority that signs itself; None if there is no such chain."""
    chain, is_of_file = [certificate], False
    while len(chain) <= MAX_DEPTH:
        newest = chain[-1]
        if _signs_itself(newest) and (is_of_file or newest in authorities):
            return chain
        if (signer := _signer(newest, authorities, chain, at)) is not None:
            is_of_file = True
        elif is_of_file or _signs_itself(newest):
            return None
        else:
            signer = _signer(newest, brought, chain, at)
        if signer is None:
            return None
        chain.append(signer)
    return None


def _signer(
    signed: Certificate, candidates: Iterable[Certificate], chain: Sequence[Certificate], at: dt.datetime
) -> Certificate | None:
    """Of the candidates that may have signed this one, one that is valid then, else the one that ends last."""
    fitting = [each for each in candidates if each not in chain and _may_have_signed(each, signed)]
    valid = [each for each in fitting if _is_valid(each, at)]
    return valid[0] if valid else max(fitting, key=lambda each: each.not_valid_after_utc, default=None)


def _may_have_signed(signer: Certificate, signed: Certificate) -> bool:
    """By names and identifiers of keys alone; whether it may sign, and the signature, come later (as in OpenSSL 3)."""
    try:
        if signer.subject != signed.issuer:
            return False
    except UNREADABLE:
        return False
    wanted = _extension(signed, x509.AuthorityKeyIdentifier)
    has = _extension(signer, x509.SubjectKeyIdentifier)
    if wanted is not None:
        if wanted.key_identifier is not None and has is not None and wanted.key_identifier != has.digest:
            return False
        return wanted.authority_cert_serial_number in (None, signer.serial_number)
    return True


def _signs_itself(certificate: Certificate) -> bool:
    return _may_have_signed(certificate, certificate)


def _is_good(chain: Sequence[Certificate], at: dt.datetime) -> bool:
    """Is each certificate valid then, and signed by the next one, which may sign so deep a chain?"""
    if not all(_is_valid(each, at) for each in chain):
        return False
    below = 0  # how many that sign stand between this one and the first
    for signed, signer in itertools.pairwise(chain):
        usage, limits = _extension(signer, x509.KeyUsage), _extension(signer, x509.BasicConstraints)
        if usage is not None and not usage.key_cert_sign:
            return False
        if limits is None or not limits.ca or (limits.path_length is not None and limits.path_length < below):
            return False
        try:
            signed.verify_directly_issued_by(signer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        below += signer.subject != signer.issuer
    return True


def _is_valid(certificate: Certificate, at: dt.datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _extension(certificate: Certificate, kind: type[_Kind]) -> _Kind | None:
    """What the certificate says of this kind; None if nothing, or nothing that can be read."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None
