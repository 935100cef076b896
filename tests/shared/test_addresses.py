"""Addresses: the same machine is recognised in every form of its address."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.addresses import address_of, counted_prefix


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
def test_each_address_is_read_as_it_is_written(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    assert address_of(str(address)) == (mapped or address)


@given(st.text())
def test_any_text_is_an_address_or_not(text: str) -> None:
    address_of(text)
    counted_prefix(text)
