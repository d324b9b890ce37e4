"""What a process gives up before it works on pictures of strangers: writing files, core dumps, new rights, memory.

Source: faults-threats-speed.md 4 (resource exhaustion, data at rest), ``setrlimit(2)``, ``prctl(2)``.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38


def confine(memory: int) -> None:
    """Give up, for good: bytes in any file, core dumps, being looked into, new rights, more than *memory* bytes.

    Pipes, sockets and devices can still be written. The process ends with the thread that started it. OSError when the
    system refuses: then the process must not go on.
    """
    for what, limit in ((resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, memory)):
        resource.setrlimit(what, (limit, limit))
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_DUMPABLE, 0), (_PR_SET_PDEATHSIG, int(signal.SIGKILL))):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
