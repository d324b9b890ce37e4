"""`python -m simulators` is `kiosk-sim`, also where the console script is not installed."""

from simulators.cli import main

main(prog_name="kiosk-sim")
