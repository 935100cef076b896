"""The address under which devices in the hall reach this station, for the QR code that pairs them."""

import fcntl
import ipaddress
import socket
import struct

from fastapi import Request

_SIOCGIFADDR = 0x8915  # Linux, netdevice(7): an interface's IPv4 address
_NAME_BYTES = 15


def hall_origin(request: Request) -> str:
    """The origin of this request or, if it came over the loopback, one with this machine's address in its network."""
    host, scheme = request.url.hostname or "", request.url.scheme
    if _is_loopback(host) and (addresses := network_addresses()):
        return f"{scheme}://{addresses[0]}:{request.url.port or (443 if scheme == 'https' else 80)}"
    return f"{scheme}://{request.url.netloc}"


def network_addresses() -> list[str]:
    """The IPv4 addresses of this machine's interfaces but the loopback; nothing is sent to find them."""
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(asked, _SIOCGIFADDR, struct.pack("256s", name.encode()[:_NAME_BYTES]))
            except OSError:
                continue  # this interface has no address
            found.append(socket.inet_ntoa(answer[20:24]))
    return [address for address in found if not _is_loopback(address)]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
