"""The log of a gate: one form for each event, and what of an upload is taken for one."""

import hashlib
import json
from pathlib import Path

import pytest

from zhengka.formats import es256, gatelog
from zhengka.formats.gatelog import BadEvent, Signed
from zhengka.formats.suites import INTL, MalformedKey

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "gatelog.json").read_text("utf-8"))
VECTORS = FILE["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["kind"])
def test_an_event_written_long_ago_still_reads_the_same(vector):
    [line] = gatelog.from_lines(vector["line"].encode())
    assert line is not None
    assert (line.text, line.digest.hex(), line.to_line()) == (vector["text"], vector["digest"], vector["line"])
    line.check(INTL.public_key(bytes.fromhex(vector["point"])))
    event = gatelog.read(line.text)
    assert (event.kind, event.seq) == (vector["kind"], vector["seq"])
    assert line.place() == (event.gate, event.seq)
    assert gatelog.write(event) == line.text


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["kind"])
def test_an_event_is_json_in_the_order_in_which_javascript_writes_it(vector):
    assert json.dumps(json.loads(vector["text"]), separators=(",", ":")) == vector["text"]


@pytest.mark.parametrize("bad", FILE["bad"], ids=lambda bad: bad["why"])
def test_what_is_no_event_is_refused_by_name(bad):
    with pytest.raises(BadEvent) as no:
        gatelog.read(bad["text"])
    assert no.value.code == bad["code"]


def test_no_letter_of_an_event_can_be_changed():
    vector = VECTORS[0]
    key = INTL.public_key(bytes.fromhex(vector["point"]))
    [line] = gatelog.from_lines(vector["line"].encode())
    for place in range(len(line.text)):
        changed = line.text[:place] + chr(ord(line.text[place]) ^ 1) + line.text[place + 1:]
        with pytest.raises(BadEvent, match="event-signature"):
            Signed(changed, line.signature).check(key)
    with pytest.raises(BadEvent, match="event-signature"):
        Signed(line.text, bytes(64)).check(key)


def test_a_line_that_is_none_holds_up_no_other_one():
    good = VECTORS[0]["line"].encode()
    found = gatelog.from_lines(b"\n".join([good, b"", b"\xff\xfe", good[:-1], good + b"A", good]))
    assert [line is not None for line in found] == [True, False, False, False, False, True]
    assert gatelog.from_lines(b"") == []


def test_an_upload_has_an_end():
    with pytest.raises(BadEvent, match="upload-too-long"):
        gatelog.from_lines(b"x\n" * (gatelog.MOST_LINES + 1))


def test_an_event_holds_nothing_of_a_person_but_a_pseudonym_of_one_month():
    told = set(json.loads(VECTORS[1]["text"]))
    assert told == {"v", "gate", "seq", "kind", "at", "operator", "venue", "service", "rule", "gives", "companions",
                    "subject", "voucher", "from", "until", "proof", "code", "list"}
    assert len(json.loads(VECTORS[1]["text"])["subject"]) == 32


def test_many_signatures_are_judged_as_one_by_one():
    key, other = INTL.generate(), INTL.generate()
    messages = [b"message %d" % number for number in range(20)]
    digests = [hashlib.sha256(message).digest() for message in messages]
    signed = list(zip(digests, key.sign_many(messages), strict=True))
    signed[3] = (digests[3], other.sign(messages[3]))
    signed[5] = (digests[5], bytes(64))
    signed[7] = (digests[7], b"\xff" * 64)
    signed[9] = (digests[9], signed[9][1][:63])
    told = es256.check_many(key.public.point, signed)
    assert [number for number, good in enumerate(told) if not good] == [3, 5, 7, 9]
    with pytest.raises(MalformedKey):
        es256.check_many(b"\x04" + bytes(64), signed)
