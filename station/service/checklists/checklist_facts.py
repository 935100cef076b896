"""Reads what the checklists need and no view has: officials, the newest backup, when the certificates end.

Called by watch.py every few seconds. It opens small files only, and raises nothing: what cannot be read is said.
"""

import datetime as dt
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.errors import BadInput
from shared.link.options import MqttOptions
from shared.text import text
from shared.units import NS_PER_S
from station.access.people_and_devices import PeopleAndDevices
from station.access.roles import Role
from station.checklists.records import NO_END_NS, ChecklistFacts, SignInSighting
from station.service.backups.station_backups import BackupFile, StationBackups

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

BROKER_CERT = "broker.pem"  # as `raceday certs` writes it beside the authority's


def checklist_facts(
    people: PeopleAndDevices, backups: StationBackups | None, mqtt: MqttOptions
) -> Callable[[], ChecklistFacts]:
    """A function that reads these facts as they are now."""
    return lambda: _read(people, backups, mqtt)


def _read(people: PeopleAndDevices, backups: StationBackups | None, mqtt: MqttOptions) -> ChecklistFacts:
    files, backups_fault = _backup_files(backups)
    ca, cert = (pathlib.Path(each) if each else None for each in (mqtt.ca, mqtt.cert))
    end_ns, fault = certificates_end(ca, cert, dt.datetime.now(dt.UTC))
    return ChecklistFacts(
        officials=tuple(each.name for each in people.people() if each.role >= Role.REFEREE),
        paired=tuple(each.name for each in people.devices()),
        sign_ins=tuple(
            SignInSighting(each.person, round(each.opened_s * NS_PER_S), each.device)
            for each in reversed(people.sessions())
        ),
        makes_backups=backups is not None,
        backups_fault=backups_fault,
        backup=files[0].name if files else "",
        backup_utc_ns=files[0].utc_ns if files else None,
        certificates_end_utc_ns=end_ns,
        certificates_fault=fault,
    )


def _backup_files(backups: StationBackups | None) -> tuple[tuple[BackupFile, ...], str]:
    """The backups that were made here, the newest first, and why they cannot be read ("" if they can)."""
    try:
        return (backups.made_here() if backups is not None else ()), ""
    except OSError as error:
        return (), text("The folder of the backups cannot be read ({why}).", why=error.strerror or "")


def certificates_end(ca: pathlib.Path | None, cert: pathlib.Path | None, now: dt.datetime) -> tuple[int | None, str]:
    """When the station is no longer let in, or no longer trusts its broker, UTC in ns, and "": or None and why that is
    not known. It goes by its own certificate (`cert`), the broker's where that lies beside `ca` and can be read, and
    the chain from each to an authority of `ca` (shared/certificate_chain.py).

    `ca` may hold more than one authority, as the old one and the new. Without a certificate whose end is known the one
    that lasts longest counts.
    """
    if ca is None and cert is None:
        return None, ""
    try:
        authorities = _certificates(ca) if ca is not None else []
        ends = [_end(_certificates(cert), authorities, now)] if cert is not None else []
        if ca is not None and (brokers := _certificates(ca.with_name(BROKER_CERT), is_optional=True)):
            ends.append(_end(brokers, authorities, now, ca.with_name(BROKER_CERT)))
    except BadInput as error:
        return None, str(error)
    ends = ends or [max(each.not_valid_after_utc for each in authorities)]
    return min(max(int(min(ends).timestamp()), 0) * NS_PER_S, NO_END_NS), ""


def _end(
    shown: "list[Certificate]", authorities: "list[Certificate]", now: dt.datetime, broker: pathlib.Path | None = None
) -> dt.datetime:
    """When the first of these, which brings the others along, is no longer trusted.

    Raises BadInput if the broker's is not trusted at all. A station's own may be of an authority that only the broker
    knows; then its own end counts.
    """
    from shared.certificate_chain import trusted_until  # noqa: PLC0415 (as below)

    first, *brought = shown
    until = trusted_until(first, brought, authorities, now)
    if until is None and broker is not None:
        raise BadInput(text("No authority of this station vouches for {file}: it trusts no such broker.", file=broker))
    return until or first.not_valid_after_utc


def _certificates(file: pathlib.Path, *, is_optional: bool = False) -> "list[Certificate]":
    """The certificates of a PEM file; of one that `is_optional` and cannot be opened, none. Raises BadInput."""
    from cryptography import x509  # noqa: PLC0415 (most stations have no certificate, and it takes a while to import)

    from shared.certificate_chain import UNREADABLE  # noqa: PLC0415 (as above)

    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
        if all(each.not_valid_after_utc for each in found):  # reads each end, which may be no time
            return found
    except OSError as error:
        if is_optional:
            return []
        raise BadInput(text("{file} cannot be read ({why}).", file=str(file), why=error.strerror or "")) from None
    except UNREADABLE:
        pass
    raise BadInput(text("{file} is no certificate.", file=str(file)))
