"""Short APDUs: the four cases, status words, and what is refused."""

import pytest

from zhengka.formats.apdu import (
    ApduBroken,
    Command,
    Response,
    decode_command,
    decode_response,
    encode_command,
    encode_response,
    status_text,
)

# Commands that public card code sends (facts, section 4.2).
KNOWN = [
    ("00A404000E315041592E5359532E4444463031", Command(0x00, 0xA4, 4, 0, b"1PAY.SYS.DDF01")),
    ("0084000004", Command(0x00, 0x84, 0, 0, le=4)),
    ("800E000000", Command(0x80, 0x0E, 0, 0, le=256)),
    ("00A4000002EF05", Command(0x00, 0xA4, 0, 0, b"\xef\x05")),
    ("00B095001E", Command(0x00, 0xB0, 0x95, 0, le=30)),
    ("805C000204", Command(0x80, 0x5C, 0, 2, le=4)),
    ("0088000008010203040506070800", Command(0x00, 0x88, 0, 0, bytes(range(1, 9)), 256)),
    ("80EA0000", Command(0x80, 0xEA, 0, 0)),
]

BROKEN_COMMANDS = [
    "",
    "00A404",
    "FFCA000000",
    "00A4040000EE",
    "00A4000003EF05",
    "00A4000001EF0500",
    "00D6000000000102",
]


@pytest.mark.parametrize(("text", "command"), KNOWN)
def test_known_commands_are_read_and_written_alike(text: str, command: Command):
    assert decode_command(bytes.fromhex(text)) == command
    assert encode_command(command).hex().upper() == text


@pytest.mark.parametrize("text", BROKEN_COMMANDS)
def test_a_broken_command_is_refused(text: str):
    with pytest.raises(ApduBroken):
        decode_command(bytes.fromhex(text))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (Command(0, 0xD6, 0, 0, bytes(256)), "too-long"),
        (Command(0, 0xB0, 0, 0, le=0), "bad-le"),
        (Command(0, 0xB0, 0, 0, le=257), "bad-le"),
        (Command(0, 0xB0, 256, 0), "bad-header"),
        (Command(0, -1, 0, 0), "bad-header"),
    ],
)
def test_a_command_that_has_no_short_form_is_not_written(command: Command, code: str):
    with pytest.raises(ApduBroken) as refused:
        encode_command(command)
    assert refused.value.code == code


def test_an_answer_splits_into_data_and_status():
    assert decode_response(bytes.fromhex("01029000")) == Response(b"\x01\x02", 0x9000)
    assert encode_response(Response(b"", 0x6A82)) == bytes.fromhex("6A82")


@pytest.mark.parametrize("text", ["", "90", "0102", "6000", "7000", "00" * 257 + "9000"])
def test_a_broken_answer_is_refused(text: str):
    with pytest.raises(ApduBroken):
        decode_response(bytes.fromhex(text))


@pytest.mark.parametrize("response", [Response(bytes(257), 0x9000), Response(b"", 0x6000), Response(b"", 0x19000)])
def test_an_answer_that_no_card_gives_is_not_written(response: Response):
    with pytest.raises(ApduBroken):
        encode_response(response)


@pytest.mark.parametrize(
    ("sw", "words"),
    [
        (0x9000, "done"),
        (0x63C2, "authentication failed, 2 tries left"),
        (0x6110, "done, 16 more bytes to fetch"),
        (0x6C00, "wrong Le, 256 bytes are there"),
        (0x6A82, "file or application not found"),
        (0x6FF1, "status 6FF1"),
    ],
)
def test_a_status_word_is_told_in_plain_words(sw: int, words: str):
    assert status_text(sw) == words
