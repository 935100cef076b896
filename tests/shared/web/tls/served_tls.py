"""A certificate of an authority as `raceday certs` makes both, in files, for tests of protected pages."""

import datetime as dt
import pathlib

from cryptography.hazmat.primitives.serialization import Encoding

from raceday.certs.authority import issue, new_authority, new_key
from shared.web.tls.web_tls import WebTls, web_tls

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


def certificate_files(
    folder: pathlib.Path, now: dt.datetime = NOW, hosts: tuple[str, ...] = ("localhost", "127.0.0.1")
) -> tuple[pathlib.Path, pathlib.Path]:
    """The certificate and its key, with ca.pem beside them."""
    authority = new_authority("Raceday hall", new_key(), now)
    made = issue(authority, "web", "station-1", new_key(), now, hosts)
    certificate, key = folder / "station-1.web.pem", folder / "station-1.key"
    certificate.write_bytes(made.certificate_pem())
    key.touch(0o600)
    key.write_bytes(made.key_pem())
    (folder / "ca.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    return certificate, key


def protection(folder: pathlib.Path) -> WebTls:
    """What a web server needs for https."""
    certificate, key = certificate_files(folder)
    made = web_tls(str(certificate), str(key), "web")
    assert made is not None
    return made
