"""Bulk equals one by one, what goes in comes out, and any change is seen."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from zhengka.formats import seal, sm2, sm3, sm4
from zhengka.formats.suites import SUITES

KEYS = st.binary(min_size=16, max_size=16)
MESSAGES = st.lists(st.binary(max_size=200), max_size=40)
RING = seal.KeyRing({7: b"k" * 32}, current=7)
ONE_KEY = sm2.PrivateKey.from_scalar(b"\x11" * 32)


@given(key=KEYS, messages=MESSAGES, cipher=st.sampled_from(["sm4", "aes"]))
@example(key=bytes(16), messages=[b"", b"", bytes(16), bytes(16), bytes(17)], cipher="sm4")
def test_cmacs_in_bulk_are_those_one_by_one(key: bytes, messages: list[bytes], cipher: sm4.CipherName) -> None:
    expected = [sm4.cmac(key, message, cipher=cipher) for message in messages]
    assert sm4.cmac_many(key, messages, cipher=cipher) == expected


@given(key=st.binary(max_size=100), messages=MESSAGES)
def test_hmacs_in_bulk_are_those_one_by_one(key: bytes, messages: list[bytes]) -> None:
    assert sm3.hmac_many(key, messages) == [sm3.hmac(key, message) for message in messages]


@given(values=MESSAGES, context=st.binary(max_size=30))
def test_a_sealed_column_opens_both_ways(values: list[bytes], context: bytes) -> None:
    sealed = seal.seal_many(RING, values, context=context)
    assert seal.open_many(RING, sealed, context=context) == values
    assert [seal.open_one(RING, each, context=context) for each in sealed] == values


@given(data=st.binary(max_size=120))
def test_no_bytes_but_sealed_ones_open(data: bytes) -> None:
    for column in ([data], [data] * 9):
        try:
            seal.open_many(RING, column, context=b"c")
        except seal.SealBroken:
            continue
        raise AssertionError("a forged value was opened")


@given(data=st.binary(max_size=80))
def test_a_der_parser_gives_back_exactly_its_input_or_refuses(data: bytes) -> None:
    try:
        signature = sm2.from_der(data)
    except sm2.MalformedSignature:
        return
    assert sm2.to_der(signature) == data


@given(r=st.integers(1, sm2.ORDER - 1), s=st.integers(1, sm2.ORDER - 1))
def test_every_pair_of_numbers_survives_der_and_is_answered(r: int, s: int) -> None:
    signature = r.to_bytes(32) + s.to_bytes(32)
    assert sm2.from_der(sm2.to_der(signature)) == signature
    assert ONE_KEY.public.verify(b"message", signature) is False


@settings(max_examples=30, deadline=None)
@given(message=st.binary(max_size=300), suite=st.sampled_from(sorted(SUITES)))
def test_signatures_and_ciphertexts_come_home(message: bytes, suite: str) -> None:
    key = SUITES[suite].generate()
    assert key.public.verify(message, key.sign(message))
    assert key.decrypt(key.public.encrypt(message + b"!")) == message + b"!"


@given(
    master=KEYS, factors=st.lists(st.binary(min_size=8, max_size=8), max_size=20), suite=st.sampled_from(sorted(SUITES))
)
def test_diversified_keys_in_bulk_are_those_one_by_one(master: bytes, factors: list[bytes], suite: str) -> None:
    family = SUITES[suite]
    expected = [family.ecb(master, factor + bytes(255 - byte for byte in factor)) for factor in factors]
    assert family.diversify(master, factors) == expected
