"""Where notices may be sent: an address that somebody types must not reach machines that only this one can reach.

The name is looked up when a notice is sent, and the very address that is then used is judged (`is_public`).
Source: OWASP ASVS 5.0, 1.3.6 (server-side request forgery).
"""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from shared.errors import Refused
from shared.text import text

MAX_URL = 500


def receiver(url: str, *, allow_plain_http: bool, allow_private: bool) -> SplitResult:
    """The parts of a receiver's address. Raises Refused with what is wrong with it."""
    wrong = text("{url} is no address for notices: write it as https://receiver.example/path.", url=repr(url[:80]))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused(wrong) from None
    written = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_URL
    if not written or parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise Refused(wrong)
    if parts.username is not None or parts.fragment:
        raise Refused(wrong)
    if parts.scheme == "http" and not allow_plain_http:
        raise Refused(text("Notices are only sent by https://, so that nobody on the way can read or change them."))
    if not allow_private and _is_private_literal(parts.hostname):
        raise Refused(text("Notices are not sent into private networks: use a public address."))
    return parts


def is_public(ip: str) -> bool:
    """Whether an IP address is of the public internet."""
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast


def _is_private_literal(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not is_public(host)
