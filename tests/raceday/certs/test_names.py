"""Names of machines and of the broker: what gets into a certificate, an ACL and a file name, and what does not."""

import pytest
from cryptography import x509

from raceday.certs.machine_names import checked_machine_name
from raceday.certs.names import checked_host, general_names, own_hosts
from shared.errors import BadInput, Refused

# From a Pi with Ethernet and its own access point, Linux 6.12.
FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.42.0.0/24 2 0 2
        |-- 10.42.0.0
           /24 link UNICAST
        |-- 10.42.0.1
           /32 host LOCAL
        |-- 10.42.0.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
     |-- 192.168.1.7
        /32 host LOCAL
Local:
     |-- 192.168.1.7
        /32 host LOCAL
"""


@pytest.mark.parametrize("name", ["car-1", "station_2", "0", "a" * 64])
def test_names_that_machines_have(name: str) -> None:
    assert checked_machine_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a" * 65,
        "Car-1",
        "../ca",
        "a/b",
        "a\nuser station-1",
        "+",
        "#",
        "car-#",
        "%u",
        "car 1",
        "c\u0430r-1",
        "car\0",
        "-car",
    ],
)
def test_names_that_would_be_something_else_to_broker_or_disk(name: str) -> None:
    with pytest.raises(Refused, match="cannot name a machine"):
        checked_machine_name(name)


@pytest.mark.parametrize("name", ["ca", "crl", "broker", "canary"])
def test_names_of_what_is_no_machine(name: str) -> None:
    with pytest.raises(Refused, match="another's"):
        checked_machine_name(name)


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("Raceday.Local", "raceday.local"),
        ("10.42.0.1", "10.42.0.1"),
        ("[fe80::1]", "fe80::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("rennbüro.local", "xn--rennbro-r2a.local"),
    ],
)
def test_hosts_are_written_in_one_form(written: str, host: str) -> None:
    assert checked_host(written) == host
    (name,) = general_names([host])
    assert str(name.value) == host


@pytest.mark.parametrize(
    "written", ["", "https://hall.local", "hall.local:8883", "*.local", "a b", "0.0.0.0", "::", "224.0.0.1"]
)
def test_what_is_no_host_is_refused_in_one_sentence(written: str) -> None:
    with pytest.raises(BadInput):
        checked_host(written)


def test_a_machine_knows_by_what_it_can_be_reached() -> None:
    always = ("localhost", "127.0.0.1", "::1")
    assert own_hosts("hall", FIB_TRIE) == ("hall", "hall.local", "10.42.0.1", "192.168.1.7", *always)
    assert own_hosts("pi.club.example", "") == ("pi.club.example", *always)
    assert own_hosts("not a name", "") == always
    assert all(isinstance(name, x509.GeneralName) for name in general_names(own_hosts("hall", FIB_TRIE)))
