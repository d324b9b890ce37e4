"""Which addresses are this machine itself: there plain HTTP and a patient's page are safe, elsewhere they are not."""

import ipaddress


def is_loopback(host: str) -> bool:
    """True for an address of 127.0.0.0/8, ``::1`` (without brackets) and the name ``localhost``; never raises.

    Every other name is False: names are not resolved, because what one resolves to may change.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
