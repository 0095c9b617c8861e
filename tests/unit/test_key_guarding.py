"""A process with an open key store writes no core dump, is closed to others, and keeps keys out of swap."""

import subprocess
import sys

OPEN = """
import ctypes, resource, sys
from pathlib import Path
from zhengka.keys.store import SoftwareStore, Usage
store = SoftwareStore(Path(sys.argv[1]), "a passphrase")
store.generate("key", suite="SM", usage=Usage.MAC)
store.mac("key", [b"m"])
locked = next(line for line in open("/proc/self/status") if line.startswith("VmLck")).split()[1]
print(*resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), int(locked) > 0)
"""
REFUSED = """
import logging, os, resource
logging.basicConfig(format="%(levelname)s %(message)s")
from zhengka.keys.store.guarding import close_process, lock
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
if os.getuid() == 0:
    os.setuid(65534)
close_process()
assert [lock(bytes([n] * 16)) for n in range(3)] == [bytes([n] * 16) for n in range(3)]
"""


def run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)


def test_a_process_that_opens_a_store_is_closed_and_its_keys_are_locked(tmp_path):
    assert run(OPEN, str(tmp_path / "store")).stdout.split() == ["0", "0", "0", "True"]


def test_what_the_system_refuses_is_said_once_and_the_key_works_on():
    said = run(REFUSED).stderr.splitlines()
    assert len(said) == 1 and said[0].startswith("WARNING The system refused to lock memory")
