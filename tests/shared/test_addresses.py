"""Addresses and networks: the same machine is recognised in every form of its address."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.addresses import Addresses, address_of, counted_prefix
from shared.errors import ConfigError


@pytest.mark.parametrize(
    ("texts", "client", "holds"),
    [
        (("127.0.0.1", "::1"), "127.0.0.1", True),
        (("127.0.0.1", "::1"), "::ffff:127.0.0.1", True),
        (("127.0.0.1", "::1"), "::1", True),
        (("127.0.0.1", "::1"), "127.0.0.2", False),
        (("192.168.1.0/24",), "192.168.1.77", True),
        (("192.168.1.0/24",), "::ffff:192.168.1.77", True),
        (("192.168.1.0/24",), "::FFFF:c0a8:14d", True),
        (("192.168.1.0/24",), "192.168.2.1", False),
        (("::ffff:192.168.1.5",), "192.168.1.5", True),
        (("::ffff:192.168.1.0/120",), "192.168.1.5", True),
        (("::ffff:192.168.1.0/120",), "192.168.2.5", False),
        (("10.0.0.0/8", "192.168.1.20"), "10.200.3.4", True),
        (("fe80::/10",), "fe80::1%eth0", True),
        (("2001:db8::/32",), "2001:DB8:0:0::5", True),
        (("0.0.0.0/0",), "2001:db8::5", False),
        (("*",), "203.0.113.9", True),
        (("*",), "", True),
        ((), "127.0.0.1", False),
        (("127.0.0.1",), "", False),
        (("127.0.0.1",), "localhost", False),
        (("127.0.0.1",), "127.0.0.1, 10.0.0.1", False),
    ],
)
def test_who_is_meant(texts: tuple[str, ...], client: str, holds: bool) -> None:
    assert Addresses.parsed(texts, "web.operators").contains(client) == holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("192.168.1.300", "write addresses"),
        ("192.168.1", "write addresses"),
        ("localhost", "write addresses"),
        ("", "write addresses"),
        ("192.168.1.0/33", "write addresses"),
        ("192.168.1.*", "write addresses"),
        ("192.168.1.77/24", 'write "192.168.1.0/24" for all of it'),
        ("2001:db8::7/32", 'write "2001:db8::/32" for all of it'),
    ],
)
def test_what_is_no_address_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Addresses.parsed(("127.0.0.1", text), "web.operators")
    assert words in str(refused.value)
    assert "`web.operators`" in str(refused.value)


@pytest.mark.parametrize(
    ("client", "counted_as"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("fe80::5%wlan0", "fe80::/64"),
        ("::1", "::1"),
        ("unix", "unix"),
    ],
)
def test_by_what_connections_are_counted(client: str, counted_as: str) -> None:
    assert counted_prefix(client) == counted_as


@given(st.ip_addresses())
def test_each_address_is_in_the_networks_around_it(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    met = address_of(str(address))
    assert met is not None
    for bits in (0, met.max_prefixlen // 2, met.max_prefixlen):
        network = ipaddress.ip_network((met, bits), strict=False)
        assert Addresses.parsed((str(network),), "x").contains(str(address))


@given(st.text())
def test_any_text_is_an_address_or_not(text: str) -> None:
    Addresses.parsed((), "x").contains(text)
    counted_prefix(text)
