"""SM4 and AES: blocks, GCM and CMAC against the standards, bulk against one by one."""

import json
from pathlib import Path
from typing import Any

import pytest

from zhengka.formats import sm4

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sm4.json").read_text())
CMACS = [
    pytest.param(suite["cipher"], suite["key"], int(length), mac, id=f"{suite['cipher']}-{length}")
    for suite in VECTORS["cmac"]["suites"]
    for length, mac in suite["macs"].items()
]
MESSAGE = bytes.fromhex(VECTORS["cmac"]["message"])


def test_a_block_is_encrypted_and_decrypted_as_the_standard_says() -> None:
    key, plain, cipher = (bytes.fromhex(VECTORS["block"][name]) for name in ("key", "plain", "cipher"))
    assert sm4.ecb_encrypt(key, plain * 3) == cipher * 3
    assert sm4.ecb_decrypt(key, cipher * 3) == plain * 3


def test_a_part_of_a_block_is_refused() -> None:
    with pytest.raises(ValueError):
        sm4.ecb_encrypt(bytes(16), bytes(17))


@pytest.mark.parametrize("cipher", ["sm4", "aes"])
def test_a_block_under_each_key_is_what_each_key_alone_makes(cipher: Any) -> None:
    keys, blocks = [bytes([n] * 16) for n in range(20)], [bytes([n, *range(15)]) for n in range(20)]
    alone = [sm4.ecb_encrypt(key, block, cipher=cipher) for key, block in zip(keys, blocks, strict=True)]
    assert sm4.ecb_each(keys, blocks, cipher=cipher) == alone
    assert sm4.ecb_each([], [], cipher=cipher) == []


@pytest.mark.parametrize(("key", "block"), [(bytes(15), bytes(16)), (bytes(16), bytes(17))])
def test_a_key_or_block_of_another_length_is_refused(key: bytes, block: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        sm4.ecb_each([bytes(16), key], [bytes(16), block])


def test_gcm_is_that_of_rfc_8998_and_a_flipped_bit_is_refused() -> None:
    key, nonce, also, plain, sealed = (
        bytes.fromhex(VECTORS["gcm"][name]) for name in ("key", "nonce", "also", "plain", "sealed")
    )
    assert sm4.gcm_encrypt(key, nonce, plain, also) == sealed
    assert sm4.gcm_decrypt(key, nonce, sealed, also) == plain
    for broken in (sealed[:-1], bytes([sealed[0] ^ 1]) + sealed[1:], b"short"):
        with pytest.raises(sm4.SealBroken):
            sm4.gcm_decrypt(key, nonce, broken, also)
    with pytest.raises(sm4.SealBroken):
        sm4.gcm_decrypt(key, nonce, sealed, also + b"more")


@pytest.mark.parametrize(("cipher", "key", "length", "mac"), CMACS)
def test_cmac_is_that_of_the_vectors_alone_and_in_bulk(cipher: Any, key: str, length: int, mac: str) -> None:
    secret, message, expected = bytes.fromhex(key), MESSAGE[:length], bytes.fromhex(mac)
    assert sm4.cmac(secret, message, cipher=cipher) == expected
    assert sm4.cmac_many(secret, [message], cipher=cipher) == [expected]
    assert sm4.cmac_many(secret, [message] * 100, cipher=cipher) == [expected] * 100


def test_a_mac_after_whole_blocks_equals_the_mac_of_all() -> None:
    key, before, messages = bytes(16), MESSAGE[:32], [MESSAGE[:20], MESSAGE[32:49]]
    rows = sm4.matrix(messages, 32)
    tags = sm4.cmac_rows(key, rows, sm4.lengths_of(messages), chain=sm4.chain_of(key, before))
    assert sm4.slices(tags) == [sm4.cmac(key, before + message) for message in messages]


def test_no_messages_have_no_macs() -> None:
    assert sm4.cmac_many(bytes(16), []) == []


def test_a_long_column_is_cut_into_groups_of_bounded_size() -> None:
    lengths = sm4.lengths_of([bytes(18)] * 100_000)
    groups = [places for _, places in sm4.by_blocks(lengths)]
    assert max(map(len, groups)) * 32 <= 1 << 20
    assert sum(map(len, groups)) == 100_000


@pytest.mark.parametrize("cipher", ["sm4", "aes"])
def test_a_key_that_stays_at_work_gives_what_each_message_alone_gives(cipher: Any) -> None:
    key, other = bytes(range(16)), bytes(range(16, 32))
    at_work = sm4.AtWork(key, cipher=cipher)
    for length in (0, 1, 15, 16, 17, 32, 40, 64, 255, 16, 0, 16):
        message, blocks = MESSAGE[:1] * length, bytes(range(16)) * (1 + length // 16)
        assert at_work.cmac(message) == sm4.cmac(key, message, cipher=cipher)
        sealed = at_work.seal(other, blocks)
        assert sealed == sm4.cbc_encrypt(key, sm4.ecb_encrypt(key, other, cipher=cipher), blocks, cipher=cipher)
        assert at_work.unseal(other, sealed) == blocks
    assert at_work.unseal(other, b"") == b"" and key.hex() not in repr(at_work)


def test_a_part_of_a_block_leaves_a_key_at_work_as_it_was() -> None:
    at_work = sm4.AtWork(bytes(16))
    for wrong in (lambda: at_work.seal(bytes(16), bytes(15)), lambda: at_work.unseal(bytes(16), bytes(17))):
        with pytest.raises(ValueError, match="whole blocks"):
            wrong()
    assert at_work.cmac(b"message") == sm4.cmac(bytes(16), b"message")
