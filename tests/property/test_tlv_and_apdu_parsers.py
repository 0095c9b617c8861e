"""Whatever bytes come in, the parsers answer or raise their own error; what they read they write back alike."""

from hypothesis import given
from hypothesis import strategies as st

from zhengka.formats.apdu import (
    ApduBroken,
    Command,
    decode_command,
    decode_response,
    encode_command,
    encode_response,
)
from zhengka.formats.tlv import TlvBroken, decode, encode, encode_all, walk

BYTE = st.integers(0, 255)
TAGS = st.sampled_from([0x80, 0x83, 0x84, 0x5A, 0x6F, 0xA5, 0x9F08, 0x9F0C, 0xBF0C, 0x9F8101])
COMMANDS = st.builds(
    Command, st.integers(0, 254), BYTE, BYTE, BYTE, st.binary(max_size=255), st.none() | st.integers(1, 256)
)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_as_tlv_or_refused(data: bytes):
    try:
        objects = decode(data)
    except TlvBroken:
        return
    assert encode_all(list(objects)) == data


@given(st.binary(max_size=400))
def test_any_bytes_are_walked_or_refused(data: bytes):
    try:
        walk(data)
    except TlvBroken:
        return


@given(TAGS, st.binary(max_size=700))
def test_a_written_object_reads_back(tag: int, value: bytes):
    assert decode(encode(tag, value)) == [(tag, value)]


@given(COMMANDS)
def test_a_written_command_reads_back(command: Command):
    assert decode_command(encode_command(command)) == command


@given(st.binary(max_size=270))
def test_any_bytes_are_read_as_a_command_or_refused(data: bytes):
    try:
        command = decode_command(data)
    except ApduBroken:
        return
    assert encode_command(command) == data


@given(st.binary(max_size=270))
def test_any_bytes_are_read_as_an_answer_or_refused(data: bytes):
    try:
        response = decode_response(data)
    except ApduBroken:
        return
    assert encode_response(response) == data
