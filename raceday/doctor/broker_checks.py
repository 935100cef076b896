"""The broker as this machine reaches it: certificate, key, list of revoked ones, and whether the rules are enforced.

A machine whose service runs is never connected a second time under its name (`shared/link/broker_probe.py`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from raceday.certs.review import (
    NEW_AUTHORITY,
    certificate_finding,
    is_vouched_for,
    key_mode_finding,
    list_findings,
    pair_finding,
    trust_finding,
)
from raceday.doctor.installed import ETC, InstalledRole
from raceday.doctor.machine_reader import MachineReader
from raceday.doctor.permissions import READ, ServiceUser, blocked_by
from shared.errors import ConfigError
from shared.findings import Finding
from shared.link.broker_probe import BrokerAnswer, handshake, publish
from shared.link.options import MqttOptions

TLS, ACL = f"{ETC}/tls", f"{ETC}/acl"
BROKER_USER = "mosquitto"


@dataclass(frozen=True, slots=True)
class BrokerProbes:
    """The two ways to ask a broker; a test gives others."""

    handshake: Callable[..., BrokerAnswer] = handshake
    publish: Callable[[MqttOptions, str], BrokerAnswer] = publish


def broker_findings(
    reader: MachineReader, role: InstalledRole, user: ServiceUser | None, *, is_running: bool, probes: BrokerProbes
) -> list[Finding]:
    """Certificates of the config's [mqtt], those of a broker on this machine, and what the broker answers."""
    mqtt = role.part("mqtt")
    found = [*_own_certificate(reader, mqtt, role, user), *_brokers_files(reader)]
    return found + _answers(role, mqtt, is_running=is_running, probes=probes)


def _own_certificate(
    reader: MachineReader, mqtt: Mapping[str, Any], role: InstalledRole, user: ServiceUser | None
) -> Iterator[Finding]:
    cert, key, ca = (str(mqtt.get(name, "")) for name in ("cert", "key", "ca"))
    verb = "car" if role.role == "car" else "machine"
    cure = f"Make a new one at the station: `sudo raceday certs {verb} NAME --renew`, and bring the file here."
    for path in (ca, cert, key):
        if path and reader.status(path) is None:
            yield Finding("certificates", False, f"{path} is not there.", cure)
            return
        if path and user is not None and (blocked := blocked_by(reader, path, user, READ)):
            chown = f"Run `sudo chown {user.name}: {path}`."
            yield Finding("certificates", False, f"{user.name} may not read {path} ({blocked} keeps it out).", chown)
    if not cert:
        return
    pem, key_pem = reader.data(cert), reader.data(key)
    if pem is None or key_pem is None:
        yield Finding("certificates", None, f"This user may not read {key}.", "Run the doctor with sudo.")
        return
    bad = pair_finding("own certificate", pem, key_pem, cure)
    # Who signed it may be an authority that only the broker knows: that nothing in `ca` did is no fault.
    bad = bad or trust_finding("own certificate", pem, reader.data(ca) or b"", reader.now(), NEW_AUTHORITY)
    yield bad or certificate_finding("own certificate", pem, reader.now(), cure)
    status = reader.status(key)
    if status is not None and (finding := key_mode_finding(key, status.mode)):
        yield finding


def _brokers_files(reader: MachineReader) -> Iterator[Finding]:
    """Of the machine that has the broker."""
    if reader.status(f"{TLS}/broker.pem") is None:
        return
    cure = "Run `sudo raceday certs init --renew`, then `sudo systemctl reload mosquitto`."
    yield from _wide_rules(reader)
    yield _brokers_certificate(reader.data(f"{TLS}/broker.pem") or b"", reader.data(f"{TLS}/ca.pem"), reader, cure)
    listed = reader.data(f"{TLS}/crl.pem")
    if listed is not None:
        yield from list_findings(listed, reader.now(), reader.data(f"{TLS}/ca.pem"))
    status, account = reader.status(f"{TLS}/broker.key"), reader.user(BROKER_USER)
    if status is None:
        yield Finding("broker's key", False, f"{TLS}/broker.key is not there.", cure)
        return
    if finding := key_mode_finding(f"{TLS}/broker.key", status.mode):
        yield finding
    if account is not None and status.uid != account.uid:
        seen = f"It is not {BROKER_USER}'s own: at its next reload the broker cannot read it."
        yield Finding("broker's key", False, seen, f"Run `sudo chown {BROKER_USER}: {TLS}/broker.key`.")


def _wide_rules(reader: MachineReader) -> Iterator[Finding]:
    """Rules of an earlier release, by which a car can store messages without end under topics of its own invention."""
    rules = (reader.data(ACL) or b"").decode(errors="replace").splitlines()
    wide = [rule for rule in rules if rule.startswith("pattern write ") and rule.rstrip().endswith("#")]
    if wide:
        seen = f"{ACL} lets every car write any topic ({wide[0]}): it can fill the broker's memory."
        cure = (
            "Run `sudo raceday certs init` if `raceday certs` wrote the file, else name each topic as config/acl does."
        )
        yield Finding("broker's rules", False, seen, f"{cure} Then `sudo systemctl reload mosquitto`.")


def _brokers_certificate(pem: bytes, ca_pem: bytes | None, reader: MachineReader, cure: str) -> Finding:
    what, now = "broker's certificate", reader.now()
    if ca_pem is not None and not is_vouched_for(pem, ca_pem, now):
        return Finding(
            what, False, f"No authority in {TLS}/ca.pem vouches for it: no machine trusts this broker.", cure
        )
    ends = trust_finding(what, pem, ca_pem, now, NEW_AUTHORITY) if ca_pem is not None else None
    return ends or certificate_finding(what, pem, now, cure)


def _answers(role: InstalledRole, mqtt: Mapping[str, Any], *, is_running: bool, probes: BrokerProbes) -> list[Finding]:
    names = ("host", "port", "ca", "cert", "key")
    try:
        options = MqttOptions(**{name: mqtt[name] for name in names if name in mqtt})
    except (ConfigError, TypeError) as error:
        return [Finding("broker", False, f"It was not asked: {error}", f"Mend [mqtt] in {role.config}.")]
    answer = probes.handshake(options)
    what = f"broker {options.host}:{options.port}"
    if not answer.is_reached:
        cure = "Is it on, and in the same network? At the station: `systemctl status mosquitto`."
        return [Finding(what, False, f"It is not reached: {answer.reason}.", cure)]
    if not answer.is_let_in:
        cure = "`sudo raceday certs show` at the station says whether the certificate is good, and for which names."
        return [Finding(what, False, f"It does not let this machine in: {answer.reason}.", cure)]
    if not options.ca:
        if options.host in ("127.0.0.1", "localhost", "::1"):
            return [Finding(what, True, "It is reached without TLS, on this machine.")]
        cure = "Make certificates (docs/certificates.md), and bring this machine its file."
        return [Finding(what, False, "It is reached without TLS: anybody in the network can order cars about.", cure)]
    found = [Finding(what, True, "It is reached, and takes this machine's certificate.")]
    if probes.handshake(options, with_certificate=False).is_let_in:
        cure = "Set `require_certificate true` in the broker's file: `sudo raceday install station`."
        found.append(Finding(what, False, "It lets in who has no certificate.", cure))
    return [*found, _rules(what, role, options, is_running=is_running, probes=probes)]


def _rules(what: str, role: InstalledRole, options: MqttOptions, *, is_running: bool, probes: BrokerProbes) -> Finding:
    """A canary that must be denied: one version of mosquitto let everything through in silence."""
    if is_running:
        return Finding(f"rules of {what}", None, f"Not tried while {role.unit} runs: it would be disconnected.")
    name = str(role.table.get("device" if role.role == "car" else "name", "station-1"))
    answer = probes.publish(options, name)
    if answer.is_denied:
        return Finding(f"rules of {what}", True, "It denies what nobody may publish.")
    if answer.is_denied is None:
        return Finding(f"rules of {what}", None, f"They could not be tried: {answer.reason or 'no answer'}.")
    cure = "Is `acl_file /etc/raceday/acl` in its file? One version of mosquitto (2.1) enforces none: use another."
    return Finding(f"rules of {what}", False, "It lets through what nobody may publish.", cure)
