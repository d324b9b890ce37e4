"""``python -m province`` is ``provincectl``."""

from province.cli import main

main()
