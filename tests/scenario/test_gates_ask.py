"""What a gate with a network asks and tells: its bundle, its log, vouchers, and cards that it cannot judge itself."""


import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from builders import make_actor, request_id
from gate_phone import GatePhone, base64url, enter_gate, new_code
from gate_room import NORTH, OPERATOR, Park, only_the_park, text_of
from partnering import make_partner
from zhengka.cards.models import ListReceipt
from zhengka.core.actors import SYSTEM
from zhengka.core.pace import PAIRINGS, TYPED
from zhengka.formats import bundle, gatelog, ring, voucher
from zhengka.formats.chip.plan import plan_of
from zhengka.formats.gatelog import Event, Signed
from zhengka.formats.issuers import KeySet
from zhengka.formats.rulebook import parse
from zhengka.formats.voucher import BadVoucher, Voucher
from zhengka.gates import queries, services
from zhengka.gates.models import Visit
from zhengka.gates.models import Voucher as Row
from zhengka.partners import services as partners
from zhengka.partners.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)
API = "/api/v1/gate/"
FACE = {"how": "looked", "same": True, "category": None, "grade": None, "area": None, "born": None}


@pytest.fixture
def park(settings, tmp_path):
    """A park whose files are its own."""
    only_the_park(settings, tmp_path)
    PAIRINGS.forget()
    TYPED.forget()
    return Park()


@pytest.fixture
def gates(park):
    """Its two gates, paired, with a bundle that names both."""
    phones = [GatePhone(), GatePhone()]
    for number, phone in enumerate(phones):
        assert phone.pair(park.code(number)).status_code == 200
    park.publish()
    return phones


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content


def event(phone: GatePhone, seq: int, kind: str = "visit", **told) -> Signed:
    fields = {"rule": "entry-free", "gives": "free", "subject": bytes(range(16)), "proof": "qr"} | told
    text = gatelog.write(Event(int(phone.number), seq, kind, datetime.now(UTC).replace(microsecond=0), OPERATOR, NORTH,
                               "entry", **fields))
    return Signed(text, phone.key.sign(text.encode()))


def a_voucher(phone: GatePhone, **told) -> bytes:
    now = datetime.now(UTC).replace(microsecond=0)
    fields = {"code": bytes(range(10)), "begins": now - timedelta(minutes=1), "ends": now + timedelta(hours=2),
              "companions": 0} | told
    promise = Voucher(operator=OPERATOR, venue=NORTH, service="entry", rule="entry-free", gives="free", **fields)
    return voucher.encode(promise, suite="INTL", key_id=phone.key.public.key_id, sign=phone.key.sign)


def redeeming(phone: GatePhone, seq: int, payload: bytes, **told) -> dict[str, str]:
    line = event(phone, seq, "redeem", voucher=bytes(range(10)), subject=b"", proof="voucher", **told)
    return {"line": line.to_line(), "voucher": base64url(payload)}


def test_a_gate_takes_the_bundle_of_its_operator_whole(park, gates):
    def fetch(name: str) -> bytes | None:
        answer = gates[0].ask("GET", f"{API}bundle/{name}")
        return answer.content if answer.status_code == 200 else None
    trusted = KeySet.from_json(fetch("keys.json"))
    held = bundle.take(fetch, trusted=trusted, at=timezone.now(), bundle=OPERATOR)
    assert parse(held.files["rulebook.json"]).operator == OPERATOR
    keys = {key.key_id for key in KeySet.from_json(held.files["gates.json"])}
    assert keys == {phone.key.public.key_id for phone in gates}
    assert ring.parse(held.files["ring.json"]) == [(row.pk, NORTH, ()) for row in park.gates]


def test_a_part_of_a_file_is_given_and_what_is_known_already_is_not_sent_again(gates):
    whole = gates[0].ask("GET", f"{API}bundle/manifest.bin")
    part = gates[0].ask("GET", f"{API}bundle/manifest.bin", Range="bytes=0-4")
    assert (part.status_code, part.content) == (206, b"ZKBM\x01")
    known = gates[0].ask("GET", f"{API}bundle/manifest.bin", **{"If-None-Match": whole["ETag"]})
    assert known.status_code == 304


@pytest.mark.parametrize("name", ["none.bin", "status-99.bin"])
def test_a_file_that_is_not_there_is_said_so(gates, name):
    refused(gates[0].ask("GET", f"{API}bundle/{name}"), 404, "no-such-address")


def test_a_gate_that_stands_nowhere_gets_no_bundle(park):
    phone, row = GatePhone(), enter_gate(park.area, "东门")
    phone.pair(new_code(row))
    assert phone.ask("GET", f"{API}post").json()["operator"] == ""
    answer = phone.ask("GET", f"{API}bundle/manifest.bin")
    assert answer.status_code != 200 and answer.json()["code"] == "post-unknown"


def test_the_log_of_a_gate_may_be_sent_again_and_changes_nothing(gates):
    lines = "".join(f"{event(gates[0], seq).to_line()}\n" for seq in (2, 1)).encode()
    told = [gates[0].ask("POST", f"{API}events", data).json() for data in (lines, lines, b"rubbish\n")]
    assert [(each["fresh"], each["repeats"]) for each in told] == [(2, 0), (0, 2), (0, 0)]
    assert sum(told[2]["refused"].values()) == 1 and Visit.objects.count() == 2


def test_what_another_gate_signed_in_ones_own_name_is_not_taken(gates):
    forged = event(gates[0], 1)
    line = Signed(forged.text, gates[1].key.sign(forged.text.encode())).to_line()
    assert gates[1].ask("POST", f"{API}events", f"{line}\n".encode()).json()["fresh"] == 0


def test_as_many_real_lines_as_an_upload_may_have_fit_and_it_has_an_end(gates):
    one = f"{event(gates[0], 1).to_line()}\n".encode()
    most = one * (gatelog.MOST_LINES - 1) + b"spoilt\n"
    assert len(most) > 7_000_000
    told = gates[0].ask("POST", f"{API}events", most).json()
    assert (told["fresh"], told["repeats"], told["refused"]) == (1, gatelog.MOST_LINES - 2, {"event-shape": 1})
    for longer in (most + one, b"x" * (gatelog.MOST_BYTES + 1)):
        refused(gates[0].ask("POST", f"{API}events", longer), 413, "upload-too-long")
    large = {"service": "entry", "shown": {"how": "scanned", "text": "1" * 3_000_000}}
    refused(gates[0].ask("POST", f"{API}check", large), 400, "request-invalid")


def test_a_voucher_of_one_gate_is_used_up_at_another_and_refused_at_the_first(park, gates):
    partners.subscribe(make_partner(park.area, operator=OPERATOR).partner, "https://hooks.example.org/",
                       ["voucher.redeemed"], by=make_actor("system", area=park.area), request_id=request_id(),
                       at=timezone.now())
    payload = a_voucher(gates[0])
    asked = redeeming(gates[1], 1, payload)
    answers = [gates[1].ask("POST", f"{API}redeem", asked) for _ in "ab"]
    assert [answer.json() for answer in answers] == [{"voucher": "AAAQEAYEAUDAOCAJ", "state": "redeemed"}] * 2
    refused(gates[0].ask("POST", f"{API}redeem", redeeming(gates[0], 1, payload)), 409, "voucher-used")
    assert Row.objects.get().state == "redeemed" and Visit.objects.filter(kind="redeem").count() == 1
    log = f"{asked['line']}\n".encode()
    assert gates[1].ask("POST", f"{API}events", log).json()["repeats"] == 1
    told = json.loads(Delivery.objects.get().body)  # once: by the redemption, and not again by its log
    assert (told["voucher"], told["venue"]) == ("AAAQEAYEAUDAOCAJ", NORTH)


@pytest.mark.parametrize(("fault", "code"), [
    ("another's line", "event-refused"), ("two lines", "event-refused"), ("a stranger's voucher", "voucher-unsigned"),
    ("over", "voucher-expired"), ("not yet", "voucher-not-yet"), ("no event", "event-refused"),
    ("half a byte", "request-invalid")])
def test_a_voucher_that_is_not_good_here_and_now_is_refused_by_name(gates, fault, code):
    now = datetime.now(UTC).replace(microsecond=0)
    times = {"over": {"begins": now - timedelta(hours=3), "ends": now - timedelta(hours=1)},
             "not yet": {"begins": now + timedelta(hours=1)}}.get(fault, {})
    signer = GatePhone() if fault == "a stranger's voucher" else gates[0]
    asked = redeeming(gates[1], 1, a_voucher(signer, **times))
    if fault == "another's line":
        asked = redeeming(gates[0], 1, a_voucher(gates[0]))
    elif fault == "two lines":
        asked["line"] = f"{asked['line']}\nx"
    elif fault == "no event":
        asked["line"] = Signed("{}", bytes(64)).to_line()
    elif fault == "half a byte":
        asked["voucher"] = "A"
    answer = gates[1].ask("POST", f"{API}redeem", asked)
    assert answer.status_code >= 400 and answer.json()["code"] == code
    assert not Visit.objects.filter(kind="redeem").exists()


def test_a_voucher_of_which_only_the_code_was_typed_is_used_up_by_the_site(gates):
    now = datetime.now(UTC).replace(microsecond=0)
    told = event(gates[0], 1, "issue", voucher=bytes(range(10)), begins=now, ends=now + timedelta(hours=2))
    assert gates[0].ask("POST", f"{API}events", f"{told.to_line()}\n".encode()).json()["fresh"] == 1
    asked = {"code": "AAAQEAYEAUDAOCAJ", "request_id": str(request_id())}
    for _ in "ab":
        answer = gates[1].ask("POST", f"{API}redeem-code", asked).json()
        assert answer == {"voucher": asked["code"], "state": "redeemed", "gives": "free", "companions": 0}
    refused(gates[1].ask("POST", f"{API}redeem-code", asked | {"request_id": str(request_id())}), 409, "voucher-used")
    refused(gates[1].ask("POST", f"{API}redeem-code", asked | {"code": "A" * 16, "request_id": str(request_id())}), 404,
            "voucher-unknown")
    refused(gates[1].ask("POST", f"{API}redeem-code", asked | {"request_id": "-" * 36}), 400, "request-invalid")
    refused(GatePhone().pair("1" * 12, request_id="-" * 36), 400, "request-invalid")


def test_vouchers_of_companions_and_moved_ones_are_read_at_a_gate_whose_network_is_cut(park, gates, own_store):
    payload = a_voucher(gates[0], companions=1)
    asked = {"code": "AAAQEAYEAUDAOCAJ", "voucher": base64url(payload), "request_id": str(request_id())}
    forged = asked | {"voucher": base64url(a_voucher(GatePhone(), companions=1))}
    refused(gates[1].ask("POST", f"{API}companion", forged), 422, "voucher-unsigned")
    refused(gates[1].ask("POST", f"{API}companion", asked | {"voucher": ""}), 404, "voucher-unknown")
    told = gates[1].ask("POST", f"{API}companion", asked).json()
    assert (told["text"], told["gives"], told["left"]) == ("", "free", 0)
    for row in Row.objects.filter(payload=None):
        services.sign_voucher(row.pk, at=timezone.now())
    again = gates[1].ask("POST", f"{API}companion", asked).json()
    assert again["voucher"] == told["voucher"] and Row.objects.count() == 2, "a repeat tells the same"
    park.publish()
    promise = read_offline(gates[0], again["text"])
    assert (voucher.to_base32(promise.code), promise.companions) == (told["voucher"], 0)
    refused(gates[1].ask("POST", f"{API}companion", asked | {"request_id": str(request_id())}), 409,
            "voucher-companions")
    main = Row.objects.get(code=bytes(range(10)))
    later = (main.begins + timedelta(days=1), main.ends + timedelta(days=1))
    moved = services.transfer(main, *later, by=SYSTEM, request_id=request_id(), at=timezone.now())
    assert queries.text_of(moved) == queries.text_of(Row.objects.get(pk=main.pk)) == ""
    services.sign_voucher(moved.pk, at=timezone.now())
    promise = read_offline(gates[0], queries.text_of(Row.objects.get(pk=moved.pk)))
    promise.check(operator=OPERATOR, venue=NORTH, service="entry", at=later[0])
    with pytest.raises(BadVoucher, match="voucher-not-yet"):
        promise.check(operator=OPERATOR, venue=NORTH, service="entry", at=timezone.now())


def read_offline(phone: GatePhone, text: str) -> Voucher:
    """What a gate that fetched its bundle reads in a voucher's code, the network cut."""
    held = bundle.take(lambda name: phone.ask("GET", f"{API}bundle/{name}").content, at=timezone.now(), bundle=OPERATOR,
                       trusted=KeySet.from_json(phone.ask("GET", f"{API}bundle/keys.json").content))
    sealed = voucher.decode(voucher.from_text(text))
    sealed.check_signature(held.keys, timezone.now())
    return sealed.voucher


def test_a_gate_tells_by_which_lists_it_decides(park, gates):
    park.card()
    park.publish()
    [told] = json.loads(gates[0].ask("GET", "/api/v1/status-lists").content)["lists"]
    answer = gates[0].ask("POST", f"{API}seen", {"bundle": 1, "lists": {str(told["number"]): told["version"]}})
    assert answer.status_code == 204
    row = ListReceipt.objects.get()
    assert (row.operator, row.gate) == (OPERATOR, park.gates[0].pk)
    refused(gates[0].ask("POST", f"{API}seen", {"bundle": 1, "lists": {"0": 1}}),
            gates[0].ask("POST", f"{API}seen", {"bundle": 1, "lists": {"0": 1}}).status_code, "receipt-unknown")


def test_a_card_is_judged_online_by_the_register_and_by_what_all_gates_told(park, gates):
    card = park.card()

    def ask(service: str = "bus") -> dict:
        return gates[0].ask("POST", f"{API}check", {
            "service": service, "shown": {"how": "scanned", "text": text_of(card)}}).json()
    told = ask()
    assert (told["code"], told["colour"], told["benefit"], told["rule"]) == ("valid", "green", "free", "bus-free")
    used = gatelog.write(Event(int(gates[1].number), 1, "visit", datetime.now(UTC).replace(microsecond=0), OPERATOR,
                               NORTH, "bus", "bus-free", "free", subject=bytes.fromhex(told["subject"]), proof="qr"))
    line = Signed(used, gates[1].key.sign(used.encode())).to_line()
    assert gates[1].ask("POST", f"{API}events", f"{line}\n".encode()).json()["fresh"] == 1
    assert ask()["code"] == "quota-used" and ask("entry")["code"] == "valid" and ask("pool")["code"] == "not-our-place"


@pytest.mark.parametrize(("shown", "code"), [
    ({"how": "typed", "number": "1"}, "not-our-number"),
    ({**FACE, "valid_until": "2099-01-01"}, "shown"),
    ({**FACE, "valid_until": "2020-01-01"}, "expired"),
    ({"how": "looked", "valid_until": "2099-01-01", "same": True, "category": 7, "grade": 4, "area": 430181000000,
      "born": "1960-02-29"}, "shown"),
    ({"how": "scanned", "text": "hello"}, "not-our-code")])
def test_whatever_is_shown_gets_an_answer(gates, shown, code):
    assert gates[0].ask("POST", f"{API}check", {"service": "entry", "shown": shown}).json()["code"] == code


def test_who_types_number_after_number_at_one_gate_waits_and_its_neighbour_does_not(park, gates):
    number = park.card().serial

    def typed(phone):
        shown = {"how": "typed", "number": number}
        return phone.ask("POST", f"{API}check", {"service": "entry", "shown": shown})
    answers = [typed(gates[0]) for _ in range(TYPED.burst + 1)]
    assert [one.json()["code"] for one in answers[:-1]] == ["valid"] * TYPED.burst
    refused(answers[-1], 429, "too-many-requests")
    assert typed(gates[1]).status_code == 200


def test_a_gate_that_was_shut_out_leaves_the_ring_of_keys(park, gates):
    row = park.gates[1]
    type(row).objects.filter(pk=row.pk).update(state="stopped")
    assert services.publish_gate_keys() == [OPERATOR] and services.publish_gate_keys() == []
    park.publish()
    held = KeySet.from_json(gates[0].ask("GET", f"{API}bundle/gates.json").content)
    assert [key.key_id for key in held] == [gates[0].key.public.key_id]
    left = ring.parse(gates[0].ask("GET", f"{API}bundle/ring.json").content)
    assert [one.gate for one in left] == [park.gates[0].pk]




def test_a_chip_that_was_tapped_is_looked_up_by_its_signed_code(park, gates):
    card = park.card()
    told = bytes(card.credential)

    def asked(**changed):
        shown = {"how": "tapped", "fields": {"credential": told.hex()}, "proven": True} | changed
        return gates[0].ask("POST", f"{API}check", {"service": "entry", "shown": shown})
    answer = asked().json()
    assert (answer["code"], answer["proof"], answer["benefit"]) == ("valid", "tap", "free")
    assert asked(proven=False).json()["code"] == "not-authentic"
    forged = bytes([*told[:-1], told[-1] ^ 1]).hex()
    assert asked(fields={"credential": forged}).json()["code"] == "signature-wrong"
    more = {"credential": told.hex(), "name": card.holder.name}
    assert asked(fields=more).status_code == 400, "nothing of the person"


def test_a_gate_is_told_how_cards_are_read_by_the_modules_of_its_office(park, gates):
    told = gates[0].ask("GET", f"{API}post").json()["plan"]
    assert plan_of(told).told() == told and told["profiles"] and told["modules"] == {}
