"""The key store in a PKCS #11 token: keys that its mechanisms allow live there; others are sealed by a key that does.

Every key has an entry, a private data object of the token: what may be told of the key, authenticated, and, of a hybrid
key, its secret. Entries are sealed with AES-128-GCM under a key of their own, which the token's sealing key (AES, born
there, never extractable) draws from the entry's nonce; so no entry opens, or is believed, without this token. A key
that may be exported is hybrid too: what lives in the token cannot leave it.
"""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, NoReturn

from pkcs11 import Attribute, ObjectClass, exceptions

from zhengka.formats import sm4
from zhengka.formats.suites import SUITES, MalformedKey
from zhengka.keys.store.guarding import close_process
from zhengka.keys.store.interface import (
    PAIRS,
    Kept,
    KeyInfo,
    KeyStore,
    LabelTaken,
    NoSuchKey,
    StoreBroken,
    Usage,
    WorkingKey,
    WrongKey,
    described,
    fresh,
)
from zhengka.keys.store.locks import locked
from zhengka.keys.store.mechanisms import Family
from zhengka.keys.store.memory import MemoryKey
from zhengka.keys.store.objects import TokenKey, encrypt, find, make_pair, make_secret, point_of, put_secret
from zhengka.keys.store.token import Desk, Token

FORMAT: Final = 1
APPLICATION: Final = "zhengka"
SEALING: Final = "zhengka sealing key"
_PROBE: Final = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
"""Key and plain text of the example of GB/T 32907 annex A, for every cipher's trial."""


@dataclass(frozen=True)
class _Entry:
    """An entry as it lies in the token, opened: `secret` is empty where the key lives in the token."""

    info: KeyInfo
    nonce: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"<_Entry {self.info.label}>"


class Pkcs11Store(KeyStore):
    """See `KeyStore`. One token may serve several processes; by the file `lock` those of a machine take turns."""

    def __init__(self, token: Token, families: Mapping[str, Family], lock: Path) -> None:
        """Log in, try the mechanisms named, and make the sealing key where there is none. KeyStoreError."""
        close_process()  # hybrid keys are opened in memory
        self._token, self._families, self._lock = token, families, lock
        with locked(lock):
            self._lives = token.call(self._begin)

    def labels(self) -> list[str]:
        """See `KeyStore.labels`."""
        return sorted(self._token.call(
            lambda desk: [entry[Attribute.LABEL] for entry in find(desk, **_entries())]))

    def describe(self, label: str) -> KeyInfo:
        """See `KeyStore.describe`."""
        return self._token.call(lambda desk: self._entry(desk, label).info)

    def generate(self, label: str, *, suite: str, usage: Usage, exportable: bool = False) -> KeyInfo:
        """See `KeyStore.generate`."""
        secret = fresh(suite, usage)  # of a hybrid key; else it only tells whether label, suite and usage are right
        info = described(label, secret, suite, usage, exportable=exportable)
        if exportable or (suite, info.usage) not in self._lives:
            return self._keep(replace(info, kept=Kept.HYBRID), secret)
        return self._keep(replace(info, kept=Kept.TOKEN), b"", self._born)

    def destroy(self, label: str) -> None:
        """See `KeyStore.destroy`."""
        with locked(self._lock):
            self._token.call(lambda desk: self._remove(desk, label))

    def __repr__(self) -> str:
        """Nothing but the token's name."""
        return f"<Pkcs11Store {self._token.label}>"

    def __reduce__(self) -> NoReturn:
        """An open store never travels in a pickle."""
        raise TypeError("a key store cannot be pickled")

    # --- one key ---

    def _key(self, label: str) -> WorkingKey:
        entry = self._token.call(lambda desk: self._entry(desk, label))
        if entry.secret:
            return MemoryKey(entry.info, entry.secret)
        return TokenKey(self._token, self._families[entry.info.suite], entry.info, entry.nonce)

    def _take(self, info: KeyInfo, secret: bytes) -> KeyInfo:
        if info.exportable or (info.suite, info.usage) not in self._lives:
            return self._keep(replace(info, kept=Kept.HYBRID), secret)
        return self._keep(replace(info, kept=Kept.TOKEN), b"", lambda desk, told, nonce: self._put(
            desk, told, nonce, secret))

    def _keep(self, info: KeyInfo, secret: bytes,
              make: Callable[[Desk, KeyInfo, bytes], KeyInfo] | None = None) -> KeyInfo:
        """Write the entry; before it, `make` the key itself, which finishes what is told of it."""
        def work(desk: Desk) -> KeyInfo:
            if next(iter(find(desk, **_entries(info.label))), None):
                raise LabelTaken(f"a key is labelled {info.label} already")
            nonce, sealing = os.urandom(16), self._sealing_id(desk)
            desk.begun = True
            told = make(desk, info, nonce) if make else info
            content = {"format": FORMAT, "info": asdict(told), "key": sealing.hex(), "nonce": nonce.hex(),
                       "sealed": sm4.gcm_encrypt(self._own(desk, sealing, nonce), bytes(12), secret,
                                                 _told(told, sealing), cipher="aes").hex()}
            desk.session.create_object({
                Attribute.CLASS: ObjectClass.DATA, Attribute.TOKEN: True, Attribute.PRIVATE: True,
                Attribute.APPLICATION: APPLICATION, Attribute.LABEL: info.label, Attribute.VALUE: _json(content)})
            return told
        with locked(self._lock):
            return self._token.call(work)

    def _born(self, desk: Desk, info: KeyInfo, nonce: bytes) -> KeyInfo:
        """A new key of the token, told by its own answers."""
        family = self._families[info.suite]
        if info.usage not in PAIRS:
            key = make_secret(desk, family, info.usage, nonce, info.label)
            return replace(info, check_value=encrypt(desk, family, key, bytes(16))[:3].hex())
        point = point_of(make_pair(desk, family, info.usage, nonce, info.label))
        try:
            public = SUITES[info.suite].public_key(point)
        except MalformedKey:
            raise WrongKey(f"the token's key pair {info.label} is none of {info.suite}") from None
        return replace(info, public=public.point.hex(), check_value=public.key_id.hex())

    def _put(self, desk: Desk, info: KeyInfo, nonce: bytes, secret: bytes) -> KeyInfo:
        put_secret(desk, self._families[info.suite], info, nonce, secret)
        return info

    def _entry(self, desk: Desk, label: str) -> _Entry:
        found = list(find(desk, **_entries(label)))
        if not found:
            raise NoSuchKey(f"no key is labelled {label}")
        if len(found) > 1:
            raise StoreBroken(f"the token has two keys labelled {label}")
        try:
            content = json.loads(found[0][Attribute.VALUE])
            info = KeyInfo(**(content["info"] | {"usage": Usage(content["info"]["usage"]),
                                                 "kept": Kept(content["info"]["kept"])}))
            sealing, nonce, sealed = (bytes.fromhex(content[name]) for name in ("key", "nonce", "sealed"))
        except (ValueError, KeyError, TypeError):
            raise StoreBroken(f"the entry of {label} is damaged") from None
        try:
            secret = sm4.gcm_decrypt(self._own(desk, sealing, nonce), bytes(12), sealed, _told(info, sealing),
                                     cipher="aes")
        except sm4.SealBroken:
            raise StoreBroken(f"the entry of {label} was changed, or is another token's") from None
        if info.label != label or (info.kept == Kept.TOKEN) == bool(secret):
            raise StoreBroken(f"the entry of {label} is another key's")
        return _Entry(info, nonce, secret)

    def _remove(self, desk: Desk, label: str) -> None:
        found = list(find(desk, **_entries(label)))
        if not found:
            raise NoSuchKey(f"no key is labelled {label}")
        with suppress(StoreBroken):  # what is damaged goes too, its key by its label
            for one in find(desk, ID=self._entry(desk, label).nonce):
                one.destroy()
        for kind in (ObjectClass.SECRET_KEY, ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
            for one in find(desk, CLASS=kind, LABEL=label):
                one.destroy()
        for one in found:
            one.destroy()

    # --- the token ---

    def _begin(self, desk: Desk) -> frozenset[tuple[str, Usage]]:
        """The kinds of keys that can live in this token; the sealing key is there afterwards."""
        able = {name for name, family in self._families.items() if _proved_cipher(desk, name, family)}
        if "INTL" not in able:
            raise StoreBroken("the token cannot encrypt with AES, under which entries are sealed")
        if not list(find(desk, CLASS=ObjectClass.SECRET_KEY, LABEL=SEALING)):
            make_secret(desk, self._families["INTL"], Usage.CIPHER, os.urandom(16), SEALING)
        return frozenset((name, usage) for name, family in self._families.items() for usage in Usage
                         if family.lives(usage, desk.offered) and (usage in PAIRS or name in able))

    def _sealing_id(self, desk: Desk) -> bytes:
        """The id of the sealing key for new entries: the first, where two first starts made two."""
        return min(bytes(key[Attribute.ID]) for key in find(desk, CLASS=ObjectClass.SECRET_KEY, LABEL=SEALING))

    def _own(self, desk: Desk, sealing: bytes, nonce: bytes) -> bytes:
        """The key of one entry, drawn inside the token."""
        for key in find(desk, CLASS=ObjectClass.SECRET_KEY, LABEL=SEALING, ID=sealing):
            return encrypt(desk, self._families["INTL"], key, nonce)
        raise StoreBroken("the sealing key of an entry is not in this token")


def _proved_cipher(desk: Desk, suite: str, family: Family) -> bool:
    """Whether the token takes a key and enciphers with it as the suite does; WrongKey where it does otherwise."""
    if "encrypt" not in family.mechanisms or family.mechanisms["encrypt"] not in desk.offered:
        return False
    try:
        key = desk.session.create_object({
            Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: family.kinds["secret"],
            Attribute.TOKEN: False, Attribute.ENCRYPT: True, Attribute.VALUE: _PROBE})
        answer = encrypt(desk, family, key, _PROBE)
    except exceptions.PKCS11Error:
        return False
    key.destroy()
    if answer != SUITES[suite].ecb(_PROBE, _PROBE):
        raise WrongKey(f"what the table calls the block cipher of {suite} is another one in this token")
    return True


def _entries(label: str | None = None) -> dict[str, Any]:
    named = {} if label is None else {"LABEL": label}
    return {"CLASS": ObjectClass.DATA, "APPLICATION": APPLICATION} | named


def _told(info: KeyInfo, sealing: bytes) -> bytes:
    return _json([FORMAT, asdict(info), sealing.hex()])


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
