"""BER-TLV: known encodings of ISO/IEC 7816-4, and what is refused."""

import pytest

from zhengka.formats.tlv import (
    TlvBroken,
    decode,
    encode,
    encode_all,
    encode_length,
    find,
    is_constructed,
    walk,
)

LENGTHS = [(0x00, "00"), (0x7F, "7F"), (0x80, "8180"), (0xFF, "81FF"), (0x0100, "820100"), (0xFFFF, "82FFFF")]

# The FCI that a transit card of JT/T 978 answers to SELECT (facts, section 4.2; the label is left out there).
TRANSIT_FCI = bytes.fromhex(
    "6F31 8408A000000632010105 A525 9F080102 9F0C1E 01011000FFFFFFFF 02 01 03104301000012345678"
    "20190806 20401231 0000".replace(" ", "")
)

BROKEN = [
    ("8405AABB", "truncated"),
    ("84", "truncated"),
    ("9F", "truncated"),
    ("9F0C", "truncated"),
    ("848100", "bad-length"),
    ("84817F", "bad-length"),
    ("84820080", "bad-length"),
    ("8480", "bad-length"),
    ("8483000001AA", "bad-length"),
    ("84820100", "truncated"),
    ("8481", "truncated"),
    ("0000", "bad-tag"),
    ("FF00", "bad-tag"),
    ("9F800100", "bad-tag"),
    ("9F81818100", "bad-tag"),
]


@pytest.mark.parametrize(("size", "spelled"), LENGTHS)
def test_a_length_takes_its_shortest_form(size: int, spelled: str):
    assert encode_length(size).hex().upper() == spelled


def test_a_length_past_two_bytes_is_refused():
    with pytest.raises(TlvBroken, match="too-long"):
        encode_length(0x10000)


@pytest.mark.parametrize(("text", "code"), BROKEN)
def test_a_broken_object_is_refused_by_name(text: str, code: str):
    with pytest.raises(TlvBroken) as refused:
        decode(bytes.fromhex(text))
    assert refused.value.code == code


def test_a_data_object_longer_than_any_of_ours_is_refused():
    with pytest.raises(TlvBroken, match="too-long"):
        decode(bytes(70_000))


def test_the_answer_of_a_transit_card_is_read():
    assert find(TRANSIT_FCI, 0x6F, 0x84).hex().upper() == "A000000632010105"
    assert find(TRANSIT_FCI, 0x6F, 0xA5, 0x9F08) == b"\x02"
    assert len(find(TRANSIT_FCI, 0x6F, 0xA5, 0x9F0C)) == 30


def test_a_missing_object_is_said_to_be_missing():
    with pytest.raises(TlvBroken, match="missing"):
        find(TRANSIT_FCI, 0x6F, 0x50)


def test_the_paths_of_a_template_come_parents_first():
    assert walk(TRANSIT_FCI) == [
        (0x6F,),
        (0x6F, 0x84),
        (0x6F, 0xA5),
        (0x6F, 0xA5, 0x9F08),
        (0x6F, 0xA5, 0x9F0C),
    ]


def test_templates_nested_too_deep_are_refused():
    nested = b""
    for _ in range(9):
        nested = encode(0x30, nested)
    with pytest.raises(TlvBroken, match="too-deep"):
        walk(nested)


def test_a_tag_tells_whether_it_holds_other_objects():
    assert is_constructed(0x6F) and is_constructed(0xBF0C)
    assert not is_constructed(0x84) and not is_constructed(0x9F0C)


def test_several_objects_are_written_one_after_the_other():
    assert encode_all([(0x83, b"\x00\x15"), (0x80, b"\x20")]).hex() == "83020015800120"


@pytest.mark.parametrize("tag", [0, -1, 0x1F, 0x9F80, 0x8483, 0xFF, 0x9F818181])
def test_a_tag_that_no_card_could_read_is_never_written(tag: int):
    with pytest.raises(TlvBroken, match=r"bad-tag|truncated"):
        encode(tag, b"")
