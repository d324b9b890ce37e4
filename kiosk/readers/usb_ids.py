"""USB ids of scanners and serial bridges, upper-case hex. Source: identity-documents.md 8.2."""

SCANNER_MAKERS = {
    "1EAB": "Newland",
    "0C2E": "Honeywell",
    "05E0": "Zebra",
    "05F9": "Datalogic",
    "065A": "Opticon",
}
"""Makers of nothing but scanners: a keyboard of theirs is a scanner that types."""

SNAPI = frozenset({("05E0", "1900")})
"""Scanners in their maker's own mode, which only the maker's driver reads."""

BRIDGES = {
    "1A86": "ch341",
    "10C4": "cp210x",
    "0403": "ftdi_sio",
    "067B": "pl2303",
}
"""Makers of plain serial bridges, and the kernel's driver: what hangs behind one cannot be told."""
