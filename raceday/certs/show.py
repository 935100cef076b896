"""Reads an authority's files and says what is wrong with them. Called by `raceday certs show` and `raceday doctor`."""

import datetime as dt
import pathlib
from collections.abc import Iterator

from raceday.certs.authority_folder import AuthorityFolder
from raceday.certs.private_files import read_file
from raceday.certs.review import (
    NEW_AUTHORITY,
    RENEW_BROKER,
    certificate_finding,
    issued_findings,
    key_mode_finding,
    list_findings,
    pair_finding,
)
from shared.findings import Finding


def authority_findings(folder: AuthorityFolder, now: dt.datetime) -> list[Finding]:
    """What is good and bad about authority, broker and key files. Raises StorageError, BadInput."""
    authority_pem = read_file(folder.ca / "ca.pem")
    findings = [certificate_finding("authority", authority_pem, now, NEW_AUTHORITY)]
    findings += _broker_findings(folder, now)
    findings += [each for path in _keys(folder) if (each := key_mode_finding(str(path), path.stat().st_mode))]
    return findings + issued_findings([each for each in folder.issued() if each.role != "broker"], now)


def _broker_findings(folder: AuthorityFolder, now: dt.datetime) -> Iterator[Finding]:
    missing = [name for name in ("ca.pem", "crl.pem", "broker.pem", "broker.key") if not (folder.tls / name).exists()]
    if missing:
        yield Finding(
            "broker's files", False, f"{', '.join(missing)} missing in {folder.tls}.", "Run `sudo raceday certs init`."
        )
        return
    pem, key = read_file(folder.tls / "broker.pem"), read_file(folder.tls / "broker.key")
    yield pair_finding("broker", pem, key, RENEW_BROKER) or certificate_finding("broker", pem, now, RENEW_BROKER)
    listed = read_file(folder.tls / "crl.pem")
    yield from list_findings(listed, now, read_file(folder.tls / "ca.pem"))
    if listed != read_file(folder.ca / "crl.pem"):
        yield Finding(
            "list of revoked certificates",
            False,
            f"{folder.tls / 'crl.pem'} is not the newest.",
            "Run `sudo raceday certs init`, then `sudo systemctl reload mosquitto`.",
        )


def _keys(folder: AuthorityFolder) -> list[pathlib.Path]:
    return [folder.ca / "ca.key", *sorted(folder.tls.glob("*.key"))]
