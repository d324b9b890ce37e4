"""Starts daemons without loading their modules anew: one fork for each line on standard input.

Prints the process id of the daemon, and ``ended`` once it is gone. The parent only loads modules: it opens nothing and
starts no thread, so a fork is as good as a fresh process.
"""

from __future__ import annotations

import os
import sys

import alembic.command  # noqa: F401 - loaded once for all lives
import argon2  # noqa: F401

import hospital_adapters.c06  # noqa: F401
import kiosk.daemon  # noqa: F401
from kiosk.cli import main

if __name__ == "__main__":
    for _ in sys.stdin:
        if (pid := os.fork()) == 0:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            main(["run", "--config", sys.argv[1]])
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("ended", flush=True)
