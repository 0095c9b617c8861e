"""What a token is asked for, by number: a table of `data/tokens/`, since vendors number SM mechanisms as they like."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from pkcs11 import KeyType, Mechanism

from zhengka.formats.suites import SUITES
from zhengka.keys.store.interface import Usage

FORMAT: Final = 1
_HEAD: Final = {"format", "title", "title_zh", "source"}
_KINDS: Final = {"pair", "secret"}
_MECHANISMS: Final = {"make_pair", "sign", "agree", "make_secret", "encrypt", "mac", "derive"}
_NEEDS: Final = {
    Usage.SIGN: {"make_pair", "sign"},
    Usage.UNWRAP: {"make_pair", "agree"},
    Usage.DIVERSIFY: {"make_secret", "encrypt"},
    Usage.MAC: {"make_secret", "encrypt", "mac"},
    Usage.CIPHER: {"make_secret", "encrypt"},
}
"""Usage → what a token must do so that such a key can live in it. Secret keys encrypt: so check values are made."""
_Number = TypeVar("_Number", bound=IntEnum)


class BadTable(ValueError):
    """The table of mechanisms cannot be used; the message says where."""


@dataclass(frozen=True)
class Family:
    """The numbers of one suite."""

    kinds: Mapping[str, KeyType]
    mechanisms: Mapping[str, Mechanism]
    curve: bytes

    def lives(self, usage: Usage, offered: Collection[int]) -> bool:
        """Whether a key of this usage can live in a token that offers these mechanisms."""
        return all(name in self.mechanisms and self.mechanisms[name] in offered for name in _NEEDS[usage])


def load(path: Path) -> dict[str, Family]:
    """Suite → its numbers. BadTable; a suite that is not named has none."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise BadTable(f"{path.name} is not TOML: {fault}") from None
    if content.get("format") != FORMAT or not set(content) >= _HEAD:
        raise BadTable(f"{path.name}: format {FORMAT}, title, title_zh and source must be told")
    if strange := set(content) - _HEAD - set(SUITES):
        raise BadTable(f"{path.name}: {sorted(strange)} is no suite")
    return {name: _family(content[name], f"{path.name}, {name}") for name in SUITES if name in content}


def _family(told: Mapping[str, Any], place: str) -> Family:
    if strange := set(told) - _KINDS - _MECHANISMS - {"curve"}:
        raise BadTable(f"{place}: {sorted(strange)} means nothing here")
    if wrong := [name for name, value in told.items() if name != "curve" and (type(value) is not int or value < 0)]:
        raise BadTable(f"{place}: {wrong} must be numbers")
    mechanisms = {name: number(Mechanism, told[name]) for name in _MECHANISMS if name in told}
    for makes, needed in (("make_pair", {"pair", "curve"}), ("make_secret", {"secret"})):
        if makes in told and not needed <= set(told):
            raise BadTable(f"{place}: {makes} needs {sorted(needed)}")
    if mechanisms.get("derive", Mechanism.AES_ECB_ENCRYPT_DATA) != Mechanism.AES_ECB_ENCRYPT_DATA:
        raise BadTable(f"{place}: of derivations only CKM_AES_ECB_ENCRYPT_DATA is known")
    try:
        curve = bytes.fromhex(told.get("curve", ""))
    except (TypeError, ValueError):
        raise BadTable(f"{place}: curve must be hex") from None
    return Family({name: number(KeyType, told[name]) for name in _KINDS if name in told}, mechanisms, curve)


def number(kind: type[_Number], value: int) -> _Number:
    """A member of the binding's enumeration; for a vendor's number one of its own, since the binding takes no other."""
    try:
        return kind(value)
    except ValueError:
        member = int.__new__(kind, value)
        member._name_, member._value_ = f"VENDOR_{value:08X}", value
        return member
