"""What a process of its own does in tests of key stores: in a module that the new process can import."""

from pathlib import Path

import tokens
from zhengka.keys.store import KeyStore, SoftwareStore, Usage

PASSPHRASE = "正确的口令 correct"


def open_store(place: Path | str, folder: Path) -> KeyStore:
    """The store in a file, or in the token of this label."""
    return SoftwareStore(place, PASSPHRASE) if isinstance(place, Path) else tokens.open_token(place, folder)


def make_keys(place: Path | str, folder: Path, name: str) -> None:
    """Make twenty keys, one by one."""
    store = open_store(place, folder)
    for number in range(20):
        store.generate(f"{name}-{number}", suite="INTL", usage=Usage.MAC)


def change_key(place: Path | str, folder: Path, label: str) -> None:
    """Destroy a signing key and make another of the same name."""
    store = open_store(place, folder)
    suite = store.describe(label).suite
    store.destroy(label)
    store.generate(label, suite=suite, usage=Usage.SIGN)
