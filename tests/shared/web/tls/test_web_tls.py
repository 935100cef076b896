"""What is read of a machine's certificate, and each thing that is wrong with one as a sentence."""

import datetime as dt
import hashlib
import pathlib
import ssl
import subprocess
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from raceday.certs.authority import new_key
from shared.errors import ConfigError
from shared.web.tls.web_tls import fingerprint, web_tls
from tests.shared.web.tls.served_tls import NOW, certificate_files, protection


def test_none_is_asked_for() -> None:
    assert web_tls("", "", "web") is None


def test_what_a_page_needs_is_read(tmp_path: pathlib.Path) -> None:
    tls = protection(tmp_path)
    assert tls.hosts == ("localhost", "127.0.0.1")
    assert tls.context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert tls.authority is not None
    assert tls.authority.name == "Raceday hall"
    digits = hashlib.sha256(ssl.PEM_cert_to_DER_cert((tmp_path / "ca.pem").read_text())).hexdigest().upper()
    assert tls.authority.fingerprint.replace(" ", "") == digits
    assert len(tls.authority.fingerprint.split()) == 16


def test_the_fingerprint_is_openssls(tmp_path: pathlib.Path) -> None:
    certificate_files(tmp_path)
    words = ["openssl", "x509", "-in", str(tmp_path / "ca.pem"), "-noout", "-fingerprint", "-sha256"]
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    der = ssl.PEM_cert_to_DER_cert((tmp_path / "ca.pem").read_text())
    assert printed.strip().rpartition("=")[2].replace(":", "") == fingerprint(der).replace(" ", "")


def _no_key(_certificate: pathlib.Path, key: pathlib.Path) -> None:
    key.unlink()


def _anothers(_certificate: pathlib.Path, key: pathlib.Path) -> None:
    key.write_bytes(new_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))


def _not_its(certificate: pathlib.Path, key: pathlib.Path) -> None:
    key.write_bytes(certificate_files(certificate.parent)[1].read_bytes())
    certificate.write_bytes((certificate.parent / "ca.pem").read_bytes())


def _open(_certificate: pathlib.Path, key: pathlib.Path) -> None:
    key.chmod(0o640)


def _garbage(certificate: pathlib.Path, _key: pathlib.Path) -> None:
    certificate.write_bytes(b"\xff" * 100)


def _folder(certificate: pathlib.Path, _key: pathlib.Path) -> None:
    certificate.unlink()
    certificate.mkdir()


def _odd_authority(certificate: pathlib.Path, _key: pathlib.Path) -> None:
    (certificate.parent / "ca.pem").write_text("nothing")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_no_key, "cannot be read"),
        (_anothers, "is not the key of"),
        (_not_its, "is not the key of"),
        (_open, "chmod 600"),
        (_garbage, "holds no certificate in PEM form"),
        (_folder, "cannot be read"),
        (_odd_authority, "holds no certificate in PEM form"),
    ],
)
def test_what_is_wrong_is_a_sentence(
    tmp_path: pathlib.Path, damage: Callable[[pathlib.Path, pathlib.Path], None], sentence: str
) -> None:
    certificate, key = certificate_files(tmp_path)
    damage(certificate, key)
    with pytest.raises(ConfigError, match=sentence):
        web_tls(str(certificate), str(key), "web")


def test_one_alone_is_refused() -> None:
    for pair in (("a.pem", ""), ("", "a.key")):
        with pytest.raises(ConfigError, match="belong together"):
            web_tls(*pair, "web")


def test_an_end_is_said_and_a_clock_that_is_not_set_says_nothing(tmp_path: pathlib.Path) -> None:
    tls = protection(tmp_path)
    for at, said in ((NOW, ""), (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), ""), (NOW + dt.timedelta(821), "2029-02-17")):
        assert said in tls.trouble(int(at.timestamp()) * 10**9)
        assert bool(said) == bool(tls.trouble(int(at.timestamp()) * 10**9))
