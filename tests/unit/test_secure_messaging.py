"""PUT KEY, line protection and its encryption are what another program computes, for both suites."""

import json
import subprocess
from pathlib import Path

import pytest

from zhengka.formats.apdu import Command
from zhengka.formats.chip.profile import Key
from zhengka.formats.chip.secure import STORED, protect, put_key_many
from zhengka.formats.suites import SUITES

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "secure-messaging.json").read_text())["suites"]
CIPHERS = {"SM": ("-sm4", "SM4-CBC", 4), "INTL": ("-aes-128", "AES-128-CBC", 8)}
"""Suite → what openssl calls its cipher for encryption and in a CMAC, and the byte that names it on the chip."""
UPDATE = Command(0x00, 0xD6, 0x97, 0x00)
SUITE_NAMES = pytest.mark.parametrize("suite", list(VECTORS))


def vector(suite: str) -> dict[str, bytes]:
    return {name: bytes.fromhex(value) for name, value in VECTORS[suite].items()}


def openssl_mac(suite: str, key: bytes, data: bytes) -> bytes:
    asked = ["openssl", "mac", "-cipher", CIPHERS[suite][1], "-macopt", f"hexkey:{key.hex()}", "-in", "-", "CMAC"]
    return bytes.fromhex(subprocess.run(asked, input=data, capture_output=True, check=True).stdout.decode())[:4]


def openssl_enc(suite: str, mode: str, key: bytes, data: bytes, vector: bytes = bytes(16)) -> bytes:
    start = ["-iv", vector.hex()] if mode == "cbc" else []
    asked = ["openssl", "enc", f"{CIPHERS[suite][0]}-{mode}", "-nopad", "-K", key.hex(), *start]
    return subprocess.run(asked, input=data, capture_output=True, check=True).stdout


@SUITE_NAMES
def test_put_key_is_what_openssl_computes(suite: str):
    known = vector(suite)
    [ours] = put_key_many(SUITES[suite], known["key"], Key(2, STORED[1], 1, 10), [known["loaded"]])
    plain = bytes([20, 1, 1, CIPHERS[suite][2], 10]) + known["loaded"] + b"\x80" + bytes(10)
    covered = bytes.fromhex("84D4000224") + openssl_enc(suite, "ecb", known["key"], plain)
    assert ours == known["put_key"] == covered + openssl_mac(suite, known["key"], covered)


def openssl_line_mac(suite: str, key: bytes, challenge: bytes, covered: bytes) -> bytes:
    own = openssl_enc(suite, "ecb", key, b"ZHENGKA LINE MAC")
    return openssl_mac(suite, own, challenge.ljust(16, b"\0") + covered)


def openssl_published_mac(suite: str, key: bytes, challenge: bytes, covered: bytes) -> bytes:
    padded = covered + b"\x80" + bytes(-len(covered + b"\x80") % 16)
    return openssl_enc(suite, "cbc", key, padded, challenge.ljust(16, b"\0"))[-16:][:4]


MACS = {"": openssl_line_mac, "published_": openssl_published_mac}
"""How a protected line's MAC is made: ours, and that of applications of a published standard."""
MANNER = pytest.mark.parametrize("manner", list(MACS))


@SUITE_NAMES
@MANNER
@pytest.mark.parametrize(("name", "size"), [("mac", 8), ("mac_of_a_short_challenge", 4)])
def test_line_protection_is_what_openssl_computes(suite: str, manner: str, name: str, size: int):
    known = vector(suite)
    challenge = known["challenge"][:size].ljust(8, b"\0")
    covered = bytes.fromhex("04D6970008") + known["data"]
    command = UPDATE._replace(data=known["data"])
    ours = protect(SUITES[suite], known["key"], challenge, command, published=bool(manner))
    assert ours == known[manner + name] == covered + MACS[manner](suite, known["key"], challenge, covered)


@SUITE_NAMES
@MANNER
def test_enciphered_line_protection_is_what_openssl_computes(suite: str, manner: str):
    known = vector(suite)
    key, challenge, data = known["key"], known["challenge"], known["data"]
    once = openssl_enc(suite, "ecb", key, challenge + bytes(byte ^ 0xFF for byte in challenge))
    sealed = openssl_enc(suite, "cbc", once, (bytes([len(data)]) + data + b"\x80").ljust(16, b"\0"))
    covered = bytes.fromhex("04D6970014") + sealed
    ours = protect(SUITES[suite], key, challenge, UPDATE._replace(data=data), cipher=True, published=bool(manner))
    assert ours == known[manner + "encryption_and_mac"] == covered + MACS[manner](suite, key, challenge, covered)
