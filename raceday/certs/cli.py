"""`raceday certs`: makes the event's certificate authority, certificates of its machines, and the broker's files.

Runs on the machine with the broker (the station's, as a rule), as root. `docs/certificates.md` is the page.
"""

import argparse
import datetime as dt
import json
import pathlib
import socket

from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import Console
from rich.table import Table

from raceday.certs.authority_folder import AuthorityFolder
from raceday.certs.carried_file import SUFFIX, pack
from raceday.certs.issued import IssuedCertificate
from raceday.certs.names import MachineRole, checked_host, own_hosts
from raceday.certs.private_files import KEY_MODE, is_open_to_others, owner_of_sudo, write_new_file
from raceday.certs.show import authority_findings
from shared.errors import StorageError
from shared.findings import Finding, all_good
from shared.web.tls.web_tls import fingerprint

ETC = pathlib.Path("/etc/raceday")
FIB_TRIE = pathlib.Path("/proc/net/fib_trie")
RESTARTED = (
    "Debian 13's mosquitto is restarted by that, a second later: do it between two runs, since a car that drives stops."
)
RELOAD = (
    "The broker takes it by `sudo systemctl reload mosquitto`; no machine of this authority is disturbed by that. "
    f"{RESTARTED}"
)
ANOTHER_AUTHORITY = (
    "This is another authority than before. Go on at once: make each machine a new certificate, then run "
    "`sudo systemctl restart mosquitto`. From then on a machine without its new one is shut out (docs/certificates.md)."
)


def main(arguments: list[str]) -> int:
    """The command; returns the exit code: 0, or 1 if `show` found something bad. Raises RacedayError."""
    options = _parser().parse_args(arguments)
    folder, now = AuthorityFolder(options.etc), dt.datetime.now(dt.UTC)
    if options.verb == "show":
        return show(folder, now, as_json=options.json)
    if options.verb == "init":
        print("\n".join(initialised(folder, options, now)))
    elif options.verb == "revoke":
        print("\n".join(revoked(folder, options.name, now)))
    else:
        role: MachineRole = "car" if options.verb == "car" else options.role
        print("\n".join(issued(folder, role, options, now)))
    return 0


def initialised(folder: AuthorityFolder, options: argparse.Namespace, now: dt.datetime) -> list[str]:
    """Makes what is missing; returns sentences."""
    hostname = socket.gethostname()
    try:
        fib_trie = FIB_TRIE.read_text(encoding="ascii")
    except OSError:
        fib_trie = ""
    asked = tuple(checked_host(written) for written in options.host)
    hosts = tuple(dict.fromkeys((*asked, *own_hosts(hostname, fib_trie))))
    was_known, before = folder.is_there(), folder.trusted()
    done = folder.initialise(f"Raceday {hostname}"[:64], hosts, now, renews_broker=options.renew)
    if not done:
        return [f"All is there already; the broker's certificate is for {', '.join(folder.broker_hosts(now))}."]
    advice = [RELOAD] if was_known else []  # the broker of a first one does not run yet
    if before is not None and before != folder.trusted():
        advice = [ANOTHER_AUTHORITY]
    return [
        *done,
        *advice,
        "Next: `sudo raceday certs machine NAME` for the station, `sudo raceday certs car NAME` for each car.",
    ]


def issued(folder: AuthorityFolder, role: MachineRole, options: argparse.Namespace, now: dt.datetime) -> list[str]:
    """Makes a machine's certificate and the file that carries it; returns sentences."""
    path = options.output or pathlib.Path(f"{options.name}{SUFFIX}")
    if path.exists() or path.is_symlink():
        raise StorageError(f"{path}: is there already; move it away, or give another file by `-o`.")
    hosts = tuple(checked_host(written) for written in options.host)
    carried, done = folder.issue(role, options.name, now, hosts, renews=options.renew)
    try:
        write_new_file(path, pack(carried), KEY_MODE, owner_of_sudo())
    except StorageError as error:
        raise StorageError(f"{error} The certificate was made, its key is lost: say it again with `--renew`.") from None
    sentences = [f"{path} was written: it holds {options.name}'s private key."]
    if is_open_to_others(path.stat()):
        sentences.append("This disk knows no modes: whoever holds it can read the key.")
    if done:
        sentences += [*done, RELOAD]
    if role == "display":
        return [*sentences, f"Carry it to the screen, unpack it with `tar xf {path.name}`, then delete it."]
    verb = role
    done_with = f"Carry it to the machine, run `sudo raceday install {verb} --certs {path.name}` there, then delete it."
    if role == "car":
        bridge = f"`sudo raceday install bridge {options.name} --certs {path.name}`"
        done_with += f" (For a stock car with a bridge run {bridge} at the station.)"
    return [*sentences, done_with]


def revoked(folder: AuthorityFolder, name: str, now: dt.datetime) -> list[str]:
    """Revokes a name's certificates; returns sentences."""
    good = folder.revoke(name, now)
    if not good:
        return [f"All certificates of {name} are revoked already."]
    return [
        f"{len(good)} of {name}'s certificates {'is' if len(good) == 1 else 'are'} revoked.",
        "Now run `sudo systemctl reload mosquitto`: from then on it is not let in again, and a connection that stands "
        "may neither send nor receive. Other machines are not disturbed.",
        RESTARTED,
    ]


def show(folder: AuthorityFolder, now: dt.datetime, *, as_json: bool) -> int:
    """Prints who has a certificate, and what is wrong; returns the exit code."""
    authority = folder.authority()  # that there is one, and that its files fit
    certificates, findings = folder.issued(), authority_findings(folder, now)
    shown = fingerprint(authority.certificate.public_bytes(Encoding.DER))
    if as_json:
        print(json.dumps({"authority_sha256": shown, **_document(certificates, findings, now)}, indent=2))
    else:
        console = Console(soft_wrap=True, highlight=False)
        console.print(_table(certificates, now))
        # What a phone shows of the authority at /trust must be this.
        console.print(f"authority's fingerprint (SHA-256): {shown}", markup=False)
        for finding in findings:
            mark = "ok " if finding.is_good else "BAD"
            console.print(f"{mark} {finding.what}: {finding.seen} {finding.cure}".rstrip(), markup=False)
    return 0 if all_good(findings) else 1


def _table(certificates: list[IssuedCertificate], now: dt.datetime) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "role", "until", "state", "serial"):
        table.add_column(heading)
    for each in certificates:
        revoked_on = f" on {each.revoked_at:%Y-%m-%d}" if each.revoked_at else ""
        table.add_row(each.name, each.role, f"{each.until:%Y-%m-%d}", f"{each.state(now)}{revoked_on}", _serial(each))
    return table


def _document(certificates: list[IssuedCertificate], findings: list[Finding], now: dt.datetime) -> dict[str, object]:
    return {
        "certificates": [
            {
                "name": each.name,
                "role": each.role,
                "until": each.until.isoformat(),
                "state": each.state(now),
                "serial": f"{each.serial:x}",
                "hosts": list(each.hosts),
            }
            for each in certificates
        ],
        "findings": [
            {"what": each.what, "is_good": each.is_good, "seen": each.seen, "cure": each.cure} for each in findings
        ],
    }


def _serial(each: IssuedCertificate) -> str:
    return f"{each.serial:x}"[:12]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raceday certs", description="Certificates of an event's machines.")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--etc", type=pathlib.Path, default=ETC, metavar="DIR", help=f"instead of {ETC}")
    verbs = parser.add_subparsers(dest="verb", required=True)
    init = verbs.add_parser("init", parents=[shared], help="make authority, broker's certificate and access rules")
    init.add_argument(
        "--host", action="append", default=[], metavar="HOST", help="a further name or address of the broker"
    )
    init.add_argument("--renew", action="store_true", help="a new certificate for the broker, though it has one")
    for verb, what in (("machine", "a station (or, by an option, a screen or a leaderboard)"), ("car", "a car")):
        issue = verbs.add_parser(verb, parents=[shared], help=f"make the certificate of {what}")
        issue.add_argument("name", metavar="NAME", help="its name in its own config; the CN of the certificate")
        issue.add_argument("--renew", action="store_true", help="a further certificate, though it has one")
        issue.add_argument("-o", "--output", type=pathlib.Path, metavar="FILE", help=f"instead of NAME{SUFFIX}")
        issue.add_argument(
            "--host", action="append", default=[], metavar="HOST", help="a further name or address of its pages"
        )
        if verb == "machine":
            kinds = issue.add_mutually_exclusive_group()
            kinds.add_argument(
                "--display", dest="role", action="store_const", const="display", help="a screen that only subscribes"
            )
            kinds.add_argument(
                "--leaderboard", dest="role", action="store_const", const="leaderboard", help="the leaderboard's pages"
            )
            issue.set_defaults(role="station")
    revoke = verbs.add_parser("revoke", parents=[shared], help="shut a machine out")
    revoke.add_argument("name", metavar="NAME")
    listing = verbs.add_parser("show", parents=[shared], help="who has a certificate, until when, and what is wrong")
    listing.add_argument("--json", action="store_true", help="for programs")
    return parser
