"""A process that has keys in its memory, closed to the rest of the machine as far as the system lets it."""

import ctypes
import logging
import resource
from functools import cache
from typing import Final

LOG: Final = logging.getLogger(__name__)
_SET_DUMPABLE: Final = 4
_BYTES_AT: Final = bytes.__basicsize__ - 1
"""Where the content of a `bytes` begins in its object."""


@cache
def close_process() -> None:
    """From now on no core dump of this process is written, and no other process of the same user looks into its memory
    (prctl PR_SET_DUMPABLE). What the system refuses is said once in the log.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        _refused("to switch core dumps off")
    try:
        closed = _libc().prctl(_SET_DUMPABLE, 0, 0, 0, 0) == 0
    except AttributeError:  # another system than Linux
        closed = False
    if not closed:
        _refused("to close this process's memory to others")


def lock(secret: bytes) -> bytes:
    """The same secret, its page kept out of swap (mlock) until the process ends, where the system allows it.

    Copies that a library makes of it, such as the scalar of a key pair, are not reached.
    """
    if _libc().mlock(ctypes.c_void_p(id(secret) + _BYTES_AT), ctypes.c_size_t(len(secret))):
        _refused("to lock memory")
    return secret


@cache
def _refused(what: str) -> None:
    """Once per process for each thing."""
    LOG.warning("The system refused %s: keys in memory may reach the disk. Switch swap and core dumps off.", what)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
