"""Which addresses a Micro may reach: the internet's, and none that is the machine's, its neighbours', or either in disguise."""

import psutil
import pytest

from storage.embedded.micros.reach import Reach

INTERNET = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "198.17.255.255",
    "223.255.255.254",
    "2606:4700::1111",
    "2a00:1450::1",
]
OWN = "it is this server's own address"
PRIVATE = "it is a private address, not one of the internet"
HIDDEN = "it is a private address in disguise"


@pytest.mark.parametrize("address", INTERNET)
def test_the_internet_can_be_reached(address: str) -> None:
    assert Reach().why_not(address) == ""


@pytest.mark.parametrize(
    "address, why",
    [
        ("127.0.0.1", OWN),
        ("127.255.255.254", OWN),
        ("::1", OWN),
        ("0.0.0.0", PRIVATE),
        ("0.1.2.3", PRIVATE),
        ("::", PRIVATE),
        ("10.0.0.1", PRIVATE),
        ("10.255.255.255", PRIVATE),
        ("172.16.0.1", PRIVATE),
        ("172.31.255.255", PRIVATE),
        ("192.168.1.1", PRIVATE),
        ("169.254.169.254", PRIVATE),  # the metadata of most clouds
        ("169.254.170.2", PRIVATE),
        ("100.64.0.1", PRIVATE),
        ("100.100.100.200", PRIVATE),
        ("168.63.129.16", PRIVATE),
        ("192.0.0.192", PRIVATE),
        ("192.0.2.1", PRIVATE),
        ("192.88.99.1", PRIVATE),
        ("198.18.0.1", PRIVATE),
        ("198.51.100.1", PRIVATE),
        ("203.0.113.1", PRIVATE),
        ("224.0.0.1", PRIVATE),
        ("239.255.255.250", PRIVATE),
        ("240.0.0.1", PRIVATE),
        ("255.255.255.255", PRIVATE),
        ("fe80::1", PRIVATE),
        ("fe80::1%1", PRIVATE),
        ("fec0::1", PRIVATE),
        ("fc00::1", PRIVATE),
        ("fd00:ec2::254", PRIVATE),
        ("ff02::1", PRIVATE),
        ("ff0e::1", PRIVATE),
        ("2001:db8::1", PRIVATE),
        ("3fff::1", PRIVATE),
        ("100::1", PRIVATE),
        ("::ffff:127.0.0.1", HIDDEN),
        ("::ffff:a9fe:a9fe", HIDDEN),
        ("::ffff:10.0.0.1", HIDDEN),
        ("::ffff:0:10.0.0.1", PRIVATE),  # translated by SIIT
        ("::127.0.0.1", PRIVATE),  # compatible, as was once said
        ("::a00:1", PRIVATE),
        ("64:ff9b::7f00:1", PRIVATE),  # NAT64
        ("64:ff9b::a9fe:a9fe", PRIVATE),
        ("64:ff9b:1::a00:1", PRIVATE),
        ("2002:7f00:1::1", PRIVATE),  # 6to4
        ("2002:a9fe:a9fe::1", PRIVATE),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", PRIVATE),  # Teredo
        ("2001:20::1", PRIVATE),
        ("not an address", "it is not an address"),
        ("2130706433", "it is not an address"),
    ],
)
def test_nothing_else_can(address: str, why: str) -> None:
    assert Reach().why_not(address) == why


def test_a_mapped_address_of_the_internet_is_that_address() -> None:
    assert Reach().why_not("::ffff:1.1.1.1") == ""


def test_what_is_allowed_can_be_reached() -> None:
    reach = Reach(["10.1.0.0/16", "fd12::/16", " 192.168.7.7 "])
    assert [reach.why_not(each) for each in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "192.168.7.7")] == [""] * 4
    assert [reach.why_not(each) for each in ("10.2.0.1", "fd13::1", "192.168.7.8")] == [PRIVATE] * 3


def test_the_machines_own_addresses_are_allowed_one_by_one() -> None:
    """A network that the machine is in means its neighbours: its own ports are the engines'."""
    own = next(
        each.address for of_one in psutil.net_if_addrs().values() for each in of_one if each.family.name == "AF_INET"
    )
    assert Reach().why_not(own) == OWN
    assert Reach(["0.0.0.0/0", "127.0.0.0/8"]).why_not(own) == OWN
    assert Reach([own]).why_not(own) == ""


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        Reach(["example.com"])
