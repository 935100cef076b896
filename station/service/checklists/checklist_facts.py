"""Reads what the checklists need and no view has: officials, the newest backup, when the certificates end.

Called by watch.py every few seconds. It opens small files only, and raises nothing: what cannot be read is said.
"""

import datetime as dt
import pathlib
from collections.abc import Callable

from cryptography import x509

from shared.link.options import MqttOptions
from shared.text import text
from shared.units import NS_PER_S
from station.access.people_and_devices import PeopleAndDevices
from station.access.roles import Role
from station.checklists.records import ChecklistFacts, SignInSighting
from station.service.backups.station_backups import BackupFile, StationBackups


def checklist_facts(
    people: PeopleAndDevices, backups: StationBackups | None, mqtt: MqttOptions
) -> Callable[[], ChecklistFacts]:
    """A function that reads these facts as they are now."""
    return lambda: _read(people, backups, mqtt)


def _read(people: PeopleAndDevices, backups: StationBackups | None, mqtt: MqttOptions) -> ChecklistFacts:
    files, backups_fault = _backup_files(backups)
    end_ns, fault = certificates_end(tuple(pathlib.Path(each) for each in (mqtt.ca, mqtt.cert) if each))
    return ChecklistFacts(
        officials=tuple(each.name for each in people.people() if each.role >= Role.REFEREE),
        sign_ins=tuple(
            SignInSighting(each.person, round(each.opened_s * NS_PER_S), bool(each.device))
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
    """The backups on the disk, the newest first, and why they cannot be read ("" if they can)."""
    try:
        return (backups.files() if backups is not None else ()), ""
    except OSError as error:
        return (), text("The folder of the backups cannot be read ({why}).", why=error.strerror or "")


def certificates_end(files: tuple[pathlib.Path, ...]) -> tuple[int | None, str]:
    """When the first of these certificates ends, UTC in ns, and "": or None and why that is not known."""
    ends: list[dt.datetime] = []
    for file in files:
        try:
            ends += [each.not_valid_after_utc for each in x509.load_pem_x509_certificates(file.read_bytes())]
        except OSError as error:
            return None, text("{file} cannot be read ({why}).", file=str(file), why=error.strerror or "")
        except ValueError:
            return None, text("{file} is no certificate.", file=str(file))
    return (int(min(ends).timestamp()) * NS_PER_S, "") if ends else (None, "")
