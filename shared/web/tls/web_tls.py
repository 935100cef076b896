"""The certificate by which a machine's pages are protected: read, checked and made ready for the web server.

Called by the build code of station, car and leaderboard with the settings `tls_certificate` and `tls_key`, files as
`raceday certs` makes them. What is wrong with them is a sentence before anything starts; a certificate that has ended
is only said, since a machine that does not come up helps nobody: browsers warn, and people may go on.
"""

import datetime as dt
import hashlib
import pathlib
import re
import ssl
import stat
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from shared.clock_set import BUILT_NS
from shared.errors import ConfigError
from shared.text import text
from shared.units import NS_PER_S

AUTHORITY = "ca.pem"  # beside the certificate, where `raceday install --certs` puts both
MAX_FILE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class EventAuthority:
    """The authority that phones are to trust: its name, its certificate in DER, and until when it is good."""

    name: str
    der: bytes
    until: dt.datetime

    @property
    def fingerprint(self) -> str:
        """SHA-256 in upper case and groups of four, as `raceday certs show` prints it."""
        return fingerprint(self.der)


@dataclass(frozen=True, slots=True)
class WebTls:
    """What a web server needs for https. `authority`: None if there is no `ca.pem` beside the certificate."""

    context: ssl.SSLContext
    until: dt.datetime
    hosts: tuple[str, ...]
    authority: EventAuthority | None

    def trouble(self, utc_ns: int) -> str:
        """What a person should know of the certificate now, "" if nothing. A clock before this program says nothing."""
        now = dt.datetime.fromtimestamp(max(utc_ns, BUILT_NS) // NS_PER_S, dt.UTC)
        if now > self.until:
            return text(
                "The certificate of the pages ended on {date}: browsers warn until a new one is installed.",
                date=f"{self.until:%Y-%m-%d}",
            )
        return ""


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate in upper case and groups of four."""
    digits = hashlib.sha256(der).hexdigest().upper()
    return " ".join(re.findall("....", digits))


def web_tls(certificate: str, key: str, table: str) -> WebTls | None:
    """What the settings of `[table]` name; None if they are empty. Raises ConfigError."""
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise ConfigError(
            text("`{table}.tls_certificate` and `tls_key` belong together: set both or none.", table=table)
        )
    leaf, *_ = _certificates(pathlib.Path(certificate), table)
    _check_mode(pathlib.Path(key), table)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError):  # an SSLError is an OSError
        raise ConfigError(
            text(
                "`{table}.tls_key`: {file} is not the key of {certificate}.",
                table=table,
                file=key,
                certificate=certificate,
            )
        ) from None
    return WebTls(context, leaf.not_valid_after_utc, _hosts(leaf), _authority(pathlib.Path(certificate), table))


def _no_password() -> str:
    """A key with a password would make OpenSSL ask at the terminal, where nobody sits."""
    raise ValueError("the key has a password")


def _certificates(path: pathlib.Path, table: str) -> list[x509.Certificate]:
    try:
        with path.open("rb") as file:
            return x509.load_pem_x509_certificates(file.read(MAX_FILE_BYTES))
    except OSError as error:
        why = error.strerror
        raise ConfigError(text("`{table}`: {file} cannot be read ({why}).", table=table, file=path, why=why)) from None
    except ValueError:
        raise ConfigError(text("`{table}`: {file} holds no certificate in PEM form.", table=table, file=path)) from None


def _check_mode(key: pathlib.Path, table: str) -> None:
    try:
        mode = key.stat().st_mode
    except OSError as error:
        why = error.strerror
        raise ConfigError(text("`{table}`: {file} cannot be read ({why}).", table=table, file=key, why=why)) from None
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigError(
            text("`{table}`: others may read or write {file}: run `chmod 600 {file}`.", table=table, file=key)
        )


def _authority(certificate: pathlib.Path, table: str) -> EventAuthority | None:
    path = certificate.with_name(AUTHORITY)
    if not path.exists():
        return None
    found = _certificates(path, table)[0]
    return EventAuthority(_common_name(found), found.public_bytes(Encoding.DER), found.not_valid_after_utc)


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    dns = names.get_values_for_type(x509.DNSName)
    return (*dns, *(str(address) for address in names.get_values_for_type(x509.IPAddress)))
