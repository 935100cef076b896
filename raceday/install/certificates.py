"""A step of the plan: the certificates of the file that somebody carried here (`raceday certs`) go to their place."""

import pathlib
from dataclasses import dataclass

from raceday.certs.carried_tar import MAX_BYTES, WEB_SUFFIX, read_tar
from raceday.install.machine import Machine
from raceday.install.machine_files.config_files import TLS
from raceday.install.releases.release import CURRENT
from raceday.install.steps import Effect, StaysForGood
from shared.errors import BadInput

# Run by the new release, which has the packages that check them.
_PLACE = """
import pathlib, sys
from raceday.certs.carried_file import place, unpack
from raceday.certs.private_files import owner_named
file = pathlib.Path(sys.argv[1])
place(unpack(file.read_bytes(), file.name), pathlib.Path(sys.argv[2]), owner_named("raceday"))
"""


@dataclass(frozen=True, slots=True)
class PlaceCertificates(StaysForGood):
    """Checks the carried file and puts what is in it into /etc/raceday/tls, the key readable by the service alone."""

    file: str
    effects: frozenset[Effect] = frozenset({"services"})

    def description(self) -> str:
        return f"put the certificates of {self.file} into {TLS}"

    def is_done(self, machine: Machine) -> bool:
        """A newer list of revoked certificates may lie there: `raceday certs` decides about that."""
        _, files = carried(pathlib.Path(self.file))
        own = [name for name in files if name != "crl.pem"]
        return all(machine.read(f"{TLS}/{name}") == files[name] for name in own) and bool(
            machine.read(f"{TLS}/crl.pem")
        )

    def do(self, machine: Machine) -> None:
        inside = "/etc/raceday/.carried"
        machine.write(inside, _packed(pathlib.Path(self.file)), 0o600)
        try:
            machine.run([f"{CURRENT}/bin/python", "-c", _PLACE, inside, TLS], "placing the certificates")
        finally:
            machine.remove(inside)


def carried(file: pathlib.Path) -> tuple[str, dict[str, bytes]]:
    """Whose certificates are in a carried file, and its files by their names. Raises BadInput."""
    return read_tar(_packed(file), str(file))


def _packed(file: pathlib.Path) -> bytes:
    """The carried file as it is. Raises BadInput."""
    try:
        with file.open("rb") as opened:
            packed = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{file}: is no file of certificates ({error}); `raceday certs` makes one.") from None
    if len(packed) > MAX_BYTES:
        raise BadInput(f"{file}: is far too large for a file of certificates; `raceday certs` makes one.")
    return packed


def carries_pages(file: pathlib.Path) -> bool:
    """Is a certificate for browsers among them? Raises BadInput."""
    return any(name.endswith(WEB_SUFFIX) for name in carried(file)[1])


def carried_name(file: pathlib.Path) -> str:
    """Whose certificates they are. Raises BadInput."""
    return carried(file)[0]


def remove_keys(machine: Machine) -> None:
    """Removes all of /etc/raceday, authority and keys with it: for --purge."""
    machine.remove("/etc/raceday")
