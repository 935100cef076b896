"""The chain of a certificate: the same verdict as OpenSSL's own verifier, and as a TLS handshake of Python's ssl."""

import datetime as dt
import pathlib
import shutil
import ssl
import subprocess
from collections.abc import Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Certificate
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.certificate_chain import is_trusted, trusted_until

PEM = serialization.Encoding.PEM
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
YEAR = dt.timedelta(days=365)
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("old", "new", "other", "between", "below", "car")}


def made(
    subject: str, key: str, issuer: str, by: str, *, years: float = 5, after: float = -9, ca: bool | None = True,
    depth: int | None = None, signs: bool | None = None, identifies: bool = True,
    until: dt.datetime | None = None,
) -> Certificate:  # fmt: skip
    """A certificate of `key`, signed by the key `by`. `ca` None: without basic constraints; `signs` None: without key
    usage; `identifies`: it names its key and its signer's."""
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(KEYS[key].public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(NOW + after * YEAR).not_valid_after(until or NOW + years * YEAR)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, depth if ca else None), critical=True)
    if signs is not None:
        usage = x509.KeyUsage(True, False, False, False, False, signs, signs, False, False)
        builder = builder.add_extension(usage, critical=True)
    if identifies:
        own = x509.SubjectKeyIdentifier.from_public_key(KEYS[key].public_key())
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(KEYS[by].public_key())
        builder = builder.add_extension(own, critical=False).add_extension(signer, critical=False)
    return builder.sign(KEYS[by], hashes.SHA256())


OLD = made("Hall", "old", "Hall", "old", years=1)
RENEWED = made("Hall", "old", "Hall", "old", years=9)  # the same key, for longer
NEW = made("Hall", "new", "Hall", "new", years=9)  # the same name, another key
OTHER = made("Other", "other", "Other", "other", years=9)
BETWEEN = made("Between", "between", "Hall", "old", years=4, depth=0)
CROSSED = made("Between", "between", "Other", "other", years=2)  # the same one, signed by another authority
BELOW = made("Below", "below", "Between", "between", years=3)  # BETWEEN may not let it sign
NEW_BY_OLD = made("Hall", "new", "Hall", "old", years=1)  # vouches for the new authority
CERTIFICATES = {
    "of the old": made("car-1", "car", "Hall", "old", years=3, ca=False),
    "of the new": made("car-1", "car", "Hall", "new", years=3, ca=False),
    "of the one between": made("car-1", "car", "Between", "between", years=3, ca=False),
    "of the one below": made("car-1", "car", "Below", "below", years=3, ca=False),
    "its own": made("car-1", "car", "car-1", "car", ca=False),
    "of nobody": made("car-1", "car", "Nobody", "other", ca=False),
    "forged": made("car-1", "car", "Hall", "other", ca=False, identifies=False),
}
SIGNERS = {
    "old": OLD, "renewed": RENEWED, "new": NEW, "other": OTHER, "between": BETWEEN, "crossed": CROSSED, "below": BELOW,
    "new by old": NEW_BY_OLD,
    "early": made("Hall", "old", "Hall", "old", after=2, years=9),
    "may not sign": made("Other", "other", "Other", "other", signs=False),
    "does not say that it may": made("Between", "between", "Other", "other", ca=None),
    "says that it may not": made("Between", "between", "Hall", "old", ca=False),
    "itself": CERTIFICATES["its own"],
}  # fmt: skip


def openssl_trusts(
    folder: pathlib.Path, certificate: Certificate, brought: Sequence[Certificate], file: Sequence[Certificate],
    at: dt.datetime,
) -> bool:  # fmt: skip
    """What `openssl verify` says, with nothing but this file to trust."""
    for name, content in (("own", [certificate]), ("brought", brought), ("ca", file)):
        (folder / f"{name}.pem").write_bytes(b"".join(each.public_bytes(PEM) for each in content))
    words = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-CAfile", "ca.pem", "-attime", str(int(at.timestamp()))]
    words += ["-untrusted", "brought.pem"] if brought else []
    done = subprocess.run([*words, "own.pem"], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert "own.pem" in done.stdout + done.stderr
    return done.returncode == 0


SOME = st.lists(st.sampled_from(sorted(SIGNERS)), unique=True, max_size=4)


@settings(deadline=None, max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(CERTIFICATES)),
    brought=SOME,
    file=SOME.filter(bool),
    years=st.sampled_from([0.0, 1.5, 2.5, 3.5]),
)
def test_openssl_says_the_same(
    tmp_path: pathlib.Path, name: str, brought: list[str], file: list[str], years: float
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: this test holds our verdict against it")
    asked = (CERTIFICATES[name], [SIGNERS[each] for each in brought], [SIGNERS[each] for each in file])
    at = NOW + years * YEAR
    assert is_trusted(*asked, at) == openssl_trusts(tmp_path, *asked, at)


@pytest.mark.parametrize(("name", "brought", "file", "years"), [
    ("of the old", [], ["old"], 1),  # the authority ends first
    ("of the old", [], ["renewed"], 3),  # the certificate does
    ("of the old", [], ["old", "renewed"], 3),  # a renewed authority takes over
    ("of the old", [], ["new"], None),
    ("of the old", [], ["new", "old"], 1),  # side by side while machines change over
    ("of the new", [], ["old", "new"], 3),
    ("of the new", ["new by old"], ["old"], 1),  # old machines trust the new authority, as the old one says
    ("of the one between", [], ["between", "renewed"], 3),
    ("of the one between", ["between"], ["renewed"], 3),
    ("of the one between", [], ["renewed"], None),  # nobody knows what stands between
    ("of the one between", [], ["between"], None),  # nobody trusts it
    ("of the one between", ["crossed"], ["other"], 2),
    ("of the one below", ["below", "between"], ["renewed"], None),
    ("its own", [], ["itself"], 5),
    ("its own", ["itself"], ["old"], None),
    ("forged", [], ["old"], None),
])  # fmt: skip
def test_how_long_it_is_trusted(name: str, brought: list[str], file: list[str], years: int | None) -> None:
    asked = (CERTIFICATES[name], [SIGNERS[each] for each in brought], [SIGNERS[each] for each in file])
    until = None if years is None else NOW + years * YEAR
    assert trusted_until(*asked, NOW) == until
    assert trusted_until(*asked, NOW + 20 * YEAR) == until  # and so it is said once it is over


@given(name=st.sampled_from(sorted(CERTIFICATES)), brought=SOME, file=SOME, years=st.sampled_from([0.0, 1.5, 2.5, 9.5]))
def test_the_end_is_the_last_moment_of_trust(name: str, brought: list[str], file: list[str], years: float) -> None:
    asked = (CERTIFICATES[name], [SIGNERS[each] for each in brought], [SIGNERS[each] for each in file])
    now = NOW + years * YEAR
    until = trusted_until(*asked, now)
    if is_trusted(*asked, now):
        assert until is not None
        assert until >= now
    if until is not None:
        assert is_trusted(*asked, until)
        assert not is_trusted(*asked, until + dt.timedelta(seconds=1))


def test_what_has_no_end_is_trusted_for_ever() -> None:
    end = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)  # a second more is no time
    authority = made("Hall", "old", "Hall", "old", until=end)
    assert trusted_until(authority, [], [authority], NOW) == end


def test_many_authorities_that_vouch_for_each_other_are_judged_at_once() -> None:
    """A hostile file: every turn of a search that turns back would double its work."""
    circle = [made("Hall", "old", "Ring", "other", identifies=False) for _ in range(60)]
    circle += [made("Ring", "other", "Hall", "old", identifies=False) for _ in range(60)]
    assert trusted_until(CERTIFICATES["of the old"], circle, circle, NOW) is None


@pytest.mark.parametrize(("name", "brought", "file"), [
    ("of the old", [], ["old"]),
    ("of the old", [], ["new", "old"]),
    ("of the new", [], ["old", "new"]),
    ("of the new", [], ["old"]),
    ("of the new", ["new by old"], ["old"]),
    ("of the one between", ["between"], ["renewed"]),
    ("of the one between", [], ["renewed", "between"]),
    ("of the one between", [], ["renewed"]),
    ("of the one below", ["below", "between"], ["renewed"]),
])  # fmt: skip
def test_a_handshake_says_the_same(tmp_path: pathlib.Path, name: str, brought: list[str], file: list[str]) -> None:
    """Both ends in memory: the one shows the certificate, the other trusts the file."""
    chain = [CERTIFICATES[name], *(SIGNERS[each] for each in brought)]
    authorities = [SIGNERS[each] for each in file]
    (tmp_path / "own.pem").write_bytes(b"".join(each.public_bytes(PEM) for each in chain))
    (tmp_path / "ca.pem").write_bytes(b"".join(each.public_bytes(PEM) for each in authorities))
    key = KEYS["car"].private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "own.key").write_bytes(key)
    assert is_met(tmp_path) == is_trusted(chain[0], chain[1:], authorities, NOW)


def is_met(folder: pathlib.Path) -> bool:
    """Do two ends of TLS meet, of which one has own.pem and the other ca.pem?"""
    shows, trusts = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    shows.load_cert_chain(folder / "own.pem", folder / "own.key")
    trusts.check_hostname = False
    trusts.load_verify_locations(folder / "ca.pem")
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [shows.wrap_bio(there, back, server_side=True), trusts.wrap_bio(back, there)]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    assert all(end.version() for end in ends)
    return True
