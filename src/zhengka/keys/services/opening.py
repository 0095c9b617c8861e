"""The installation's key store, opened once per process, and its ways to say no in the platform's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from django.conf import settings

from zhengka.core.errors import Refusal
from zhengka.keys.store import KeyStore, KeyStoreError, NoSuchKey, Pkcs11Store, SoftwareStore, Token, mechanisms


def store() -> KeyStore:
    """The installation's key store, a file or a token, unlocked once per process: Argon2id makes it dear."""
    if place := settings.KEY_TOKEN:
        pin = Path(place.pin_file).read_text().strip() if place.pin_file else settings.KEY_PASSPHRASE
        return _open_token(place.module, place.label, pin)
    return _open_file(Path(settings.KEY_FILE or Path(settings.HOME) / "keys" / "store"), settings.KEY_PASSPHRASE)


@contextmanager
def missing(label: str) -> Iterator[None]:
    """Say it plainly where the database knows a key that this store does not hold (a restore to another machine), and
    where the store fails: a token that is silent, lost, or answers for another key.
    """
    try:
        yield
    except NoSuchKey:
        raise Refusal("key-missing", label=label) from None
    except KeyStoreError as fault:
        raise Refusal("key-store-fails", label=label, fault=type(fault).__name__, why=str(fault)) from None


@cache
def _open_file(path: Path, passphrase: str) -> KeyStore:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return SoftwareStore(path, passphrase)


@cache
def _open_token(module: str, label: str, pin: str) -> KeyStore:
    families, lock = mechanisms.load(settings.KEY_MECHANISMS), Path(settings.HOME) / "token.lock"
    return Pkcs11Store(Token(module, label, pin), families, lock)
