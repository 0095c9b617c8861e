"""What a chip and the world outside say to each other under a key (PBOC manner, with SM4 or AES by suite).

External and internal authentication (外部认证, 内部认证), PUT KEY (装载密钥) and line protection (线路保护): the MAC on
a write to a finished card, and its encryption. MACs are the leftmost four bytes of a CMAC (GB/T 15852.1, algorithm 5).
"""

from collections.abc import Sequence
from typing import Final

from zhengka.formats import sm4
from zhengka.formats.apdu import Command, encode_command
from zhengka.formats.chip.profile import PURPOSES, Key
from zhengka.formats.suites import Suite

STORED: Final = (*PURPOSES, "pin", "unblock")
"""What a slot of a chip can be for: the keys of a profile, a PIN, and the code that unblocks it."""

MAC: Final = 4
CHALLENGE: Final = 8
KEY_BLOB: Final = 36
"""Data field of PUT KEY: two blocks of ciphertext and the MAC (the `24` of `84D40000 24`)."""

PIN: Final = 8
"""Bytes of a PIN as it is sent, padded with FF."""

ALGORITHM: Final = {"SM": 0x04, "INTL": 0x08}
"""The byte that names the algorithm of a stored key: 04 is SM4 in public card code, 08 is ours for AES-128."""

_KEY_TAIL = b"\x80" + bytes(10)


def answer(suite: Suite, key: bytes, challenge: bytes) -> bytes:
    """The 8-byte proof of a key for an 8-byte challenge: encrypt it padded with zeros, XOR the two halves."""
    return _fold(suite.ecb(key, challenge + bytes(8)))


def answers(suite: Suite, keys: Sequence[bytes], challenges: Sequence[bytes]) -> list[bytes]:
    """`answer` for many cards, each with its own key and challenge."""
    zeros = bytes(8)
    blocks = suite.ecb_each(keys, [challenge + zeros for challenge in challenges])
    return [_fold(block) for block in blocks]


def put_key_many(suite: Suite, wrapping: bytes, slot: Key, keys: Sequence[bytes]) -> list[bytes]:
    """The PUT KEY commands that load one slot of many blank chips, each with its own 16-byte key.

    `wrapping` is the transport key (KEK) of the blank chips. The key travels with its purpose, version, algorithm and
    tries, in two encrypted blocks, so that none of them can be changed on the way.
    """
    header = _put_key_header(slot)
    head = _key_head(suite, slot)
    sealed = suite.ecb(wrapping, b"".join([head + key + _KEY_TAIL for key in keys]))
    blobs = [sealed[start : start + 32] for start in range(0, len(sealed), 32)]
    macs = suite.cmac_many(wrapping, [header + blob for blob in blobs])
    return [header + blob + mac[:MAC] for blob, mac in zip(blobs, macs, strict=True)]


def replace_key(suite: Suite, control: bytes, challenge: bytes, slot: Key, key: bytes) -> bytes:
    """The PUT KEY command that replaces one key of a finished card, under its control key and a fresh challenge."""
    header = _put_key_header(slot)
    blob = suite.ecb(control, _key_head(suite, slot) + key + _KEY_TAIL)
    return header + blob + line_mac(suite, control, challenge, header + blob)


def protect(suite: Suite, key: bytes, challenge: bytes, command: Command, *, cipher: bool = False) -> bytes:
    """The command with line protection: class 04, and after its data a MAC over challenge, header and data.

    With `cipher` the data is enciphered before (密文+MAC), for files whose right to update asks for it.
    """
    if cipher:
        command = command._replace(data=enciphered(suite, key, challenge, command.data))
    whole = encode_command(command._replace(cla=command.cla | 0x04, data=command.data + bytes(MAC)))
    return whole[:-MAC] + line_mac(suite, key, challenge, whole[:-MAC])


def line_mac(suite: Suite, key: bytes, challenge: bytes, covered: bytes) -> bytes:
    """The 4-byte MAC of a protected command: `covered` is its header, Lc and data without the MAC."""
    return suite.cmac_many(key, [challenge + bytes(8) + covered])[0][:MAC]


def enciphered(suite: Suite, key: bytes, challenge: bytes, data: bytes) -> bytes:
    """Data on its way to a file: its length, itself and padding, under a key that serves for this challenge alone."""
    plain = bytes([len(data)]) + data + b"\x80"
    once = suite.diversify(key, [challenge])[0]
    return sm4.cbc_encrypt(once, bytes(sm4.BLOCK), plain + bytes(-len(plain) % sm4.BLOCK), cipher=suite.cipher)


def deciphered(suite: Suite, key: bytes, challenge: bytes, data: bytes) -> bytes:
    """Undo `enciphered`; ValueError when the length and the padding do not fit each other."""
    if not data or len(data) % sm4.BLOCK:
        raise ValueError("not whole blocks")
    once = suite.diversify(key, [challenge])[0]
    plain = sm4.cbc_decrypt(once, bytes(sm4.BLOCK), data, cipher=suite.cipher)
    end = 1 + plain[0]
    if len(plain) - end > sm4.BLOCK or plain[end:] != b"\x80".ljust(len(plain) - end, b"\0"):
        raise ValueError("wrong padding")
    return plain[1:end]


def pin_block(told: bytes) -> bytes:
    """A PIN of 4 to 8 bytes as its slot keeps it: 16 bytes, padded with FF. ValueError for another length."""
    if not 4 <= len(told) <= PIN:
        raise ValueError("a PIN is 4 to 8 bytes")
    return told.ljust(sm4.BLOCK, b"\xff")


def read_key(suite: Suite, plain: bytes, slot: int) -> tuple[Key, bytes]:
    """What a chip finds in the two blocks of a PUT KEY; ValueError when they are not a key of this suite."""
    size, purpose, version, algorithm, tries = plain[:5]
    if size != 20 or plain[21:] != _KEY_TAIL or not purpose < len(STORED) or not 1 <= tries <= 15:
        raise ValueError("not a key")
    if algorithm != ALGORITHM[suite.name]:
        raise ValueError("a key of another algorithm")
    return Key(slot, STORED[purpose], version, tries), plain[5:21]


def _put_key_header(slot: Key) -> bytes:
    return bytes([0x84, 0xD4, 0x00, slot.slot, KEY_BLOB])


def _key_head(suite: Suite, slot: Key) -> bytes:
    return bytes([20, STORED.index(slot.purpose), slot.version, ALGORITHM[suite.name], slot.tries])


def _fold(block: bytes) -> bytes:
    return (int.from_bytes(block[:8]) ^ int.from_bytes(block[8:])).to_bytes(8)
