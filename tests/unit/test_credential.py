"""The credential in a card's code: its bytes, its one form, and what other people's tools make of it."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import cbor2
import gmssl_pyx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from issued import CARD, Issuer
from zhengka.formats import credential, qr
from zhengka.formats.credential import BadCredential, Credential
from zhengka.formats.sm2 import to_der
from zhengka.formats.suites import SUITES

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "credential.json").read_text("utf-8"))["vectors"]
BODY = slice(9, -64)


def fields_of(vector: dict) -> Credential:
    return Credential(
        bytes.fromhex(vector["token"]),
        date.fromisoformat(vector["issued"]),
        date.fromisoformat(vector["expires"]),
        vector["status_list"],
        vector["status_index"],
        vector["holder_class"],
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["suite"])
def test_a_payload_written_long_ago_still_reads_the_same(vector: dict) -> None:
    payload = bytes.fromhex(vector["payload"])
    sealed = credential.decode(payload)
    assert sealed.credential == fields_of(vector)
    assert (sealed.suite, sealed.key_id.hex()) == (vector["suite"], vector["key_id"])
    assert sealed.signed.hex() == vector["signed"]
    assert SUITES[vector["suite"]].public_key(bytes.fromhex(vector["point"])).verify(sealed.signed, sealed.signature)
    assert qr.to_text(payload, vector["base_url"]) == vector["text"]
    assert qr.from_text(vector["text"]) == payload


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["suite"])
def test_the_bytes_to_be_signed_are_those_of_the_vector(vector: dict) -> None:
    key_id = bytes.fromhex(vector["key_id"])
    made = credential.to_be_signed(fields_of(vector), suite=vector["suite"], key_id=key_id)
    assert made.hex() == vector["signed"]


@pytest.mark.parametrize("suite", SUITES)
def test_a_payload_has_about_a_hundred_bytes(suite: str) -> None:
    largest = Credential(bytes(12), date(2026, 11, 20), date(2036, 11, 19), 37, 2**20 - 1, 255)
    assert len(Issuer(suite).payload(largest)) == 102
    assert len(Issuer(suite).payload()) <= 100


@pytest.mark.parametrize("suite", SUITES)
def test_the_array_inside_is_ordinary_cbor(suite: str) -> None:
    body = Issuer(suite).payload()[BODY]
    assert cbor2.loads(body) == [CARD.token, 9820, 13472, 0, 5, 1]
    assert cbor2.dumps(cbor2.loads(body), canonical=True) == body


def test_a_cose_tool_checks_the_expanded_form_of_es256() -> None:
    issuer = Issuer("INTL")
    message = cbor2.loads(credential.to_cose(issuer.payload()))
    assert message.tag == 18
    protected, unprotected, payload, signature = message.value
    assert cbor2.loads(protected) == {1: -7, 3: credential.CONTENT_TYPE, 4: issuer.key.public.key_id}
    assert unprotected == {}
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), issuer.key.public.point)
    der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    point.verify(der, cbor2.dumps(["Signature1", protected, b"", payload]), ec.ECDSA(hashes.SHA256()))


def test_a_second_implementation_of_sm2_accepts_the_signature() -> None:
    issuer = Issuer("SM")
    protected, _, payload, signature = cbor2.loads(credential.to_cose(issuer.payload())).value
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    assert gmssl_pyx.sm2_verify(issuer.key.public.point[1:], signed, to_der(signature))


def test_many_payloads_are_signed_in_one_call_and_in_their_order() -> None:
    issuer = Issuer()
    calls: list[int] = []

    def sign_many(messages: list[bytes]) -> list[bytes]:
        calls.append(len(messages))
        return issuer.key.sign_many(messages)

    cards = [replace(CARD, status_index=index) for index in range(50)]
    payloads = credential.encode_many(cards, suite="SM", key_id=issuer.key.public.key_id, sign_many=sign_many)
    assert calls == [50]
    assert [credential.decode(payload).credential for payload in payloads] == cards


def test_a_signer_that_returns_too_few_signatures_is_noticed() -> None:
    with pytest.raises(ValueError, match="shorter"):
        credential.encode_many([CARD], suite="SM", key_id=bytes(8), sign_many=lambda messages: [])


@pytest.mark.parametrize(
    "change",
    [
        {"token": bytes(11)},
        {"token": bytes(13)},
        {"issued": date(1999, 12, 31)},
        {"expires": date(2026, 11, 19)},
        {"expires": date(2200, 1, 1)},
        {"status_list": -1},
        {"status_list": 2**32},
        {"status_index": -1},
        {"status_index": 2**20},
        {"holder_class": -1},
        {"holder_class": 256},
    ],
)
def test_values_out_of_range_make_no_credential(change: dict) -> None:
    with pytest.raises(BadCredential, match="credential-value"):
        replace(CARD, **change)


HEAD, TOKEN, TAIL = bytes.fromhex("11") + bytes(8), bytes.fromhex("864c") + bytes(12), bytes(64)
GOOD = bytes.fromhex("19265c") + bytes.fromhex("1934a0") + bytes.fromhex("000501")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "credential-length"),
        (bytes(91), "credential-length"),
        (bytes(110), "credential-length"),
        (bytes(1_000_000), "credential-length"),
        (b"\x00" + HEAD[1:] + TOKEN + GOOD + TAIL, "credential-profile"),
        (b"\x13" + HEAD[1:] + TOKEN + GOOD + TAIL, "credential-profile"),
        (HEAD + b"\x85" + TOKEN[1:] + GOOD + TAIL, "credential-shape"),
        (HEAD + b"\x9f" + TOKEN[1:] + GOOD[:-1] + b"\xff" + TAIL, "credential-shape"),
        (HEAD + b"\x86\x6c" + TOKEN[2:] + GOOD + TAIL, "credential-shape"),
        (HEAD + TOKEN + GOOD[:-1] + b"\x20" + TAIL, "credential-shape"),
        (HEAD + TOKEN + GOOD[:-1] + b"\xf4" + TAIL, "credential-shape"),
        (HEAD + TOKEN + GOOD[:-1] + b"\x40" + TAIL, "credential-shape"),
        (HEAD + TOKEN + GOOD[:-1] + b"\x1b" + bytes(7) + b"\x01" + TAIL, "credential-shape"),
        (HEAD + TOKEN + GOOD[:-1] + TAIL, "credential-shape"),
        (HEAD + TOKEN + GOOD[:-1] + b"\x18" + TAIL, "credential-shape"),
        (HEAD + TOKEN + GOOD[:-1] + b"\x18\x01" + TAIL, "credential-form"),
        (HEAD + TOKEN + GOOD[:-1] + b"\x18\x17" + TAIL, "credential-form"),
        (HEAD + TOKEN + GOOD[:-1] + b"\x19\x00\xff" + TAIL, "credential-form"),
        (HEAD + TOKEN + GOOD[:-1] + b"\x1a\x00\x00\xff\xff" + TAIL, "credential-form"),
        (HEAD + TOKEN + GOOD + b"\x00" + TAIL, "credential-trailing"),
        (HEAD + TOKEN + GOOD[:-1] + b"\x19\x01\x00" + TAIL, "credential-value"),
        (HEAD + TOKEN + GOOD[:3] + b"\x1a\xff\xff\xff\xff" + GOOD[6:] + TAIL, "credential-value"),
        (HEAD + TOKEN + GOOD[3:6] + GOOD[:3] + GOOD[6:] + TAIL, "credential-value"),
        (HEAD + TOKEN + GOOD[:7] + b"\x1a\x00\x10\x00\x00\x01" + TAIL, "credential-value"),
    ],
)
def test_anything_but_the_one_form_is_refused_with_its_own_reason(payload: bytes, code: str) -> None:
    with pytest.raises(BadCredential) as refusal:
        credential.decode(payload)
    assert refusal.value.code == code


def test_the_form_from_which_the_wrong_ones_were_made_is_itself_read() -> None:
    assert credential.decode(HEAD + TOKEN + GOOD + TAIL).credential.status_index == 5
