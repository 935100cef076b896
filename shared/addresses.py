"""IP addresses and networks, as a config lists them and as connections come from them. Pure."""

import ipaddress
from dataclasses import dataclass

from shared.errors import ConfigError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
ANY_ADDRESS = "*"


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


@dataclass(frozen=True, slots=True)
class Addresses:
    """The clients that a list of addresses and networks names; "*" names all of them."""

    networks: tuple[Network, ...]
    everybody: bool = False

    @classmethod
    def parsed(cls, texts: tuple[str, ...], key: str) -> "Addresses":
        """Parse the list in the setting `key`; "*" stands for all. Raises ConfigError, which names `key`."""
        return cls(tuple(_network(text, key) for text in texts if text != ANY_ADDRESS), ANY_ADDRESS in texts)

    def contains(self, client: str) -> bool:
        """Is the address of a connection among them? Always with "*"."""
        return self.everybody or self.names(client)

    def names(self, client: str) -> bool:
        """As `contains`, without "*": is this address itself named?"""
        address = address_of(client)
        return address is not None and any(
            address.version == network.version and address in network for network in self.networks
        )


def _network(text: str, key: str) -> Network:
    what = f"`{key}` holds {text!r}"
    try:
        return _unmapped(ipaddress.ip_network(text))
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ConfigError(
            f'{what}; write addresses ("192.168.1.20"), networks ("192.168.1.0/24"), or "*" for everybody.'
        ) from None
    raise ConfigError(f'{what}, an address within a network; write "{meant}" for all of it, or the address alone.')


def _unmapped(network: Network) -> Network:
    """The IPv4 network that `::ffff:10.0.0.0/104` means; another network as it is."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.ip_network((mapped, network.prefixlen - 96))
