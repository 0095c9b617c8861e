"""A public key as a small file that two parties hand to each other, and read out its key id over the telephone."""

import json
from pathlib import Path
from typing import Final

from zhengka.formats.suites import SUITES, MalformedKey, PublicKey

FORMAT: Final = "zhengka-public-key/1"
MOST: Final = 4096
"""Bytes of such a file at most."""


def write_public(path: Path, key: PublicKey) -> None:
    """Write a public key (公钥) with its suite and key id."""
    data = {"format": FORMAT, "suite": key.suite, "key_id": key.key_id.hex(), "point": key.point.hex()}
    path.write_text(json.dumps(data, indent=1) + "\n")


def read_public(path: Path) -> PublicKey:
    """Read what `write_public` wrote; MalformedKey when it is no key or its key id is another one's."""
    return parse_public(path.read_bytes()[:MOST], path.name)


def parse_public(content: bytes, name: str) -> PublicKey:
    """The public key in the content of such a file; MalformedKey as `read_public`."""
    try:
        data = json.loads(content)
        key = SUITES[data["suite"]].public_key(bytes.fromhex(data["point"]))
        right = data["format"] == FORMAT and data["key_id"] == key.key_id.hex()
    except (KeyError, TypeError, ValueError, RecursionError):
        right = False
    if not right:
        raise MalformedKey(f"{name} is not a public key file")
    return key
