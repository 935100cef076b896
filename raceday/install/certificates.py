"""A step of the plan: the certificates of the file that somebody carried here (`raceday certs`) go to their place."""

import pathlib
import shutil
import tarfile
from dataclasses import dataclass

from raceday.install.machine import Machine
from raceday.install.machine_files.config_files import TLS
from raceday.install.releases.release import CURRENT
from raceday.install.steps import Effect, StaysForGood
from shared.errors import BadInput

MAX_BYTES = 1_000_000
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
    """Checks the carried file and puts its four files into /etc/raceday/tls, the key readable by the service alone."""

    file: str
    effects: frozenset[Effect] = frozenset({"services"})

    def description(self) -> str:
        return f"put the certificates of {self.file} into {TLS}"

    def is_done(self, machine: Machine) -> bool:
        """A newer list of revoked certificates may lie there: `raceday certs` decides about that."""
        carried = members(pathlib.Path(self.file))
        own = [name for name in carried if name != "crl.pem"]
        return all(machine.read(f"{TLS}/{name}") == carried[name] for name in own) and bool(
            machine.read(f"{TLS}/crl.pem")
        )

    def do(self, machine: Machine) -> None:
        inside = "/etc/raceday/.carried"
        machine.write(inside, pathlib.Path(self.file).read_bytes(), 0o600)
        try:
            machine.run([f"{CURRENT}/bin/python", "-c", _PLACE, inside, TLS], "placing the certificates")
        finally:
            machine.remove(inside)


def members(file: pathlib.Path) -> dict[str, bytes]:
    """The files in a carried file, by name. Raises BadInput."""
    try:
        with tarfile.open(file, "r:") as tar:
            found = {each.name: tar.extractfile(each) for each in tar if each.isfile() and each.size <= MAX_BYTES}
            read = {name: content.read() for name, content in found.items() if content is not None}
    except (OSError, tarfile.TarError) as error:
        raise BadInput(f"{file}: is no file of certificates ({error}); `raceday certs` makes one.") from None
    if any("/" in name or name.startswith(".") for name in read):
        raise BadInput(f"{file}: is no file of certificates: it holds names of folders.")
    return read


def carried_name(file: pathlib.Path) -> str:
    """Whose certificates they are. Raises BadInput."""
    names = [name.removesuffix(".key") for name in members(file) if name.endswith(".key")]
    if len(names) != 1:
        raise BadInput(f"{file}: does not hold one machine's certificates; `raceday certs` makes such a file.")
    return names[0]


def remove_keys(machine: Machine) -> None:
    """Removes all of /etc/raceday, authority and keys with it: for --purge."""
    shutil.rmtree(machine.path("/etc/raceday"), ignore_errors=True)
