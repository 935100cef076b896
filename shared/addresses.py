"""IP addresses, as connections come from them. Pure."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(text: str) -> Address | None:
    """The address in `text`; IPv4 over an IPv6 socket (`::ffff:10.0.0.1`) is IPv4. None if the text is no address."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def counted_prefix(text: str) -> str:
    """What connections are counted by: the IPv4 address, or for IPv6 the /64, which one machine has to itself."""
    address = address_of(text)
    if isinstance(address, ipaddress.IPv6Address) and not address.is_loopback:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return text if address is None else str(address)


def is_loopback(text: str) -> bool:
    """Does a connection from this address come from this machine itself?"""
    address = address_of(text)
    return address is not None and address.is_loopback
