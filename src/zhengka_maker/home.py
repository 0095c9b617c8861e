"""The maker's own place: its key pair, the customer's public key, and runs that are not finished.

The private key is a file that only its owner can read. A real maker keeps it in a hardware module.
"""

import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from zhengka.formats import x509
from zhengka.formats.keyfile import read_public, write_public
from zhengka.formats.suites import SUITES, PublicKey, SigningKey

PUBLIC = "maker-public.json"
CERTIFICATE = "maker-certificate.pem"
DAYS = 1095
"""For how long a certificate holds unless told."""
_PRIVATE = "maker-private.json"
_ISSUER = "issuer-public.json"


class NoHome(ValueError):
    """The folder is not a maker's home, or something is missing in it; the text says what to do."""


def init(home: Path, suite: str) -> Path:
    """Create the key pair of a new home; the path of the public key file. An old key pair is kept."""
    home.mkdir(parents=True, exist_ok=True)
    private = home / _PRIVATE
    if not private.exists():
        key = SUITES[suite].generate()
        with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"suite": suite, "scalar": key.scalar().hex()}, file)
    write_public(home / PUBLIC, private_key(home).public)
    return home / PUBLIC


def certify(home: Path, name: str, *, days: int, at: datetime) -> Path:
    """Write a certificate (X.509) by which the maker vouches for its key for so many days, and a day before, for clocks
    differ; where it lies.
    """
    key, now = private_key(home), at.astimezone(UTC).replace(microsecond=0)
    who = x509.Issuer(x509.Name("CN", name, name), key.public)
    body = x509.certificate_body(x509.Wanted(
        secrets.randbits(126) + 1, who.name, key.public, now - timedelta(days=1), now + timedelta(days=days)), who)
    path = home / CERTIFICATE
    path.write_bytes(x509.as_pem(x509.signed(body, key.sign(body), key.public.suite)))
    return path


def trust(home: Path, public: Path) -> PublicKey:
    """Take the customer's batch key: only packages signed by it are made from now on."""
    private_key(home)
    key = read_public(public)
    write_public(home / _ISSUER, key)
    return key


def private_key(home: Path) -> SigningKey:
    """The maker's private key."""
    try:
        data = json.loads((home / _PRIVATE).read_text())
        return SUITES[data["suite"]].private_key(bytes.fromhex(data["scalar"]))
    except FileNotFoundError:
        raise NoHome(f"{home} has no key pair: run zhengka-maker init first") from None
    except (KeyError, TypeError, ValueError):
        raise NoHome(f"the key pair in {home} cannot be read") from None


def issuer_key(home: Path) -> PublicKey:
    """The customer's public key."""
    if not (home / _ISSUER).exists():
        raise NoHome(f"{home} trusts nobody yet: run zhengka-maker trust with the customer's public key file")
    return read_public(home / _ISSUER)
