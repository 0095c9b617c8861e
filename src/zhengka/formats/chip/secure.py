"""What a chip and the world outside say to each other under a key (PBOC manner, with SM4 or AES by suite).

External and internal authentication (外部认证, 内部认证), PUT KEY (装载密钥) and line protection (线路保护): the MAC on
a write to a finished card, and its encryption. A MAC is the leftmost bytes of a CMAC (GB/T 15852.1, algorithm 5), but
for line protection in applications of a published standard, which is the CBC-MAC that such cards have
(`published_mac`).
"""

import hmac
from collections.abc import Sequence
from typing import Final, NamedTuple

from zhengka.formats import sm4
from zhengka.formats.apdu import Command, encode_command
from zhengka.formats.chip.profile import PURPOSES, Key
from zhengka.formats.suites import Suite

STORED: Final = (*PURPOSES, "pin", "unblock", "pin-unlock")
"""What a slot of a chip can be for: the keys of a profile, a PIN, the code that unblocks it, and the key that does."""
NOBODYS, OWN, ONCE = 0x00, 0x01, 0x80
"""A PIN's version says whose it is: nobody's yet; its holder's; with bit 80 one that was told at a desk and only lets
the holder choose another. The other seven bits of that are the last ones of the order's number.
"""

MAC: Final = 4
CHALLENGE: Final = 8
SHORT_CHALLENGE: Final = 4
"""Of so many bytes a terminal may ask instead; zeros fill them up to `CHALLENGE`."""
KEY_BLOB: Final = 36
"""Data field of PUT KEY: two blocks of ciphertext and the MAC (the `24` of `84D40000 24`)."""

TELL_KEYS: Final = 0x00E0
TELL_STATE: Final = 0xDF20
"""What GET DATA asks for: which keys an application has, and a MAC over its state (`receipt`)."""

TELL_VERSIONS: Final = 0x85
"""In the answer to SELECT of an application that says nothing else of itself: slot, version, algorithm by key."""

SELECTABLE: Final = 0x07
LOCKED: Final = 0x83
"""Life-cycle states of an application as a receipt tells them (GlobalPlatform Card Specification 2.3, table 11-4)."""

RECEIPT: Final = 8
"""Bytes of the MAC of a receipt."""

_RECEIPT_LEVEL = b"RECEIPT\0"
_LINE_LEVEL = b"ZHENGKA LINE MAC"
"""Encrypted under a key it gives the one for its MACs. No factor gives the same: its halves are no inverses."""

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


def replace_key(
    suite: Suite, control: bytes, challenge: bytes, slot: Key, key: bytes, *, published: bool = False
) -> bytes:
    """The PUT KEY command that replaces one key of a finished card, under its control key and a fresh challenge."""
    header = _put_key_header(slot)
    blob = suite.ecb(control, _key_head(suite, slot) + key + _KEY_TAIL)
    return header + blob + line_mac(suite, control, challenge, header + blob, published=published)


def protect(
    suite: Suite, key: bytes, challenge: bytes, command: Command, *, cipher: bool = False, published: bool = False
) -> bytes:
    """The command with line protection: class 04, and after its data a MAC over challenge, header and data.

    With `cipher` the data is enciphered before (密文+MAC), for files whose right to update asks for it. `published`:
    for an application whose standard says how (`layout.Application.published`).
    """
    if cipher:
        command = command._replace(data=enciphered(suite, key, challenge, command.data))
    whole = encode_command(command._replace(cla=command.cla | 0x04, data=command.data + bytes(MAC)))
    return whole[:-MAC] + line_mac(suite, key, challenge, whole[:-MAC], published=published)


def line_mac(suite: Suite, key: bytes, challenge: bytes, covered: bytes, *, published: bool = False) -> bytes:
    """The 4-byte MAC of a protected command: `covered` is its header, Lc and data without the MAC.

    The challenge is enciphered in a block of its own, in front: who lies to the key's owner about it, to have another
    command under the same MAC, would have to know what a block becomes under the key. `published`: `published_mac`.
    """
    if published:
        return published_mac(suite, key, challenge, covered)
    own = suite.ecb(key, _LINE_LEVEL)
    return suite.cmac_many(own, [challenge.ljust(sm4.BLOCK, b"\0") + covered])[0][:MAC]


def published_mac(suite: Suite, key: bytes, challenge: bytes, covered: bytes) -> bytes:
    """The same in the transit manner (JT/T 978 as public code has it): a CBC-MAC whose vector is the card's challenge
    filled with zeros; the data are padded with 80 00 …, the leftmost four bytes count.

    Lc stands in the first block, so no MAC of one command is that of a longer one. But whoever carries the challenge
    and the command can change the same bits in both, in the first eight bytes, and the MAC still fits: INS, P1, P2, Lc
    and three bytes of data are as good as the PC between. So only what such a standard asks for has it.
    """
    whole = covered + b"\x80"
    padded = whole + bytes(-len(whole) % sm4.BLOCK)
    return sm4.cbc_encrypt(key, challenge.ljust(sm4.BLOCK, b"\0"), padded, cipher=suite.cipher)[-sm4.BLOCK :][:MAC]


class Told(NamedTuple):
    """What an application tells of itself: its life-cycle state, its keys as pairs of slot and version in order of
    slots, and `contents`: of some files the identifier, the number of a record (0: the file is transparent), and what
    lies there.
    """

    life: int
    versions: tuple[tuple[int, int], ...]
    contents: tuple[tuple[bytes, int, bytes], ...] = ()


def receipt(suite: Suite, internal: bytes, challenge: bytes, name: bytes, told: Told) -> bytes:
    """The 8-byte MAC by which an application vouches for its state (回执), under a key below its internal key.

    The challenge is asked for from outside, so that an old receipt is none for a new question.
    """
    files = [fid + bytes([number]) + len(data).to_bytes(2) + data for fid, number, data in told.contents]
    keys = b"".join(bytes(pair) for pair in told.versions)
    state = bytes([len(name)]) + name + bytes([told.life, len(told.versions)]) + keys
    covered = challenge + bytes(8) + state + suite.digest(b"".join(files))
    own = suite.diversify(internal, [_RECEIPT_LEVEL])[0]
    return suite.cmac_many(own, [covered])[0][:RECEIPT]


def same(one: bytes, other: bytes) -> bool:
    """Whether two MACs are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one, other)


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


def one_time_pin(suite: Suite, unlock: bytes, number: int) -> str:
    """The six digits that the order with this number makes a PIN, drawn from the card's own key (一次性口令). They are
    kept nowhere: who has the key draws them again.
    """
    [level] = suite.diversify(unlock, [b"ONE-TIME"])
    [drawn] = suite.diversify(level, [number.to_bytes(8)])
    return f"{int.from_bytes(drawn) % 10**6:06d}"


def once(number: int) -> int:
    """The version of a PIN that the order with this number has set."""
    return ONCE | number & 0x7F


def reset_pin(
    suite: Suite, unlock: bytes, challenge: bytes, slot: int, number: int, *, published: bool = False
) -> bytes:
    """PIN CHANGE/UNBLOCK (84 24, PBOC manner): all tries, and the order's one-time PIN, enciphered on its way."""
    pin = one_time_pin(suite, unlock, number).encode().ljust(PIN, b"\xff")
    command = Command(0x80, 0x24, 0, slot, bytes([once(number)]) + pin)
    return protect(suite, unlock, challenge, command, cipher=True, published=published)


def read_key(suite: Suite, plain: bytes, slot: int) -> tuple[Key, bytes]:
    """What a chip finds in the two blocks of a PUT KEY; ValueError when they are not a key of this suite.

    The byte of tries is that of banks' cards: how many there are, in the upper half if none is left.
    """
    size, purpose, version, algorithm, counts = plain[:5]
    tries = counts if counts & 0x0F else counts >> 4
    if size != 20 or plain[21:] != _KEY_TAIL or not purpose < len(STORED) or not 1 <= tries <= 15:
        raise ValueError("not a key")
    if algorithm != ALGORITHM[suite.name]:
        raise ValueError("a key of another algorithm")
    return Key(slot, STORED[purpose], version, tries, blocked=counts != tries), plain[5:21]


def _put_key_header(slot: Key) -> bytes:
    return bytes([0x84, 0xD4, 0x00, slot.slot, KEY_BLOB])


def _key_head(suite: Suite, slot: Key) -> bytes:
    tries = slot.tries << 4 if slot.blocked else slot.tries
    return bytes([20, STORED.index(slot.purpose), slot.version, ALGORITHM[suite.name], tries])


def _fold(block: bytes) -> bytes:
    return (int.from_bytes(block[:8]) ^ int.from_bytes(block[8:])).to_bytes(8)
