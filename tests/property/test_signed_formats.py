"""Signed formats under random input: one form only, and nothing but the named errors escapes."""

import io
import json
from contextlib import suppress
from datetime import date, timedelta

import cbor2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from issued import NOON, Issuer
from zhengka.formats import credential, qr, statuslist, verdict
from zhengka.formats.credential import BadCredential, BadKeySet, Credential, KeySet
from zhengka.formats.qr import BadQr
from zhengka.formats.statuslist import BadStatusList

ISSUER = Issuer()
PAYLOAD = ISSUER.payload()
LIST = ISSUER.list_bytes([(5, 2)])
KEYS = ISSUER.keys
CREDENTIALS = st.builds(
    lambda token, days, number, index, holder_class: Credential(token, *sorted(days), number, index, holder_class),
    st.binary(min_size=12, max_size=12),
    st.tuples(st.dates(date(2000, 1, 1), date(2199, 12, 31)), st.dates(date(2000, 1, 1), date(2199, 12, 31))),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**20 - 1),
    st.integers(0, 255),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["format", "keys"]), inner),
    max_leaves=10,
)


@st.composite
def damaged(draw: st.DrawFn, original: bytes) -> bytes:
    """The original with some bytes replaced, removed or added."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data)))
        data[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


PICTURES = [qr.png(qr.to_text(PAYLOAD, "https://a"), 2)]
with io.BytesIO() as jpeg:
    Image.open(io.BytesIO(PICTURES[0])).convert("L").save(jpeg, "JPEG")
    PICTURES.append(jpeg.getvalue())


@given(CREDENTIALS, st.binary(min_size=8, max_size=8), st.binary(min_size=64, max_size=64))
def test_a_credential_survives_being_written_and_read(made: Credential, key_id: bytes, signature: bytes) -> None:
    for suite in ("SM", "INTL"):
        payload = credential.encode_many([made], suite=suite, key_id=key_id, sign_many=lambda _: [signature])[0]
        sealed = credential.decode(payload)
        assert (sealed.credential, sealed.suite, sealed.key_id, sealed.signature) == (made, suite, key_id, signature)
        assert cbor2.loads(sealed.body)[0] == made.token
        assert qr.from_text(qr.to_text(payload, "https://a")) == payload


@given(st.binary(max_size=130) | damaged(PAYLOAD))
def test_what_is_read_has_one_form_only(payload: bytes) -> None:
    try:
        sealed = credential.decode(payload)
    except BadCredential as bad:
        assert bad.code in credential.REASONS
    else:
        again = credential.encode_many(
            [sealed.credential], suite=sealed.suite, key_id=sealed.key_id, sign_many=lambda _: [sealed.signature]
        )
        assert again == [payload]


@given(damaged(PAYLOAD))
def test_a_damaged_payload_is_never_accepted(payload: bytes) -> None:
    if 0 < len(payload) <= qr.LONGEST_PAYLOAD and payload != PAYLOAD:
        assert ISSUER.decide(payload).colour == "red"


@given(st.text() | st.text("0123456789", max_size=700) | st.text("HTPS:/.V0123456789 ", max_size=100))
def test_any_text_gets_a_verdict(text: str) -> None:
    answer = verdict.decide(text, keys=KEYS, lists={}, at=NOON, max_age=timedelta(hours=1))
    assert answer.code == "not-our-code"
    with suppress(BadQr):
        qr.from_text(text)


@given(st.binary(min_size=1, max_size=qr.LONGEST_PAYLOAD))
def test_any_payload_survives_its_text(payload: bytes) -> None:
    text = qr.to_text(payload, "http://127.0.0.1:8000")
    assert qr.from_text(text) == qr.from_text(text.lower()) == payload


@given(st.binary(max_size=200) | damaged(LIST))
def test_a_damaged_status_list_is_never_accepted(data: bytes) -> None:
    try:
        statuslist.parse(data, keys=KEYS, at=NOON)
    except BadStatusList as bad:
        assert bad.code in statuslist.REASONS
    else:
        assert data == LIST


@given(st.dictionaries(st.integers(0, 999), st.integers(0, 3)), st.integers(1000, 2000))
@settings(max_examples=30)
def test_a_status_list_says_what_was_put_in(changed: dict[int, int], capacity: int) -> None:
    data = ISSUER.list_bytes(changed.items(), capacity=capacity)
    known = statuslist.parse(data, keys=KEYS, at=NOON)
    assert [known.status(index) for index in range(capacity)] == [changed.get(index, 0) for index in range(capacity)]


@given(st.lists(st.integers(0, 2**52 - 1), max_size=5), st.binary(min_size=16, max_size=40))
@settings(max_examples=30)
def test_the_place_of_a_card_in_bulk_is_that_one_by_one(numbers: list[int], key: bytes) -> None:
    lists, indexes = statuslist.indexes_for(np.array(numbers, dtype=np.int64), key)
    pairs = list(zip(lists.tolist(), indexes.tolist(), strict=True))
    assert pairs == [statuslist.index_for(number, key) for number in numbers]


@given(st.text() | JSON.map(json.dumps) | damaged(KEYS.to_json().encode()))
def test_what_is_no_set_of_keys_is_refused(text: str | bytes) -> None:
    try:
        loaded = KeySet.from_json(text)
    except BadKeySet:
        return
    assert KeySet.from_json(loaded.to_json()).to_json() == loaded.to_json()


@given(st.binary(max_size=100) | st.sampled_from(PICTURES).flatmap(damaged))
@settings(max_examples=200)
def test_a_damaged_picture_is_read_or_refused(image: bytes) -> None:
    with suppress(BadQr):
        assert all(isinstance(text, str) for text in qr.read_image(image))
