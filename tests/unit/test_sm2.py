"""SM2 against the standard's example, against a second implementation, and against everything malformed."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gmssl_pyx
import pytest
from asn1crypto.core import Integer, OctetString, Sequence

from zhengka.formats import sm2

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "suites.json").read_text())["SM"]
SCALAR, POINT, MESSAGE, SIGNATURE = (
    bytes.fromhex(VECTOR[name]) for name in ("scalar", "point", "message", "signature")
)
KEY = sm2.PrivateKey.from_scalar(SCALAR)


class Ciphertext(Sequence):
    """SM2Cipher of GB/T 35276."""

    _fields = [("x", Integer), ("y", Integer), ("hash", OctetString), ("cipher", OctetString)]


def test_the_library_passes_its_self_test() -> None:
    sm2.self_test()


def test_a_missing_library_is_named_with_the_package_that_brings_it() -> None:
    with pytest.raises(sm2.LibraryMissing, match="libssl3"):
        sm2.library("libcrypto.so.nowhere")


def test_the_digest_that_is_signed_is_that_of_the_standard() -> None:
    assert KEY.public.point == POINT
    assert KEY.public.message_digest(MESSAGE) == bytes.fromhex(VECTOR["digest"])


def test_a_ciphertext_of_the_standard_is_opened() -> None:
    parts = {name: bytes.fromhex(text) for name, text in VECTOR["encrypted"].items()}
    numbers = {name: int.from_bytes(parts[name]) for name in ("x", "y")}
    blob = Ciphertext(numbers | {"hash": parts["hash"], "cipher": parts["cipher"]}).dump()
    assert KEY.decrypt(blob) == bytes.fromhex(VECTOR["plain"])


def test_a_second_implementation_accepts_our_signatures_and_we_accept_its() -> None:
    for count in range(50):
        message = bytes([count]) * count
        ours = sm2.to_der(KEY.sign(message))
        assert gmssl_pyx.sm2_verify(POINT[1:], message, ours)
        theirs = sm2.from_der(gmssl_pyx.sm2_sign(SCALAR, POINT[1:], message))
        assert KEY.public.verify(message, theirs)


def test_a_second_implementation_opens_what_we_encrypt_and_we_open_its() -> None:
    for size in (1, 16, 32, 200):
        data = bytes(range(size))
        assert gmssl_pyx.sm2_decrypt(SCALAR, KEY.public.encrypt(data)) == data
        assert KEY.decrypt(gmssl_pyx.sm2_encrypt(POINT[1:], data)) == data


def test_a_key_made_here_is_known_to_the_second_implementation() -> None:
    key = sm2.PrivateKey.generate()
    signature = gmssl_pyx.sm2_sign(key.scalar(), key.public.point[1:], b"m")
    assert key.public.verify(b"m", sm2.from_der(signature))


def test_a_signature_under_another_identifier_is_wrong() -> None:
    other = sm2.PrivateKey.from_scalar(SCALAR, identifier=b"ALICE123@YAHOO.COM")
    assert other.public.verify(MESSAGE, other.sign(MESSAGE))
    assert not KEY.public.verify(MESSAGE, other.sign(MESSAGE))
    theirs = sm2.from_der(gmssl_pyx.sm2_sign(SCALAR, POINT[1:], MESSAGE, b"ALICE123@YAHOO.COM"))
    assert other.public.verify(MESSAGE, theirs)
    assert not KEY.public.verify(MESSAGE, theirs)


@pytest.mark.parametrize("scalar", [0, sm2.ORDER - 1, sm2.ORDER, 2**256 - 1])
def test_a_scalar_out_of_range_is_refused(scalar: int) -> None:
    with pytest.raises(sm2.MalformedKey):
        sm2.PrivateKey.from_scalar(scalar.to_bytes(32))


def test_the_smallest_and_the_largest_scalar_sign() -> None:
    for scalar in (1, sm2.ORDER - 2):
        key = sm2.PrivateKey.from_scalar(scalar.to_bytes(32))
        assert key.public.verify(b"m", key.sign(b"m"))
        assert key.scalar() == scalar.to_bytes(32)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"0",
        sm2.to_der(SIGNATURE) + b"\0",
        sm2.to_der(SIGNATURE)[:-1],
        b"\x30\x81" + sm2.to_der(SIGNATURE)[1:],
        bytes.fromhex("3006020101020100"),
        bytes.fromhex("300702020001020101"),
        bytes.fromhex("3006020181020101"),
        bytes.fromhex("3082000402010102"),
    ],
)
def test_what_is_not_exactly_the_der_of_a_signature_is_refused(der: bytes) -> None:
    with pytest.raises(sm2.MalformedSignature):
        sm2.from_der(der)


def test_a_signature_survives_the_way_through_der() -> None:
    small = (1).to_bytes(32) + (0x80).to_bytes(32)
    for signature in (SIGNATURE, small):
        assert sm2.from_der(sm2.to_der(signature)) == signature


@pytest.mark.parametrize("place", range(0, 120, 7))
def test_a_changed_ciphertext_is_refused(place: int) -> None:
    blob = bytearray(KEY.public.encrypt(b"sixteen bytes!!!"))
    blob[place] ^= 1
    with pytest.raises(sm2.DecryptionFailed):
        KEY.decrypt(bytes(blob))


def test_nothing_cannot_be_encrypted() -> None:
    with pytest.raises(ValueError):
        KEY.public.encrypt(b"")


def test_one_key_signs_in_many_threads_at_once() -> None:
    messages = [str(number).encode() for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        signatures = list(threads.map(KEY.sign, messages))
        checks = list(threads.map(KEY.public.verify, messages, signatures))
    assert all(checks)


def test_a_private_key_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(KEY)
