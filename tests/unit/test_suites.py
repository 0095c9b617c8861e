"""Both suites answer the same questions in the same form."""

import json
import pickle
from pathlib import Path

import pytest

from zhengka.formats.suites import (
    SUITES,
    DecryptionFailed,
    MalformedKey,
    MalformedSignature,
    PublicKey,
    SigningKey,
    Suite,
)

VECTORS = Path(__file__).parents[1] / "vectors"
KNOWN = json.loads((VECTORS / "suites.json").read_text())
DIVERSIFIED = json.loads((VECTORS / "diversify.json").read_text())
MASTER = bytes.fromhex(DIVERSIFIED["master"])


@pytest.fixture(params=["SM", "INTL"])
def suite(request: pytest.FixtureRequest) -> Suite:
    return SUITES[request.param]


def known(suite: Suite, name: str) -> bytes:
    return bytes.fromhex(KNOWN[suite.name][name])


@pytest.fixture
def key(suite: Suite) -> SigningKey:
    return suite.private_key(known(suite, "scalar"))


def test_the_known_signature_fits_and_no_changed_one_does(suite: Suite, key: SigningKey) -> None:
    message, signature = known(suite, "message"), known(suite, "signature")
    public = suite.public_key(known(suite, "point"))
    assert public == key.public
    assert public.verify(message, signature)
    assert not public.verify(message + b"!", signature)
    for place in range(64):
        changed = bytearray(signature)
        changed[place] ^= 1
        assert not public.verify(message, bytes(changed))


def test_own_signatures_fit_in_order(key: SigningKey) -> None:
    messages = [bytes([number]) * number for number in range(20)]
    signatures = key.sign_many(messages)
    assert all(map(key.public.verify, messages, signatures))
    assert not key.public.verify(messages[1], signatures[2])
    assert {len(signature) for signature in signatures} == {64}
    assert key.sign_many([]) == []


def malformed(order: bytes) -> list[bytes]:
    one, zero, top = bytes(31) + b"\1", bytes(32), b"\xff" * 32
    return [b"", bytes(64), one + zero, zero + one, order + one, one + order, one + top, bytes(63), bytes(65)]


def test_what_can_be_nobodys_signature_is_refused_as_malformed(suite: Suite, key: SigningKey) -> None:
    for signature in malformed(known(suite, "order")):
        with pytest.raises(MalformedSignature):
            key.public.verify(b"message", signature)


def test_what_is_not_a_point_of_the_curve_is_refused(suite: Suite, key: SigningKey) -> None:
    point = key.public.point
    off_curve = point[:-1] + bytes([point[-1] ^ 1])
    compressed = bytes([2 + point[-1] % 2]) + point[1:33]
    for bad in (b"", b"\4", point[:-1], point + b"\0", off_curve, compressed, b"\5" + point[1:], b"\4" + b"\xff" * 64):
        with pytest.raises(MalformedKey):
            suite.public_key(bad)


def test_a_point_of_the_other_suite_is_refused(suite: Suite, key: SigningKey) -> None:
    [other] = [each for each in SUITES.values() if each is not suite]
    with pytest.raises(MalformedKey):
        other.public_key(key.public.point)


def test_a_scalar_out_of_range_is_refused(suite: Suite) -> None:
    for scalar in (bytes(32), known(suite, "order"), b"\xff" * 32, b"\1", bytes(33)):
        with pytest.raises(MalformedKey):
            suite.private_key(scalar)


def test_new_keys_differ_and_come_back_from_their_scalar(suite: Suite) -> None:
    first, second = suite.generate(), suite.generate()
    assert first.public != second.public
    assert suite.private_key(first.scalar()).public == first.public


def test_the_key_id_is_the_beginning_of_the_digest_of_the_point(suite: Suite, key: SigningKey) -> None:
    assert key.public.key_id == suite.digest(key.public.point)[:8]


def test_what_is_encrypted_to_a_key_only_that_key_opens(suite: Suite, key: SigningKey) -> None:
    blob = key.public.encrypt(b"a card's master key")
    assert key.decrypt(blob) == b"a card's master key"
    for broken in (blob[:-1], blob[:-1] + bytes([blob[-1] ^ 1]), b"", blob[:40], b"\0" + blob[1:]):
        with pytest.raises(DecryptionFailed):
            key.decrypt(broken)
    with pytest.raises(DecryptionFailed):
        suite.generate().decrypt(blob)


def test_nothing_cannot_be_encrypted(key: SigningKey) -> None:
    with pytest.raises(ValueError):
        key.public.encrypt(b"")


def test_diversified_keys_are_those_of_the_openssl_program(suite: Suite) -> None:
    keys = DIVERSIFIED["suites"][suite.name]["keys"]
    made = suite.diversify(MASTER, [bytes.fromhex(factor) for factor in keys])
    assert [key.hex().upper() for key in made] == list(keys.values())


def test_levels_of_diversification_chain(suite: Suite) -> None:
    region, card = (bytes.fromhex(factor) for factor in DIVERSIFIED["chained_factors"])
    [middle] = suite.diversify(MASTER, [region])
    [key] = suite.diversify(middle, [card])
    assert key.hex().upper() == DIVERSIFIED["suites"][suite.name]["chain"]


def test_a_factor_of_another_length_is_refused(suite: Suite) -> None:
    with pytest.raises(ValueError):
        suite.diversify(MASTER, [bytes(8), bytes(7), bytes(9)])


def test_no_secret_is_seen_in_a_repr_and_no_key_travels_in_a_pickle(suite: Suite, key: SigningKey) -> None:
    secret = key.scalar()
    shown = f"{key!r} {key} {key.public!r} {suite!r} {vars(key)!r}"
    assert secret.hex() not in shown.lower()
    assert str(int.from_bytes(secret)) not in shown
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(key)


def test_public_keys_are_equal_when_suite_and_point_are(suite: Suite, key: SigningKey) -> None:
    again: PublicKey = suite.public_key(key.public.point)
    assert again == key.public
    assert len({again, key.public, suite.generate().public}) == 2
