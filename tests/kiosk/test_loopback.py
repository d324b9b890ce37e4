"""Which hosts count as this machine itself."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.loopback import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1", "localhost"])
def test_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "0.0.0.0", "128.0.0.1", "10.0.0.5", "::", "[::1]", "127.1", "localhost.example", "127.0.0.1.example", "kiosk"],
)
def test_any_other(host):
    assert not is_loopback(host)


@given(st.text() | st.ip_addresses(v=4).map(str))
def test_only_loopback_addresses_and_one_name(host):
    try:
        expected = ipaddress.ip_address(host) in ipaddress.ip_network("127.0.0.0/8")
    except ValueError:
        expected = host == "localhost"
    assert is_loopback(host) == (expected or host == "::1")
