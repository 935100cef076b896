"""A broker's certificate on a machine whose clock is not set: it begins in 1970, and its files are of later."""

import datetime as dt
import pathlib
import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.clock_set import BUILT_NS, certain_ns
from shared.link.tls.certificate_dates import BEHIND_NS, CertificateDates
from shared.units import NS_PER_S

DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def signed_by_itself(folder: pathlib.Path, begins: dt.datetime, ends: dt.datetime) -> pathlib.Path:
    """As `openssl req -x509` writes one, with key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(begins).not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "broker.pem"
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


def sentence_of_a_handshake(path: pathlib.Path, machine_ns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Connects as a link does, with this clock, which OpenSSL does not know: it has the true one."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(theirs, server_side=True).close()
        except OSError:
            theirs.close()

    serving = threading.Thread(target=serve)
    serving.start()
    tls = ssl.create_default_context(cafile=str(path))
    dates = CertificateDates(tls, [path])
    monkeypatch.setattr(time, "time_ns", lambda: machine_ns)
    try:
        dates.prepare()
        with tls.wrap_socket(ours, server_hostname="localhost") as sock:
            dates.check(sock)
        return str(dates.notice)
    except OSError as error:
        return f"refused: {error}"
    finally:
        ours.close()
        serving.join()


@pytest.mark.parametrize(
    ("begins", "ends", "machine_s", "says"),
    [
        (NOW - DAY, NOW + DAY, NOW.timestamp(), ""),
        (NOW - DAY, NOW + DAY, 60, "clock is not set"),
        (NOW - DAY, NOW + DAY, NOW.timestamp() - 30 * 86_400, "clock is not set"),
        (NOW - 3 * DAY, NOW - DAY, 60, "refused: its certificate is not valid"),
        (NOW + DAY, NOW + 3 * DAY, 60, "refused: its certificate is not valid"),
        (NOW - 3 * DAY, NOW - DAY, NOW.timestamp(), "refused: "),
        (NOW + DAY, NOW + 3 * DAY, NOW.timestamp(), "refused: "),
    ],
    ids=["set", "1970", "a month behind", "1970, over", "1970, not begun", "set, over", "set, not begun"],
)
def test_a_certificate_is_held_against_what_is_past_for_certain(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    begins: dt.datetime,
    ends: dt.datetime,
    machine_s: float,
    says: str,
) -> None:
    path = signed_by_itself(tmp_path, begins, ends)
    found = sentence_of_a_handshake(path, round(machine_s) * NS_PER_S, monkeypatch)
    assert says in found
    assert bool(says) == bool(found)


def test_a_clock_that_was_set_meanwhile_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tls = ssl.create_default_context()
    before = tls.verify_flags
    dates = CertificateDates(tls, [])
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    dates.prepare()
    assert tls.verify_flags != before
    monkeypatch.setattr(time, "time_ns", lambda: 4 * BUILT_NS)
    dates.prepare()
    assert tls.verify_flags == before


def test_the_latest_of_clock_program_and_files(tmp_path: pathlib.Path) -> None:
    later = BUILT_NS + 9 * BEHIND_NS
    (tmp_path / "car-1.pem").touch()
    assert certain_ns(0, []) >= BUILT_NS
    assert certain_ns(0, [tmp_path / "car-1.pem"]) >= (tmp_path / "car-1.pem").stat().st_mtime_ns
    assert certain_ns(later * 2, [tmp_path / "car-1.pem", tmp_path / "absent"]) == later * 2
