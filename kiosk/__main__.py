"""``python -m kiosk`` is ``kioskctl``."""

from kiosk.cli import main

main()
