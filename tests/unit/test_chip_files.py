"""Files of the software chip: records, cycles, short identifiers, directories, and how much fits."""

import pytest

from made_cards import KEK, UID
from zhengka.formats.apdu import Command, decode_response, encode_command
from zhengka.formats.chip import SoftCard, asking, directory
from zhengka.formats.chip.layout import CAPACITIES
from zhengka.formats.chip.memory import CYCLIC, LINEAR_FIXED, LINEAR_VARIABLE, OVERHEAD
from zhengka.formats.chip.profile import Key
from zhengka.formats.chip.secure import answer, protect, put_key_many
from zhengka.formats.suites import SM
from zhengka.formats.tlv import encode, encode_all, find

NAME = bytes.fromhex("A000000632010105")
MAINTENANCE = Key(2, "maintenance", 1, 10)
READER = Key(3, "reader", 1, 15)
PLAIN = b"\x00\x00"


def blank(capacity: int = 8192) -> SoftCard:
    return SoftCard(uid=UID, kek=KEK, suite=SM, capacity=capacity)


def ask(card: SoftCard, command: bytes) -> tuple[bytes, int]:
    return decode_response(card.transmit(command))


def done(card: SoftCard, *commands: bytes) -> bytes:
    answers = [ask(card, command) for command in commands]
    assert {sw for _, sw in answers} <= {0x9000}, answers
    return answers[-1][0] if answers else b""


def keyed(key: Key, value: bytes) -> bytes:
    return put_key_many(SM, KEK, key, [value])[0]


def with_file(create: bytes, *more: bytes) -> SoftCard:
    card = blank()
    done(card, asking.create_application(NAME, b"\xdf\x02"), create, *more)
    return card


def trips(rights: bytes = PLAIN) -> bytes:
    return asking.create_records(b"\x00\x1e", CYCLIC, size=4, most=3, rights=rights)


def test_records_of_a_linear_file_are_read_by_number_or_from_a_number_on():
    card = with_file(asking.create_records(b"\x00\x05", LINEAR_VARIABLE, size=40, most=3, rights=PLAIN))
    done(card, asking.append_record(5, b"first"), asking.append_record(5, b"second"))
    assert done(card, asking.read_record(5, 2)) == b"second"
    assert done(card, bytes.fromhex("00B2012D00")) == b"firstsecond"
    assert done(card, asking.read_record(0, 1, size=5)) == b"first"
    assert done(card, asking.update_record(5, 1, b"changed"), asking.read_record(5, 1)) == b"changed"


def test_a_cyclic_file_keeps_the_newest_first_and_forgets_the_oldest():
    card = with_file(trips())
    for word in (b"one.", b"two.", b"thre"):
        done(card, asking.append_record(0x1E, word))
    done(card, asking.update_record(0x1E, 0, b"four"))
    assert [done(card, asking.read_record(0x1E, number)) for number in (1, 2, 3)] == [b"four", b"thre", b"two."]
    assert ask(card, asking.read_record(0x1E, 4))[1] == 0x6A83


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (asking.read_record(5, 0), 0x6A83),
        (asking.read_record(5, 2), 0x6A83),
        (asking.read_record(5, 1, size=5), 0x6C04),
        (asking.read_record(6, 1), 0x6A82),
        (bytes.fromhex("00B201FC00"), 0x6A86),
        (bytes.fromhex("00B2012A00"), 0x6A86),
        (bytes.fromhex("00B2012C"), 0x6700),
        (asking.update_record(5, 2, b"abcd"), 0x6A83),
        (asking.update_record(5, 1, b"abc"), 0x6700),
        (asking.update_record(5, 0, b"abcd"), 0x6981),
        (bytes.fromhex("00DC012D0461626364"), 0x6A86),
        (asking.append_record(5, b"abcde"), 0x6700),
        (bytes.fromhex("00E2012804") + b"abcd", 0x6A86),
        (asking.read_binary(5), 0x6981),
        (asking.create_records(b"\x00\x06", 0x03, size=4, most=2, rights=PLAIN), 0x6A80),
        (asking.create_records(b"\x00\x06", LINEAR_FIXED, size=4, most=0, rights=PLAIN), 0x6A80),
        (asking.create_records(b"\x00\x06", LINEAR_FIXED, size=4, most=2, rights=PLAIN, sfi=5), 0x6A89),
        (asking.create_records(b"\x00\x05", LINEAR_FIXED, size=4, most=2, rights=PLAIN), 0x6A89),
    ],
)
def test_a_record_command_out_of_place_has_its_own_status_word(command: bytes, status: int):
    create = asking.create_records(b"\x00\x05", LINEAR_FIXED, size=4, most=2, rights=PLAIN)
    card = with_file(create, asking.append_record(5, b"abcd"))
    assert ask(card, command)[1] == status


def test_a_full_linear_file_takes_no_more_records():
    card = with_file(asking.create_records(b"\x00\x05", LINEAR_FIXED, size=4, most=1, rights=PLAIN))
    done(card, asking.append_record(5, b"abcd"))
    assert ask(card, asking.append_record(5, b"abcd"))[1] == 0x6A84


def test_a_short_identifier_reads_and_selects_without_a_select():
    card = with_file(asking.create_transparent(b"\x2f\x01", 300, PLAIN, sfi=9))
    done(card, encode_command(Command(0x00, 0xD6, 0x89, 250, b"hello")))
    assert done(card, asking.read_binary(9, offset=250, size=5)) == b"hello"
    assert done(card, bytes.fromhex("00B000FA05")) == b"hello"
    assert ask(card, asking.read_binary(1))[1] == 0x6A82


def test_a_file_made_with_no_short_identifier_has_none():
    card = with_file(asking.create_transparent(b"\x00\x15", 30, PLAIN, sfi=0))
    assert ask(card, asking.read_binary(0x15))[1] == 0x6A82


def test_a_file_says_how_it_was_made():
    card = with_file(trips(b"\x00\x02"), keyed(MAINTENANCE, bytes(16)))
    told = done(card, bytes.fromhex("00A4000402001E"))
    assert find(told, 0x62, 0x82) == bytes([CYCLIC, 0x21, 0, 4, 3])
    assert (find(told, 0x62, 0x86), find(told, 0x62, 0x88)) == (b"\x00\x02", b"\xf0")


def test_records_keep_to_the_rights_of_their_file():
    keys = [bytes([number]) * 16 for number in (2, 3)]
    card = with_file(trips(b"\x03\x02"), keyed(MAINTENANCE, keys[0]), keyed(READER, keys[1]), bytes.fromhex("80EA0000"))
    assert ask(card, asking.read_record(0x1E, 1))[1] == 0x6982
    assert ask(card, asking.append_record(0x1E, b"trip"))[1] == 0x6987
    plain = Command(0x00, 0xE2, 0, 0x1E << 3, b"trip")
    done(card, protect(SM, keys[0], done(card, bytes.fromhex("0084000008")), plain))
    proof = answer(SM, keys[1], done(card, bytes.fromhex("0084000008")))
    done(card, encode_command(Command(0x00, 0x82, 0, 3, proof)))
    assert done(card, asking.read_record(0x1E, 1)) == b"trip"


def test_a_file_that_asks_for_it_takes_enciphered_data_only():
    key, size = bytes(range(16)), 16
    create = asking.create_transparent(b"\x00\x16", size, b"\x00\x22")
    card = with_file(create, keyed(MAINTENANCE, key), bytes.fromhex("80EA0000"))
    command = Command(0x00, 0xD6, 0x96, 0, b"personal")

    def challenge() -> bytes:
        return done(card, bytes.fromhex("0084000008"))

    for clear in (b"personal", bytes(16)):
        assert ask(card, protect(SM, key, challenge(), command._replace(data=clear)))[1] == 0x6988
    assert done(card, asking.read_binary(0x16)) == bytes(size)
    sealed = protect(SM, key, challenge(), command, cipher=True)
    assert b"personal" not in sealed
    done(card, sealed)
    assert done(card, asking.read_binary(0x16, size=8)) == b"personal"


def test_the_fci_of_an_application_repeats_the_file_that_it_names():
    public = bytes(range(30))
    card = blank()
    about = encode(0x9F08, b"\x02")
    done(
        card,
        asking.create_application(NAME, b"\xdf\x02", about=about, extension=b"\x00\x15"),
        asking.create_transparent(b"\x00\x15", 30, PLAIN),
        encode_command(Command(0x00, 0xD6, 0x95, 0, public)),
    )
    told = done(card, asking.select_application(NAME))
    assert told == encode(0x6F, encode_all([(0x84, NAME), (0xA5, about + encode(0x9F0C, public))]))


def test_the_fci_never_repeats_a_file_that_is_not_free_to_read():
    card = blank()
    done(
        card,
        asking.create_application(NAME, b"\xdf\x02", extension=b"\x00\x16"),
        asking.create_transparent(b"\x00\x16", 30, b"\x03\xff"),
        encode_command(Command(0x00, 0xD6, 0x96, 0, b"personal")),
    )
    assert b"personal" not in done(card, asking.select_application(NAME))


ENTRIES = [directory.Entry(NAME, "MOT_T_EP", 2), directory.Entry(bytes.fromhex("F05A48454E474B4101"), "ZHENGKA", 1)]


@pytest.mark.parametrize("make", [directory.pse, directory.ppse])
def test_a_reader_finds_the_applications_by_either_directory(make):
    card = blank()
    done(card, *make(ENTRIES))
    assert directory.applications(card) == [ENTRIES[1], ENTRIES[0]]


def test_a_card_without_directory_lists_nothing():
    assert directory.applications(blank()) == []


def test_several_applications_keep_their_files_and_proofs_apart():
    card, other = blank(), bytes.fromhex("F05A48454E474B4102")
    for place, name in enumerate((NAME, other), 1):
        done(card, asking.create_application(name, bytes([0xDF, place])))
        done(card, asking.create_transparent(b"\0\x15", 8, PLAIN))
        done(card, encode_command(Command(0x00, 0xD6, 0x95, 0, bytes([place]) * 8)))
    assert done(card, asking.select_application(NAME), asking.read_binary(0x15)) == b"\1" * 8
    assert done(card, bytes.fromhex("00A4000C02DF02"), asking.read_binary(0x15)) == b"\2" * 8


@pytest.mark.parametrize("enter", ["00A404000941303030303030303100", "00A4000C02DF01", "00A4010C02DF01"])
def test_who_is_proven_in_one_application_is_nobody_in_another(enter: str):
    card, names = blank(), [b"A00000001", b"A00000002"]
    for place, name in enumerate(names, 1):
        done(card, asking.create_application(name, bytes([0xDF, place])))
        done(card, asking.create_transparent(b"\0\x16", 8, b"\x03\xff"), keyed(READER, bytes([place]) * 16))
    done(card, bytes.fromhex("80EA0000"))
    proof = answer(SM, b"\2" * 16, done(card, bytes.fromhex("0084000008")))
    done(card, encode_command(Command(0x00, 0x82, 0, 3, proof)), asking.read_binary(0x16))
    done(card, bytes.fromhex(enter))
    assert ask(card, asking.read_binary(0x16))[1] == 0x6982


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_a_chip_takes_what_fits_and_not_a_byte_more(capacity: int):
    card, taken = blank(capacity), OVERHEAD
    done(card, asking.create_application(NAME, b"\xdf\x02"))
    place = 0
    while capacity - taken > 2 * (0x7FFF + OVERHEAD):
        place, taken = place + 1, taken + 0x7FFF + OVERHEAD
        done(card, asking.create_transparent(bytes([1, place]), 0x7FFF, PLAIN))
    half = (capacity - taken) // 2 - OVERHEAD
    done(card, asking.create_transparent(b"\x02\x01", half, PLAIN))
    rest = card.free - OVERHEAD
    assert ask(card, asking.create_transparent(b"\x02\x02", rest + 1, PLAIN))[1] == 0x6A84
    done(card, asking.create_transparent(b"\x02\x02", rest, PLAIN))
    assert card.free == 0
