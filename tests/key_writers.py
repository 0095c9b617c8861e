"""What a process of its own does in tests of the key store: in a module that the new process can import."""

from pathlib import Path

from zhengka.keys.store import SoftwareStore, Usage

PASSPHRASE = "正确的口令 correct"


def make_keys(path: Path, name: str) -> None:
    """Make twenty keys, one by one."""
    store = SoftwareStore(path, PASSPHRASE)
    for number in range(20):
        store.generate(f"{name}-{number}", suite="SM", usage=Usage.MAC)
