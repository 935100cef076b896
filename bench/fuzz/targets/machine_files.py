"""Fuzz targets of the files of a machine: the five configs, certificates and what carries them, units' status lines."""

import pathlib
from functools import partial

from bench.fuzz.target import FuzzTarget, TargetTable

CONFIGS = {
    "station": "station.config:StationConfig",
    "vehicle": "vehicle.config:VehicleConfig",
    "leaderboard": "leaderboard.config:LeaderboardConfig",
    "bridge": "vehicle.bridge.config:BridgeConfig",
    "world": "simulator.realtime.world_process:WorldConfig",
}


def config(name: str) -> FuzzTarget:
    import importlib

    from shared.config import parse

    module, _, kind = CONFIGS[name].partition(":")
    known = getattr(importlib.import_module(module), kind)
    text = (pathlib.Path("config") / f"{name}.toml").read_bytes()

    def call(data: bytes) -> None:
        parse(data.decode(errors="surrogateescape"), known, "config.toml", pathlib.Path("/tmp"))

    lines = [line.lstrip(b"# ") for line in text.splitlines() if b"=" in line]
    return FuzzTarget(call, [text, b"\n".join(lines[:20])])


def carried_certificates() -> FuzzTarget:
    import datetime as dt
    import tempfile

    from raceday.certs.authority_folder import AuthorityFolder
    from raceday.certs.carried_file import CarriedCertificates, pack, unpack

    now = dt.datetime(2026, 5, 2, 9, 0, tzinfo=dt.UTC)
    folder = AuthorityFolder(pathlib.Path(tempfile.mkdtemp(prefix="raceday-fuzz-")) / "certs")
    folder.initialise("Raceday test", ("hall.local",), now)
    genuine, _ = folder.issue("car", "car-1", now, renews=False)
    bare = pack(CarriedCertificates("car-1", b"ca", b"crl", b"certificate", b"key"))
    return FuzzTarget(lambda data: unpack(data, "car-1.tar"), [pack(genuine), bare])


def certificates() -> FuzzTarget:
    import base64
    import datetime as dt
    import tempfile

    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    from raceday.certs.authority_folder import AuthorityFolder
    from raceday.certs.issued import read_certificate
    from shared.certificate_chain import trusted_until

    now = dt.datetime(2026, 5, 2, 9, 0, tzinfo=dt.UTC)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="raceday-fuzz-")) / "certs"
    AuthorityFolder(folder).initialise("Raceday test", ("hall.local",), now)
    pems = [path.read_bytes() for path in sorted(folder.rglob("*.pem"))]
    made = [x509.load_pem_x509_certificate(pem) for pem in pems if b"BEGIN CERTIFICATE" in pem]

    def call(data: bytes) -> None:
        """The bytes in the armour of PEM."""
        pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(data) + b"-----END CERTIFICATE-----\n"
        read_certificate(pem, (), "car-1.pem")
        found = x509.load_der_x509_certificate(data)
        trusted_until(found, made, [found, *made], now)

    return FuzzTarget(call, [each.public_bytes(serialization.Encoding.DER) for each in made])


def revocation_lists() -> FuzzTarget:
    import base64

    from raceday.certs.issued import list_number, revocations
    from raceday.certs.review import read_list

    def call(data: bytes) -> None:
        found = read_list(b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(data) + b"-----END X509 CRL-----\n")
        revocations(found)
        list_number(found)

    return FuzzTarget(call, [_revocation_list()])


def _revocation_list() -> bytes:
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    at = dt.datetime(2026, 5, 2, tzinfo=dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    revoked = x509.RevokedCertificateBuilder().serial_number(5).revocation_date(at).build()
    builder = (
        x509.CertificateRevocationListBuilder().issuer_name(name).last_update(at).next_update(at + dt.timedelta(9))
    )
    builder = builder.add_revoked_certificate(revoked).add_extension(x509.CRLNumber(3), critical=False)
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def status_lines() -> FuzzTarget:
    from shared.process.car_unit_status import read_status
    from shared.process.service_state import status_field

    def call(data: bytes) -> None:
        text = data.decode(errors="replace")
        read_status(text)
        status_field(text)

    return FuzzTarget(call, [b"armed: car-1, 3 processes", b"lease ended"], ())


MACHINE_FILES: TargetTable = {
    **{f"config-{name}": partial[FuzzTarget](config, name) for name in CONFIGS},
    "carried-certificates": carried_certificates,
    "certificates": certificates,
    "revocation-lists": revocation_lists,
    "status-lines": status_lines,
}
