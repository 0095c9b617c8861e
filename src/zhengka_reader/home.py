"""The reader's own place on the office PC: its key pair, the sites that it is paired with, a code that waits.

The private key is a file that only its owner can read; a PC with a hardware module keeps it there.
"""

import hmac
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from zhengka.formats.keyfile import read_public, write_public
from zhengka.formats.suites import SUITES, MalformedKey, PublicKey, SigningKey

PUBLIC: Final = "reader-public.json"
_PRIVATE: Final = "reader-private.json"
_PAIRED: Final = "paired.json"
_CODE: Final = "code.json"
CODE_LIVES: Final = 600
"""Seconds for which a code that was typed in waits for its page."""
TRIES: Final = 3
"""Pages that may come with a wrong code before it is void."""


class NoHome(ValueError):
    """The folder is not a reader's home, or something is missing in it; the text says what to do."""


def init(home: Path, suite: str) -> Path:
    """Create the key pair of a new home; the path of the public key file. An old key pair is kept."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (home / _PRIVATE).exists():
        key = SUITES[suite].generate()
        _write(home / _PRIVATE, {"suite": suite, "scalar": key.scalar().hex()})
    write_public(home / PUBLIC, private_key(home).public)
    return home / PUBLIC


def private_key(home: Path) -> SigningKey:
    """The reader's private key."""
    try:
        data = json.loads((home / _PRIVATE).read_text())
        return SUITES[data["suite"]].private_key(bytes.fromhex(data["scalar"]))
    except FileNotFoundError:
        raise NoHome(f"{home} has no key pair: run zhengka-reader init first") from None
    except (KeyError, TypeError, ValueError):
        raise NoHome(f"the key pair in {home} cannot be read") from None


def issuer_key(home: Path, origin: str) -> PublicKey:
    """The batch key of a site: only its packages are made here. NoHome."""
    try:
        return read_public(home / f"issuer-{_host(origin)}.json")
    except (FileNotFoundError, MalformedKey):
        raise NoHome(f"no batch key of {origin} is trusted here: run zhengka-reader trust") from None


def trust(home: Path, origin: str, public: Path) -> PublicKey:
    """Take the batch key of a site: cards of its packages are made from now on."""
    private_key(home)
    key = read_public(public)
    write_public(home / f"issuer-{_host(origin)}.json", key)
    return key


def expect(home: Path, code: str) -> None:
    """The person at this PC typed in the code that a page shows: the next page that has it too is paired."""
    private_key(home)
    if not (code.isascii() and code.isdigit() and len(code) == 8):
        raise ValueError("a code is the 8 digits that the page shows")
    _write(home / _CODE, {"code": code, "until": time.time() + CODE_LIVES, "tries": TRIES})


def is_expecting(home: Path) -> bool:
    """Whether a code waits for its page."""
    return _waiting(home) is not None


def pair(home: Path, origin: str, code: str) -> bool:
    """Pair with the page's site if this is the code that waits. It serves once, and after three wrong ones never."""
    waiting = _waiting(home)
    if waiting is None:
        return False
    right = hmac.compare_digest(str(waiting["code"]).encode(), code.encode())
    if right or waiting["tries"] <= 1:
        (home / _CODE).unlink(missing_ok=True)
    else:
        _write(home / _CODE, {**waiting, "tries": waiting["tries"] - 1})
    if right:
        _write(home / _PAIRED, {"origins": sorted({origin, *origins(home)})})
    return right


def origins(home: Path) -> list[str]:
    """The sites whose pages may use the reader."""
    try:
        return [str(origin) for origin in json.loads((home / _PAIRED).read_text())["origins"]]
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return []


def part(home: Path, origin: str) -> None:
    """End a pairing."""
    _write(home / _PAIRED, {"origins": [each for each in origins(home) if each != origin]})


def _waiting(home: Path) -> dict[str, Any] | None:
    try:
        data = json.loads((home / _CODE).read_text())
        return data if data["until"] > time.time() and data["tries"] > 0 else None
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def _host(origin: str) -> str:
    parts = urlsplit(origin)
    if not parts.hostname:
        raise NoHome("a site is named by its address, such as https://cards.example.cn")
    return f"{parts.hostname}-{parts.port}" if parts.port else parts.hostname


def _write(path: Path, data: Mapping[str, Any]) -> None:
    """In one step, for its owner alone."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(data, file)
    temporary.replace(path)
