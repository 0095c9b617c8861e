"""Orders on issued cards: done once or many times, on this card only, cut anywhere, and vouched for by the card."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from made_cards import (
    card_keys,
    finished_card,
    make_keys,
    make_profile,
    make_records,
    whole_profile,
)
from zhengka.formats.apdu import decode_command, decode_response
from zhengka.formats.chip import (
    Finding,
    PowerCut,
    Profile,
    SoftCard,
    asking,
    gate,
    lint_order,
)
from zhengka.formats.chip.applying import CODES, Applied, CardKeys, all_vouched, apply, read, spell
from zhengka.formats.chip.layout import Key
from zhengka.formats.chip.orders import (
    KINDS,
    Lock,
    Order,
    OrderBroken,
    Write,
    activate,
    block,
    pin,
    update,
    upgrade,
)

WHOLE = whole_profile()
RECORD, OTHER = make_records(2)
UNTIL = dt.date(2020, 6, 30)
MOVED = RECORD | {"name": "买买提·木", "grade": 2, "number": "99000019000101001X42B1"}
TRANSIT = WHOLE.named("transit-t-union")


def later_profile(old: Profile = WHOLE) -> Profile:
    """The next version: every key of the disability and transit applications is new, and there is one more file."""
    card = old.main
    file = next(file for file in card.files if file.title == "activation")
    field = file.fields[0]._replace(name="second_until", source="valid_until")
    extra = file._replace(fid=b"\x00\x19", title="later", fields=(field,))
    keys = tuple(key._replace(version=2) for key in card.keys)
    transit = TRANSIT._replace(keys=tuple(key._replace(version=2) for key in TRANSIT.keys))
    first = card._replace(files=(*card.files, extra), keys=keys)
    return old._replace(version=2, applications=(first, transit, *old.applications[2:]))


LATER = later_profile()
ORDERS: dict[str, tuple[Profile, Callable[[int], Order], dict[str, Any]]] = {
    "activate": (WHOLE, lambda number: activate(WHOLE, number, RECORD, UNTIL), RECORD | {"activation_until": UNTIL}),
    "block": (WHOLE, lambda number: block(WHOLE, number, RECORD["serial"]), RECORD),
    "unblock": (WHOLE, lambda number: block(WHOLE, number, RECORD["serial"], locked=False), RECORD),
    "update": (WHOLE, lambda number: update(WHOLE, number, MOVED), MOVED),
    "upgrade": (LATER, lambda number: upgrade(WHOLE, LATER, number, RECORD), RECORD),
    "pin": (WHOLE, lambda number: pin(WHOLE, number, RECORD["serial"]), RECORD),
}
KIND = pytest.mark.parametrize("kind", KINDS)


def keys_of(record: dict[str, Any] = RECORD, profile: Profile = WHOLE) -> CardKeys:
    return card_keys(profile, record, versions=(1, 2))


def issued(kind: str = "") -> SoftCard:
    """A card in its holder's hands; blocked, where it is to be unblocked."""
    card = finished_card(WHOLE, RECORD)
    if kind == "unblock":
        assert carry(card, "block", number=1).code == ""
    return card


def carry(card: Any, kind: str, *, number: int = 7, keys: CardKeys | None = None) -> Applied:
    profile, make, _ = ORDERS[kind]
    return apply(card, profile, make(number), keys or keys_of())


def same(one: SoftCard, other: SoftCard) -> bool:
    return one.memory == other.memory


@KIND
def test_an_order_is_carried_out_and_vouched_for_by_every_application_that_it_touches(kind: str):
    card = issued(kind)
    before, done = card.memory, carry(card, kind)
    assert done.code == "" and card.memory != before
    _, make, _ = ORDERS[kind]
    assert [receipt.application for receipt in done.receipts] == [part.application.id for part in make(7).parts]


@KIND
def test_an_order_is_clean_for_the_linter_and_a_changed_one_is_not(kind: str):
    profile, make, record = ORDERS[kind]
    assert lint_order(profile, make(7), record) == []
    assert Finding("serial-differs", "serial") in lint_order(profile, make(7)._replace(serial="0" * 16), record)


@pytest.mark.parametrize(("change", "code"), [
    (lambda step: step._replace(data=b"\x20\x28\x06\x30" + step.data[4:]), "differs-from-record"),
    (lambda step: step._replace(data=b"\xff" * len(step.data)), "bad-encoding"),
    (lambda step: step._replace(data=step.data[:3]), "bad-encoding"),
    (lambda step: step._replace(data=step.data + bytes(300)), "write-past-the-end"),
    (lambda step: step._replace(data=step.data + b"\x01"), "bytes-outside-fields"),
    (lambda step: step._replace(record=1), "no-such-file"),
    (lambda step: step._replace(file=step.file._replace(fid=b"\x00\x15")), "no-such-file"),
])
def test_a_fault_in_an_order_is_found_by_name(change, code):
    order = activate(WHOLE, 7, RECORD, UNTIL)
    first, *rest = order.parts
    bad = order._replace(parts=(first._replace(steps=(change(first.steps[0]),)), *rest))
    assert code in {finding.code for finding in lint_order(WHOLE, bad, RECORD | {"activation_until": UNTIL})}


def test_an_order_to_block_that_unblocks_is_found():
    order = block(WHOLE, 7, RECORD["serial"])
    bad = order._replace(parts=tuple(part._replace(steps=(Lock(False),)) for part in order.parts))
    assert {finding.code for finding in lint_order(WHOLE, bad, RECORD)} == {"wrong-lock"}


def test_a_term_past_the_certificate_is_found():
    late = dt.date(2029, 1, 1)
    found = lint_order(WHOLE, activate(WHOLE, 7, RECORD, late), RECORD | {"activation_until": late})
    assert found == [Finding("dates-out-of-order", "activation_until, valid_until")]


# -- what each does ----------------------------------------------------------------------------------------------------


def test_the_new_term_is_where_gates_and_where_bus_validators_look():
    card = issued()
    carry(card, "activate")
    assert card.transmit(asking.select_application(WHOLE.aid))[-2:] == b"\x90\x00"
    assert card.transmit(asking.read_binary(0x17, size=4))[:4].hex() == "20200630"
    card.transmit(asking.select_application(TRANSIT.aid))
    assert card.transmit(asking.read_binary(0x15))[24:28].hex() == "20200630"


def test_a_blocked_card_opens_no_application_until_it_is_unblocked():
    card = issued()
    carry(card, "block")
    answers = {decode_response(card.transmit(asking.select_application(each.aid))).sw for each in WHOLE.ours}
    assert answers == {0x6283}
    with pytest.raises(gate.CardRefused, match="locked"):
        gate.read(card, WHOLE, lambda *_: bytes(8))
    assert carry(card, "activate").code == "blocked"
    assert carry(card, "unblock").code == ""
    assert carry(card, "activate").code == ""


def test_new_data_reach_every_application_and_leave_what_others_wrote():
    card = issued()
    social = WHOLE.named("social-security-merge")
    memory = card.memory
    application = memory.applications[social.aid]
    number = application.files[b"\xef\x05"].with_record(7, b"\x07\x09123456789")
    card = SoftCard.of(memory.with_application(application.with_file(number)))
    assert carry(card, "update").code == ""
    after = card.memory.applications
    assert after[social.aid].files[b"\xef\x05"].records[6] == b"\x07\x09123456789", "the bureau's number"
    assert after[social.aid].files[b"\xef\x06"].records[1][2:].rstrip(b"\0") == "买买提·木".encode("gb18030")
    assert b"99000019000101001X42B1" in after[WHOLE.aid].files[b"\x00\x16"].content


def test_an_upgraded_card_has_new_keys_and_files_and_knows_the_old_keys_no_more():
    card = issued()
    assert carry(card, "upgrade").code == ""
    held = card.memory.applications[WHOLE.aid]
    assert {secret.entry.version for secret in held.keys.values()} == {2}
    assert {secret.key for secret in held.keys.values()} == {
        key for [key] in make_keys(WHOLE, [RECORD], version=2).values()}
    assert held.files[b"\x00\x19"].content[:4].hex() == "20280630"
    assert carry(card, "activate", keys=card_keys(WHOLE, RECORD)).code == "no-such-key"
    assert carry(card, "activate").code == "", "with the keys that the card says it has"


@pytest.mark.parametrize(("change", "code"), [
    (lambda one: one._replace(files=one.files[1:]), "file-cannot-change"),
    (lambda one: one._replace(files=(one.files[0]._replace(size=40), *one.files[1:])), "file-cannot-change"),
    (lambda one: one._replace(keys=(*one.keys, Key(9, "reader", 1, 3))), "slots-cannot-change"),
    (lambda one: one._replace(keys=tuple(key._replace(version=0) for key in one.keys)), "older-key"),
    (lambda one: one._replace(aid=b"another"), "other-applications"),
    (lambda one: one, "nothing-to-do"),
    (lambda one: one._replace(files=(*one.files, one.files[0]._replace(fid=b"\x00\x09"))), "file-cannot-come-later"),
])
def test_an_upgrade_that_a_finished_card_cannot_take_is_no_order(change, code):
    new = WHOLE._replace(applications=(change(WHOLE.main), *WHOLE.applications[1:]))
    with pytest.raises(OrderBroken, match=code):
        upgrade(WHOLE, new, 7, RECORD)


def test_a_file_that_one_command_cannot_write_whole_is_never_written_in_pieces():
    field = WHOLE.main.files[2].fields[0]
    wide = WHOLE.main.files[2]._replace(size=400, fields=(field, field._replace(kind="blank", size=300)))
    main = WHOLE.main._replace(files=(*WHOLE.main.files[:2], wide, WHOLE.main.files[3]))
    with pytest.raises(OrderBroken, match="too-big-to-be-whole"):
        activate(WHOLE._replace(applications=(main,)), 7, RECORD, UNTIL)


# -- again, another card, replayed, forged -----------------------------------------------------------------------------


@KIND
def test_an_order_carried_out_twice_leaves_the_card_as_once(kind: str):
    card = issued(kind)
    once = carry(card, kind)
    memory = card.memory
    assert carry(card, kind).code == "" and card.memory == memory
    assert carry(card, kind).receipts == once.receipts, "the same order, the same word"


@KIND
def test_an_order_for_another_card_changes_nothing_and_costs_no_try(kind: str):
    card = issued(kind)
    memory = card.memory
    for _ in range(20):
        assert carry(card, kind, keys=keys_of(OTHER)).code == "another-card"
    assert card.memory == memory


@KIND
def test_what_was_sent_once_is_refused_when_it_is_sent_again(kind: str):
    card, sent = issued(kind), []

    class Overheard:
        def transmit(self, apdu: bytes) -> bytes:
            sent.append(apdu)
            return card.transmit(apdu)

    assert carry(Overheard(), kind).code == ""
    again = issued(kind)
    before = pieces(again)
    answers = [(apdu[0] & 0x04, decode_response(again.transmit(apdu)).sw) for apdu in sent]
    assert {sw for protected, sw in answers if protected} <= {0x6983, 0x6988, 0x6A82}
    assert pieces(again) == before


@KIND
def test_a_receipt_serves_for_its_own_order_only(kind: str):
    profile, make, _ = ORDERS[kind]
    done = carry(issued(kind), kind)
    assert all_vouched(profile, make(7), done.receipts, keys_of())
    assert not all_vouched(profile, make(8), done.receipts, keys_of())
    assert not all_vouched(profile, make(7), done.receipts[1:], keys_of())
    assert not all_vouched(profile, make(7), done.receipts, keys_of(OTHER))
    forged = done.receipts[0]._replace(mac=bytes(8))
    assert not all_vouched(profile, make(7), (forged, *done.receipts[1:]), keys_of())


def test_a_receipt_of_one_content_is_none_for_another():
    done = carry(issued(), "activate")
    other = activate(WHOLE, 7, RECORD, UNTIL + dt.timedelta(days=1))
    assert not all_vouched(WHOLE, other, done.receipts, keys_of())
    assert not all_vouched(WHOLE, block(WHOLE, 7, RECORD["serial"]), done.receipts, keys_of())


@KIND
def test_a_reader_that_swallows_the_writes_gets_no_good_receipt(kind: str):
    card = issued(kind)

    class Swallows:
        def transmit(self, apdu: bytes) -> bytes:
            return b"\x90\x00" if apdu[0] & 0x04 else card.transmit(apdu)

    assert carry(Swallows(), kind).code in ("receipt-differs", "refused")


def test_a_reader_that_says_blocked_of_a_card_that_is_not_gets_no_good_receipt():
    card = issued()

    class Pretends:
        def transmit(self, apdu: bytes) -> bytes:
            answer = b"\x90\x00" if apdu[:2] == b"\x84\x1e" else card.transmit(apdu)
            return b"\x83" + answer[1:] if apdu[8:13] == b"\x00" * 4 + b"\x07" else answer

    done = carry(Pretends(), "block")
    assert done.code == "receipt-differs" and [receipt.life for receipt in done.receipts] == [0x83] * 3


def test_an_upgrade_carried_out_again_loads_no_key_twice():
    card = issued()
    assert carry(card, "upgrade").at - carry(card, "upgrade").at == 2 * 8, "a file, seven keys, eight challenges"


def test_receipts_survive_their_travel():
    receipts = carry(issued(), "update").receipts
    assert read(spell(receipts)) == receipts


@pytest.mark.parametrize("data", [
    b"", b"\x80\x00", b"\x81\x01", b"\x81\x84\x61a\x07\x80\x41x", b"\x81\x84\x61a\x07\x81\x81\x01\x48" + bytes(8),
    b"\x81\x84\x61a\x07\x80\x48" + bytes(8) + b"\x00", b"\x81\x84\x07\x07\x80\x48" + bytes(8), bytes(5000),
    b"\x9f" * 3000,
])
def test_what_is_no_receipt_is_refused(data: bytes):
    with pytest.raises(ValueError, match="not receipts"):
        read(data)


# -- PINs --------------------------------------------------------------------------------------------------------------

SOCIAL = WHOLE.named("social-security-merge")
SLOT = SOCIAL.slot("pin")


def asked(card: SoftCard, ins: int, *data: bytes, at: str = "00") -> int:
    """The status word of VERIFY, CHANGE REFERENCE DATA and others, with the social-security application selected."""
    card.transmit(asking.select_application(SOCIAL.aid))
    body = b"".join(each.ljust(8, b"\xff") for each in data)
    command = bytes.fromhex(f"00{ins:02X}{at}{SLOT:02X}") + (bytes([len(body)]) + body if body else b"")
    return decode_response(card.transmit(command)).sw


def told_pin(number: int = 7) -> bytes:
    return keys_of().one_time_pin("social-security-merge/pin-unlock", 1, number).encode()


def test_a_pin_is_blocked_from_the_making_on_and_nobody_can_type_what_lies_there():
    card = issued()
    secret = card.memory.applications[SOCIAL.aid].keys[SLOT]
    assert (secret.left, secret.entry.tries, secret.entry.version) == (0, 3, 0)
    assert secret.key[8:] != b"\xff" * 8, "no PIN that is sent is of this shape"
    assert asked(card, 0x20) == asked(card, 0x20, b"123456") == 0x6983


def test_an_unblocked_pin_opens_nothing_before_its_holder_has_chosen_another():
    card = issued()
    assert carry(card, "pin").code == ""
    first = told_pin()
    assert first.isdigit() and len(first) == 6 and first != told_pin(8)
    assert asked(card, 0x20) == 0x63C3, "it has all its tries"
    assert asked(card, 0x20, first) == 0x6984 and asked(card, 0x24, first, first) == 0x6A80
    assert asked(card, 0x24, first, b"428571") == 0x9000
    assert asked(card, 0x20, b"428571") == 0x9000 and asked(card, 0x20, first) == 0x63C2


def test_wrong_tries_block_a_pin_and_a_new_order_opens_it_with_another_value():
    card = issued()
    carry(card, "pin")
    assert asked(card, 0x24, told_pin(), b"428571") == 0x9000
    assert [asked(card, 0x20, b"000000") for _ in range(4)] == [0x63C2, 0x63C1, 0x63C0, 0x6983]
    assert asked(card, 0x20, b"428571") == 0x6983
    assert carry(card, "pin", number=8).code == ""
    assert asked(card, 0x24, told_pin(7), b"428571") == 0x63C2, "the value of the first order is worth nothing now"
    assert asked(card, 0x24, told_pin(8), b"428571") == 0x9000


def test_the_receipt_of_an_order_whose_write_was_swallowed_is_not_good_though_another_set_the_pin_before():
    card = issued()
    carry(card, "pin", number=6)

    class Swallows:
        def transmit(self, apdu: bytes) -> bytes:
            return b"\x90\x00" if apdu[1] == 0x24 else card.transmit(apdu)

    assert carry(Swallows(), "pin").code == "receipt-differs"


def test_a_wrong_mac_on_the_unblocking_costs_the_unlock_key_a_try_and_opens_nothing():
    card = issued()
    for left in (9, 8):
        card.transmit(asking.select_application(SOCIAL.aid))
        card.transmit(bytes.fromhex("0084000008"))
        assert card.transmit(bytes.fromhex(f"842400{SLOT:02X}14") + bytes(20)) == b"\x69\x88"
        assert card.memory.applications[SOCIAL.aid].keys[SOCIAL.slot("pin-unlock")].left == left
    assert asked(card, 0x20) == 0x6983


def test_a_pin_order_for_cards_without_a_pin_and_one_for_another_slot_are_found():
    with pytest.raises(OrderBroken, match="nothing-to-do"):
        pin(make_profile(), 7, RECORD["serial"])
    order = pin(WHOLE, 7, RECORD["serial"])
    [part] = order.parts
    for bad in (part._replace(steps=(part.steps[0]._replace(key=SOCIAL.keys[0]),)), part._replace(pins=())):
        assert Finding("wrong-pin", SOCIAL.id) in lint_order(WHOLE, order._replace(parts=(bad,)), RECORD)
    assert Finding("wrong-pin", SOCIAL.id) in lint_order(WHOLE, order._replace(kind="update"), RECORD)


def test_no_pin_is_in_an_order_a_receipt_or_a_script():
    told = told_pin()
    sent: list[bytes] = []
    card = issued()

    class Overheard:
        def transmit(self, apdu: bytes) -> bytes:
            sent.append(apdu)
            return card.transmit(apdu)

    done = carry(Overheard(), "pin")
    left = b"".join(sent) + spell(done.receipts) + repr(pin(WHOLE, 7, RECORD["serial"])).encode()
    assert told not in left and told.hex().encode() not in left


# -- the power may go at any moment ------------------------------------------------------------------------------------


class Failing:
    """A card whose power goes before or after the command with this number."""

    def __init__(self, card: SoftCard, at: int, *, after: bool) -> None:
        self.card, self.at, self.after = card, at, after

    def transmit(self, apdu: bytes) -> bytes:
        self.at -= 1
        if not self.at:
            if self.after:
                self.card.transmit(apdu)
            self.card.reset()
            raise PowerCut("the card was pulled away")
        return self.card.transmit(apdu)


def pieces(card: SoftCard) -> dict[Any, Any]:
    """Everything that changes in one step: each file's content, each record, each key, each lock."""
    found: dict[Any, Any] = {}
    for name, each in card.memory.applications.items():
        found[name, "locked"] = each.locked
        for fid, file in each.files.items():
            for number, data in enumerate(file.records or (file.content,)):
                found[name, fid, number] = data
        for slot, secret in each.keys.items():
            found[name, "key", slot] = (secret.entry, secret.key)
    return found


@KIND
@pytest.mark.parametrize("after", [False, True])
def test_a_card_cut_at_any_command_holds_the_old_or_the_new_and_is_not_called_good(kind: str, after: bool):
    old = issued(kind)
    new = SoftCard.of(old.memory)
    whole = carry(new, kind)
    before, done = pieces(old), pieces(new)
    for at in range(1, whole.at + 1):
        card = SoftCard.of(old.memory)
        cut = carry(Failing(card, at, after=after), kind)
        assert cut.code == "cut" and len(cut.receipts) < len(whole.receipts)
        assert all(value in (before.get(name, bytes(8)), done.get(name)) for name, value in pieces(card).items())
        assert carry(card, kind).code == "" and same(card, new), "once more, and it is done"


@KIND
@pytest.mark.parametrize("answer", [b"", b"\x90\x00", b"\xff" * 40 + b"\x90\x00", b"\x6f\x00", bytes(300), b"\x69\x82"])
def test_a_card_that_answers_nonsense_anywhere_ends_in_a_name_and_never_good(kind: str, answer: bytes):
    whole = carry(issued(kind), kind)
    for at in range(1, whole.at + 1):
        card, asked = issued(kind), [0]

        class Odd:
            def transmit(self, apdu: bytes, card: SoftCard = card, asked: list[int] = asked, at: int = at) -> bytes:
                asked[0] += 1
                real = card.transmit(apdu)
                return answer if asked[0] == at else real

        done = carry(Odd(), kind)
        assert done.code in CODES
        if done.code == "":  # a reader needs neither FCI nor the answers to SELECT and to a write that was done
            assert answer == b"\x90\x00" or answer[-2:] == b"\x90\x00"
            again = issued(kind)
            carry(again, kind)
            assert same(card, again)


# -- the commands behind it --------------------------------------------------------------------------------------------


def test_a_card_tells_its_keys_and_no_more():
    card = issued()
    card.transmit(asking.select_application(TRANSIT.aid))
    told = card.transmit(asking.tell_keys())
    assert told.hex().upper() == "E012" "C00401010410" "C00402010410" "C00404010410" "9000"


@pytest.mark.parametrize(("command", "status"), [
    ("00CA00E0", 0x6700), ("00CA00E100", 0x6A88), ("00CADF200400000000" "00", 0x6700),
    ("00CADF2009" + "00" * 9 + "00", 0x6700), ("00CADF200B" + "00" * 8 + "009900" + "00", 0x6A82),
    ("00CADF200B" + "00" * 8 + "001501" + "00", 0x6981), ("00CADF200B" + "00" * 8 + "001A09" + "00", 0x6A83),
    ("00CADF200B" + "00" * 8 + "001A00" + "00", 0x6A83),
])
def test_a_card_vouches_only_for_what_is_there(command: str, status: int):
    card = issued()
    card.transmit(asking.select_application(TRANSIT.aid))
    assert decode_response(card.transmit(bytes.fromhex(command))).sw == status


def test_a_file_more_needs_the_control_key_and_rights_that_exist():
    card = issued()
    card.transmit(asking.select_application(TRANSIT.aid))
    plain = asking.create_transparent(b"\x00\x05", 8, b"\x00\x02")
    assert card.transmit(plain) == b"\x69\x85"
    assert card.transmit(b"\x04" + plain[1:]) == b"\x69\x84"

    def made(rights: bytes, purpose: str = "control") -> int:
        challenge = card.transmit(bytes.fromhex("0084000008"))[:8]
        command = decode_command(asking.create_transparent(b"\x00\x05", 8, rights))
        name = f"transit-t-union/{purpose}"
        return decode_response(card.transmit(keys_of().protect(
            name, 1, challenge, command, cipher=False, published=True))).sw

    assert made(b"\x00\x09") == 0x6A88 and made(b"\x09\x02") == 0x6A88
    assert card.transmit(bytes.fromhex("00B0000001")) == b"\x69\x86", "no file is selected by a refused command"
    assert made(b"\x00\x02", "maintenance") == 0x6988
    assert made(b"\x00\x22") == 0x9000
    assert made(b"\x00\x02") == 0x6A89


def test_small_profiles_take_the_same_orders():
    profile = make_profile(suite="INTL")
    card = finished_card(profile, RECORD)
    keys = card_keys(profile, RECORD)
    assert apply(card, profile, activate(profile, 1, RECORD, UNTIL), keys).code == ""
    assert apply(card, profile, block(profile, 2, RECORD["serial"]), keys).code == ""
    assert card.memory.applications[profile.aid].locked
    assert isinstance(activate(profile, 1, RECORD, UNTIL).parts[0].steps[0], Write)
    locked = replace(card.memory.applications[profile.aid], keys={})
    bare = SoftCard.of(card.memory.with_application(locked))
    assert apply(bare, profile, block(profile, 3, RECORD["serial"]), keys).code in ("blocked", "no-such-key")
