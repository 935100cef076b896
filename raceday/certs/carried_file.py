"""`NAME.raceday-certs`: the one file that carries a machine's certificates to it, and what is taken out of it there.

A plain tar of ca.pem, crl.pem, NAME.pem, NAME.key, and NAME.web.pem for browsers where the machine has pages. It is
from outside until it is checked: the key must belong to both certificates, and they and the list must be signed by the
authority beside them. Called by `raceday certs` on the station and by `raceday install` on the machine.
"""

import io
import pathlib
import stat
import tarfile
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from raceday.certs.carried_tar import WEB_SUFFIX, read_tar
from raceday.certs.issued import IssuedCertificate, list_number, read_certificate, revocations
from raceday.certs.private_files import KEY_MODE, PUBLIC_MODE, FileOwner, make_folder, read_file, write_file
from shared.certificate_chain import UNREADABLE
from shared.errors import BadInput, Refused

SUFFIX = ".raceday-certs"
FOLDER_MODE = 0o755


@dataclass(frozen=True, slots=True)
class CarriedCertificates:
    """What a carried file holds, each in PEM."""

    name: str
    ca_pem: bytes
    crl_pem: bytes
    certificate_pem: bytes
    key_pem: bytes
    web_pem: bytes = b""  # of the same key; b"" for a machine without pages

    def files(self) -> dict[str, tuple[bytes, int]]:
        """File name → content and mode, as they lie in the folder of certificates."""
        web = {f"{self.name}{WEB_SUFFIX}": (self.web_pem, PUBLIC_MODE)} if self.web_pem else {}
        return {
            "ca.pem": (self.ca_pem, PUBLIC_MODE),
            "crl.pem": (self.crl_pem, PUBLIC_MODE),
            f"{self.name}.pem": (self.certificate_pem, PUBLIC_MODE),
            f"{self.name}.key": (self.key_pem, KEY_MODE),
            **web,
        }


def pack(carried: CarriedCertificates) -> bytes:
    """The tar; equal content gives equal bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, (content, mode) in carried.files().items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def unpack(packed: bytes, source: str) -> CarriedCertificates:
    """The checked content of a carried file. Raises BadInput, which names `source`."""
    name, files = read_tar(packed, source)
    carried = CarriedCertificates(
        name,
        files["ca.pem"],
        files["crl.pem"],
        files[f"{name}.pem"],
        files[f"{name}.key"],
        files.get(f"{name}{WEB_SUFFIX}", b""),
    )
    if checked(carried, source).name != name:
        raise BadInput(f"{source}: the certificate in it is not {name}'s; make it again by `raceday certs`.")
    return carried


def checked(carried: CarriedCertificates, source: str) -> IssuedCertificate:
    """Do the files belong together? Returns what the certificate says. Raises BadInput."""
    try:
        authority = x509.load_pem_x509_certificate(carried.ca_pem)
        certificate = x509.load_pem_x509_certificate(carried.certificate_pem)
        crl = x509.load_pem_x509_crl(carried.crl_pem)
        key = serialization.load_pem_private_key(carried.key_pem, password=None)
        certificate.verify_directly_issued_by(authority)
        web = x509.load_pem_x509_certificate(carried.web_pem) if carried.web_pem else certificate
        web.verify_directly_issued_by(authority)
        revoked = revocations(crl)
        is_own = key.public_key() == certificate.public_key() == web.public_key()
        is_own_list = crl.is_signature_valid(authority.public_key())  # type: ignore[arg-type]  # refuses other kinds
    except (*UNREADABLE, InvalidSignature) as error:
        raise BadInput(f"{source}: its certificates cannot be read or are not its authority's ({error}).") from None
    if not is_own:
        raise BadInput(f"{source}: the key in it does not belong to its certificate.")
    if not is_own_list:
        raise BadInput(f"{source}: the list of revoked certificates in it is not its authority's.")
    return read_certificate(carried.certificate_pem, revoked, source)


def place(carried: CarriedCertificates, folder: pathlib.Path, owner: FileOwner | None) -> tuple[pathlib.Path, ...]:
    """Put the files into the machine's folder; the key is `owner`'s alone. Returns what was written.

    A newer list of revoked certificates stays. Raises Refused if the folder belongs to another authority whose broker
    runs here, StorageError.
    """
    make_folder(folder, FOLDER_MODE)
    is_other = (folder / "ca.pem").exists() and read_file(folder / "ca.pem") != carried.ca_pem
    if is_other and (folder / "broker.key").exists():
        raise Refused(
            f"{folder}: holds the broker of another authority; its cars would be shut out. "
            "Make this machine's certificate by `raceday certs machine` here, or move that folder away."
        )
    written = []
    for name, (content, mode) in carried.files().items():
        path, reader = folder / name, owner if mode == KEY_MODE else None
        is_older_list = name == "crl.pem" and not is_other and _is_newer(path, content)
        if not is_older_list and not _stands(path, content, mode, reader):
            write_file(path, content, mode, reader)
            written.append(path)
    return tuple(written)


def _stands(path: pathlib.Path, content: bytes, mode: int, owner: FileOwner | None) -> bool:
    """Is the file there with this content, mode and owner?"""
    if not path.is_file() or read_file(path) != content:
        return False
    status = path.stat()
    is_owned = owner is None or (status.st_uid, status.st_gid) == (owner.uid, owner.gid)
    return is_owned and stat.S_IMODE(status.st_mode) == mode


def _is_newer(path: pathlib.Path, crl_pem: bytes) -> bool:
    """Does the file hold a later list than `crl_pem`?"""
    try:
        there = x509.load_pem_x509_crl(read_file(path)) if path.is_file() else None
    except UNREADABLE:
        there = None
    return there is not None and list_number(there) > list_number(x509.load_pem_x509_crl(crl_pem))
