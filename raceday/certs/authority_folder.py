"""The authority's files: its key, what it issued, what it revoked, and the broker's files that follow from them.

`ETC/ca/` (root alone) holds ca.key, ca.pem, crl.pem and `issued/NAME-SERIAL.pem`; `ETC/tls/` what broker and machines
read; `ETC/acl` the broker's access rules. Each step can be repeated: what is there is kept, what is missing is made.
Called by the commands in `cli.py` and by `raceday install`.
"""

import contextlib
import datetime as dt
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from raceday.certs.acl_file import RuledAs, acl_text, names_in, own_lines
from raceday.certs.authority import (
    Authority,
    KeyedCertificate,
    Revocation,
    is_pair,
    issue,
    key_pem,
    new_authority,
    new_key,
    read_authority,
    revocation_list,
)
from raceday.certs.carried_file import CarriedCertificates
from raceday.certs.issued import IssuedCertificate, good_names, list_number, read_certificate, revocations
from raceday.certs.machine_names import BROKER, checked_machine_name
from raceday.certs.names import MachineRole, web_hosts
from raceday.certs.private_files import (
    KEY_MODE,
    PUBLIC_MODE,
    give_file,
    make_folder,
    owner_named,
    read_file,
    write_file,
)
from raceday.certs.review import is_signed_by, read_list
from shared.certificate_chain import UNREADABLE
from shared.errors import BadInput, OperatorError, Refused
from shared.files import hold_lock

BROKER_USER = "mosquitto"  # as Debian's package names it
ASIDE = "acl.before-certs"


@dataclass(frozen=True, slots=True)
class AuthorityFolder:
    """The files below `etc` (/etc/raceday)."""

    etc: pathlib.Path

    @property
    def ca(self) -> pathlib.Path:
        return self.etc / "ca"

    @property
    def tls(self) -> pathlib.Path:
        return self.etc / "tls"

    def is_there(self) -> bool:
        """Was an authority made here? Raises StorageError if this user may not know."""
        try:
            return (self.ca / "ca.key").exists()
        except PermissionError:
            raise OperatorError(f"{self.ca}: only root may look into it; run this with sudo.") from None

    def trusted(self) -> bytes | None:
        """The authorities whom broker and machines here trust; None before there are any. Raises StorageError."""
        path = self.tls / "ca.pem"
        return read_file(path) if path.exists() else None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """No other `raceday certs` works here meanwhile. Raises OperatorError."""
        make_folder(self.ca, 0o700)
        descriptor = hold_lock(self.ca / "lock", "another `raceday certs` is at work here")
        try:
            yield
        finally:
            os.close(descriptor)

    def initialise(
        self, name: str, hosts: tuple[str, ...], now: dt.datetime, *, renews_broker: bool = False
    ) -> list[str]:
        """Make what is missing of authority, broker and access rules; a sentence for each thing that was made.

        `hosts`: by which names and addresses machines reach the broker. Raises OperatorError.
        """
        done = []
        with self.locked():
            make_folder(self.ca / "issued", 0o700)
            make_folder(self.tls, 0o755)
            if not self.is_there():
                self._make_authority(name, now)
                done.append(f"The authority {name!r} was made in {self.ca}; keep a copy of it in a safe place.")
            authority = self.authority()
            if not (self.ca / "crl.pem").exists():
                self._restore_list(authority)
            known = self.broker_hosts(now)
            if renews_broker or not known or not set(hosts) <= set(known):
                both = tuple(dict.fromkeys((*known, *hosts)))
                self._issue_broker(authority, both, now)
                done.append(f"The broker's certificate was made for {', '.join(both)}.")
            done += self._write_brokers_files(now)
        return done

    def authority(self) -> Authority:
        """The authority with its key. Raises OperatorError if there is none, or its files do not fit."""
        if not self.is_there():
            raise OperatorError(f"{self.ca}: there is no authority yet; make one by `raceday certs init`.")
        return read_authority(read_file(self.ca / "ca.pem"), read_file(self.ca / "ca.key"), str(self.ca))

    def issued(self) -> list[IssuedCertificate]:
        """All certificates that were issued, by role and name. Raises BadInput, StorageError."""
        revoked = self.revoked()
        files = sorted((self.ca / "issued").glob("*.pem"))
        read = [read_certificate(read_file(path), revoked, str(path)) for path in files]
        return sorted(read, key=lambda each: (each.role, each.name, each.until))

    def revoked(self) -> tuple[Revocation, ...]:
        """What the list of revoked certificates holds. Raises BadInput, StorageError."""
        return revocations(self._crl())

    def issue(
        self, role: MachineRole, name: str, now: dt.datetime, hosts: tuple[str, ...] = (), *, renews: bool = False
    ) -> tuple[CarriedCertificates, list[str]]:
        """The certificates of a machine, recorded before they are handed out, and what changed in the broker's files.

        `hosts`: by which names and addresses browsers reach its pages, beside those that follow from its name.
        Raises Refused, OperatorError.
        """
        checked_machine_name(name)
        authority = self.authority()
        with self.locked():
            issued = self.issued()
            earlier = [each for each in issued if each.name == name and each.role != "web"]
            if other := next((each for each in earlier if each.role != role), None):
                raise Refused(f"{name!r} is the name of a {other.role} here; choose another name for the {role}.")
            good = next((each for each in reversed(earlier) if each.is_good(now)), None)
            if good is not None and not renews:
                raise Refused(
                    f"{name!r} has a certificate until {good.until:%Y-%m-%d}. `--renew` makes a further one; "
                    f"if its key is lost or known to others, `raceday certs revoke {name}` first."
                )
            made = issue(authority, role, name, new_key(), now)
            pages = self._issue_web(authority, role, made, name, hosts, issued, now)
            self._record(made)
            done = self._write_brokers_files(now)
            crl_pem = read_file(self.ca / "crl.pem")
            ca_pem = read_file(self.ca / "ca.pem")
        return CarriedCertificates(name, ca_pem, crl_pem, made.certificate_pem(), made.key_pem(), pages), done

    def revoke(self, name: str, now: dt.datetime) -> list[IssuedCertificate]:
        """Revoke all certificates of this name; returns those that were good. Raises Refused, OperatorError."""
        authority = self.authority()
        with self.locked():
            issued = self.issued()
            if not any(each.name == name for each in issued):
                known = ", ".join(sorted({each.name for each in issued})) or "nobody"
                raise Refused(f"nobody here is called {name!r}; certificates have: {known}.")
            unrevoked = [each for each in issued if each.name == name and each.revoked_at is None]
            if unrevoked:
                at = now.replace(microsecond=0)
                revoked = (*self.revoked(), *(Revocation(each.serial, at) for each in unrevoked))
                self._write_list(authority, revoked, list_number(self._crl()) + 1)
            self._write_brokers_files(now)
        return unrevoked

    def _make_authority(self, name: str, now: dt.datetime) -> None:
        if any((self.ca / "issued").glob("*.pem")):
            raise OperatorError(
                f"{self.ca}: certificates were issued here, but their authority's ca.key is gone; put it back from "
                "your copy, or move the folder away to begin anew (each machine then needs a new certificate)."
            )
        made = new_authority(name, new_key(), now)
        # The key last: an authority is there once its key is.
        write_file(self.ca / "ca.pem", made.certificate.public_bytes(serialization.Encoding.PEM), PUBLIC_MODE)
        write_file(self.ca / "ca.key", key_pem(made.key), KEY_MODE)

    def broker_hosts(self, now: dt.datetime) -> tuple[str, ...]:
        """What the broker's certificate in use is for; () if there is none, or it is no longer good."""
        good = [each for each in self.issued() if each.role == BROKER and each.is_good(now)]
        there = self.tls / "broker.pem"
        key = self.tls / "broker.key"
        if not good or not there.exists() or not key.exists() or not is_pair(read_file(there), read_file(key)):
            return ()
        serial = read_certificate(read_file(there), (), str(there)).serial
        return next((each.hosts for each in good if each.serial == serial), ())

    def _issue_broker(self, authority: Authority, hosts: tuple[str, ...], now: dt.datetime) -> None:
        made = issue(authority, "broker", BROKER, new_key(), now, hosts)
        self._record(made)
        owner = owner_named(BROKER_USER)
        write_file(self.tls / "broker.key", made.key_pem(), KEY_MODE, owner)
        write_file(self.tls / "broker.pem", made.certificate_pem(), PUBLIC_MODE)

    def _issue_web(
        self,
        authority: Authority,
        role: MachineRole,
        machine: KeyedCertificate,
        name: str,
        asked: tuple[str, ...],
        issued: list[IssuedCertificate],
        now: dt.datetime,
    ) -> bytes:
        """The certificate of the machine's pages, of the same key; b"" for a screen, which has none. Raises Refused."""
        if role == "display":
            return b""
        hosts = web_hosts(name, asked, self.broker_hosts(now) if role == "station" else ())
        # A car is a racer's own: no browser may take it for the station, nor another car for the broker.
        others = {host: each.name for each in issued if each.name != name and each.is_good(now) for host in each.hosts}
        if role == "car" and (taken := next((host for host in hosts if host in others), None)):
            raise Refused(f"{taken!r} is where {others[taken]} is reached; choose another name, or another --host.")
        made = issue(authority, "web", name, machine.key, now, hosts)
        self._record(made)
        return made.certificate_pem()

    def _record(self, made: KeyedCertificate) -> None:
        record = read_certificate(made.certificate_pem(), (), "a new certificate")
        write_file(self.ca / "issued" / f"{record.name}-{record.serial:x}.pem", made.certificate_pem(), PUBLIC_MODE)

    def _crl(self) -> x509.CertificateRevocationList:
        path = self.ca / "crl.pem"
        try:
            return x509.load_pem_x509_crl(read_file(path))
        except UNREADABLE as error:
            raise BadInput(f"{path}: is not a list of revoked certificates ({error}).") from None

    def _write_list(self, authority: Authority, revoked: tuple[Revocation, ...], number: int) -> None:
        crl = revocation_list(authority, revoked, number)
        write_file(self.ca / "crl.pem", crl.public_bytes(serialization.Encoding.PEM), PUBLIC_MODE)

    def _restore_list(self, authority: Authority) -> None:
        """The first list, or the broker's copy of one that is lost: an empty one would let in who is revoked."""
        copy, authority_pem = self.tls / "crl.pem", read_file(self.ca / "ca.pem")
        if copy.exists() and is_signed_by(read_list(read_file(copy)), authority_pem):
            write_file(self.ca / "crl.pem", read_file(copy), PUBLIC_MODE)
        elif any((self.ca / "issued").glob("*.pem")):
            raise OperatorError(
                f"{self.ca}: crl.pem is gone, and with it who is revoked; put it back from your copy of the folder."
            )
        else:
            self._write_list(authority, (), 1)

    def _write_brokers_files(self, now: dt.datetime) -> list[str]:
        """Authority, list and access rules as the broker reads them; a sentence for each that changed."""
        done = []
        for name in ("ca.pem", "crl.pem"):
            content = read_file(self.ca / name)
            path = self.tls / name
            if not path.exists() or read_file(path) != content:
                write_file(path, content, PUBLIC_MODE)
                done.append(f"{path} was written.")
        return done + self._write_acl(now) + self._give_to_broker()

    def _give_to_broker(self) -> list[str]:
        """The broker may have been installed after its key was made; a sentence for each file that was given to it."""
        owner = owner_named(BROKER_USER)
        paths = [path for path in (self.tls / "broker.key", self.etc / "acl") if path.exists()]
        return [f"{path} was given to {BROKER_USER}." for path in paths if owner is not None and give_file(path, owner)]

    def _write_acl(self, now: dt.datetime) -> list[str]:
        """Who got nothing of this authority keeps the rules: an earlier one's machines stay connected for a while."""
        path, issued, done = self.etc / "acl", self.issued(), []
        there = read_file(path).decode(errors="replace") if path.exists() else ""
        kept = own_lines(there)
        machines = [each for each in issued if each.role != "web"]
        ours, good = {each.name for each in machines}, {each.name for each in machines if each.is_good(now)}
        ruled = {name: ruled_as for name, ruled_as in names_in(there).items() if name not in ours}
        ruled |= dict.fromkeys(good_names(issued, "station", now), "station")
        ruled |= dict.fromkeys(good_names(issued, "display", now), "display")
        ruled |= dict.fromkeys(good_names(issued, "leaderboard", now), "denied")  # it speaks to no broker
        ruled |= dict.fromkeys(ours - good, "denied")
        text = acl_text(_ruled(ruled, "station"), _ruled(ruled, "display"), _ruled(ruled, "denied"), kept or "")
        if text == there:
            return []
        owner = owner_named(BROKER_USER)
        if kept is None and there:
            write_file(self.etc / ASIDE, there.encode(), KEY_MODE, owner)
            done.append(f"The access rules that were in {path} are kept as {ASIDE} beside it; they are no longer used.")
        write_file(path, text.encode(), KEY_MODE, owner)
        return [*done, f"The broker's access rules were written to {path}."]


def _ruled(ruled: dict[str, RuledAs], ruled_as: RuledAs) -> list[str]:
    return sorted(name for name, each in ruled.items() if each == ruled_as)
