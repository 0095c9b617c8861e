"""PUT KEY for the keys of a blank chip (80 D8, GlobalPlatform 11.8): both ends of it, as bytes."""

from typing import Final

from zhengka.formats import sm4
from zhengka.formats.apdu import Command, encode_command
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.suites import Suite

CHECKED: Final = 3
_SIZE: Final = 16
_TYPE: Final = {"INTL": 0x88, "SM": 0xF8}
"""Key type: 88 is AES (GlobalPlatform, 11.1.8), F8 is ours for SM4."""


def put_keys(suite: Suite, old: KeySet, new: KeySet, transport: bytes) -> bytes:
    """The command, for the inside of a channel that `old` opened."""
    data = bytes([new.version])
    for key in (new.enc, new.mac, new.dek, transport):
        sealed = sm4.cbc_encrypt(old.dek, bytes(sm4.BLOCK), key, cipher=suite.cipher)
        data += bytes([_TYPE[suite.name], _SIZE + 1, _SIZE]) + sealed + bytes([CHECKED]) + check_value(suite, key)
    return encode_command(Command(0x80, 0xD8, old.version, 0x81, data))


def read_keys(suite: Suite, old: KeySet, data: bytes) -> tuple[KeySet, bytes]:
    """The chip's side of `put_keys`; ValueError for what is none, or whose check values are wrong."""
    if len(data) != 1 + 4 * (_SIZE + CHECKED + 4):
        raise ValueError("not four keys")
    keys, at = [], 1
    for _ in range(4):
        head, sealed = data[at : at + 3], data[at + 3 : at + 3 + _SIZE]
        value = data[at + 3 + _SIZE : at + 4 + _SIZE + CHECKED]
        key = sm4.cbc_decrypt(old.dek, bytes(sm4.BLOCK), sealed, cipher=suite.cipher)
        if head != bytes([_TYPE[suite.name], _SIZE + 1, _SIZE]) or value != bytes([CHECKED]) + check_value(suite, key):
            raise ValueError("not a key")
        keys.append(key)
        at += _SIZE + CHECKED + 4
    return KeySet(data[0], keys[0], keys[1], keys[2]), keys[3]


def check_value(suite: Suite, key: bytes) -> bytes:
    """Three bytes by which a key is known (Amendment D, 4.1.4): 16 bytes of 01, encrypted."""
    return suite.ecb(key, b"\x01" * _SIZE)[:CHECKED]
