"""The event's own certificate authority as pure functions: time and keys are arguments, certificates are results.

Every validity begins at 1970: a car without a clock battery starts there, and must get in all the same. Only those of
web pages do not: it is phones that judge them, whose clocks are set, and which refuse long lives. A list of
revoked certificates (CRL) lasts as long as its authority, since a broker refuses everybody once it has run out. Its
date is 1970 and its number in seconds: a broker that reloads keeps the earlier lists, and OpenSSL takes the one with
the later date (crypto/x509/x509_vfy.c, get_crl_sk); the true date would shut everybody out where a clock is behind.
Profile: RFC 5280, with the identifiers that Python 3.13 asks for (VERIFY_X509_STRICT).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from raceday.certs.names import MachineRole, general_names
from shared.certificate_chain import UNREADABLE
from shared.clock_set import BUILT_NS
from shared.errors import BadInput
from shared.units import NS_PER_S

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
BUILT = EPOCH + dt.timedelta(seconds=BUILT_NS // NS_PER_S)
AUTHORITY_LIFE = dt.timedelta(days=20 * 365)
MACHINE_LIFE = dt.timedelta(days=10 * 365)
WEB_LIFE = dt.timedelta(days=820)  # iPhones take 825 days from beginning to end, and no more (support.apple.com/103769)
WEB_BEFORE = dt.timedelta(days=1)  # a phone's clock may be behind ours
_SERVERS = ("broker", "web")


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class KeyedCertificate:
    """A certificate with the private key that belongs to it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        return key_pem(self.key)


@dataclass(frozen=True, slots=True)
class Revocation:
    """A certificate that is no longer good, and since when."""

    serial: int
    at: dt.datetime


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key unencrypted in PKCS 8: a service must read it at each start, without a person."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def new_authority(name: str, key: ec.EllipticCurvePrivateKey, now: dt.datetime) -> Authority:
    """An authority that signs itself and may sign machines, but no further authority."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    public = key.public_key()
    certificate = (
        _builder(subject, subject, public, _from(now) + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def issue(
    authority: Authority,
    role: MachineRole,
    name: str,
    key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
    hosts: Sequence[str] = (),
) -> KeyedCertificate:
    """A certificate of `name`, valid for its role's life or to the authority's end; `hosts`: of broker and pages."""
    until = min(_from(now) + (WEB_LIFE if role == "web" else MACHINE_LIFE), authority.certificate.not_valid_after_utc)
    since = _from(now) - WEB_BEFORE if role == "web" else EPOCH
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, role), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    public, issuer = key.public_key(), authority.certificate
    use = ExtendedKeyUsageOID.SERVER_AUTH if role in _SERVERS else ExtendedKeyUsageOID.CLIENT_AUTH
    issuer_identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(subject, issuer.subject, public, until, since)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_identifier), critical=False
        )
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(general_names(hosts)), critical=False)
    return KeyedCertificate(builder.sign(authority.key, hashes.SHA256()), key)


def revocation_list(authority: Authority, revoked: Iterable[Revocation], number: int) -> x509.CertificateRevocationList:
    """The list of revoked certificates; `number` grows with each list that is made."""
    public = authority.key.public_key()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(EPOCH + dt.timedelta(seconds=number))
        .next_update(authority.certificate.not_valid_after_utc)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.serial).revocation_date(each.at).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(authority.key, hashes.SHA256())


def read_authority(certificate_pem: bytes, private_key_pem: bytes, source: str) -> Authority:
    """The authority from its two files. Raises BadInput, which names `source`."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(private_key_pem, password=None)
    except UNREADABLE as error:
        raise BadInput(f"{source}: is not an authority's certificate and key ({error}).") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise BadInput(f"{source}: ca.key does not belong to ca.pem; put back the pair that belongs together.")
    return Authority(certificate, key)


def is_pair(certificate_pem: bytes, private_key_pem: bytes) -> bool:
    """Does the key belong to the certificate? False for what is neither."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(private_key_pem, password=None)
    except UNREADABLE:
        return False
    return key.public_key() == certificate.public_key()


def _from(now: dt.datetime) -> dt.datetime:
    """Lives are counted from here: a clock before this program was written is not set."""
    return max(now, BUILT).replace(microsecond=0)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    until: dt.datetime,
    since: dt.datetime = EPOCH,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
