"""Who a certificate is for: a machine's role, and the names and addresses of the broker. Pure."""

import ipaddress
import re
from collections.abc import Iterable
from typing import Literal, get_args

from cryptography import x509

from shared.errors import BadInput
from shared.web.host_names import host_name

MachineRole = Literal["broker", "station", "car", "display", "leaderboard", "web"]
ROLES: tuple[MachineRole, ...] = get_args(MachineRole)
ALWAYS = ("localhost", "127.0.0.1", "::1")  # the station speaks to a broker on its own machine

_LOCAL_ADDRESS = re.compile(r"\|-- (?P<address>[0-9.]+)\n +/32 host LOCAL")


def checked_host(written: str) -> str:
    """A host name in lower case, or an address in its shortest form. Raises BadInput."""
    bare = written.strip().strip("[]")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        pass
    else:
        if address.is_unspecified or address.is_multicast:
            raise BadInput(f"{written!r} is no address that a car can connect to: give the one that cars use.")
        return str(address)
    try:
        return host_name(written)
    except ValueError:
        raise BadInput(
            f'{written!r} is neither a host name nor an address; write it alone ("raceday.local", "10.42.0.1"), '
            "without scheme, port or path."
        ) from None


def general_names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    """Checked hosts as a certificate writes them (RFC 5280, 4.2.1.6)."""
    return [_general_name(host) for host in hosts]


def web_hosts(name: str, asked: Iterable[str], own: Iterable[str] = ()) -> tuple[str, ...]:
    """By which names and addresses browsers reach a machine: what follows from its name, `own`, and what was asked for.

    A name of a machine that no host can have is left out.
    """
    hosts = list(asked)
    try:
        short = host_name(name)
        hosts += [short] if "." in short else [short, f"{short}.local"]
    except ValueError:
        pass
    return tuple(dict.fromkeys((*hosts, *own))) or ALWAYS


def own_hosts(hostname: str, fib_trie: str) -> tuple[str, ...]:
    """By which names and addresses this machine can be reached, as far as it knows.

    `fib_trie` is the kernel's own list of its IPv4 addresses (/proc/net/fib_trie). A host name that no certificate can
    hold is left out.
    """
    hosts: list[str] = []
    try:
        short = host_name(hostname)
        hosts += [short] if "." in short else [short, f"{short}.local"]
    except ValueError:
        pass
    found = (match["address"] for match in _LOCAL_ADDRESS.finditer(fib_trie))
    hosts += [address for address in found if not ipaddress.ip_address(address).is_loopback]
    return tuple(dict.fromkeys((*hosts, *ALWAYS)))


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
