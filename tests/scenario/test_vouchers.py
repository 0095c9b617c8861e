"""A voucher is issued, redeemed at most once, cancelled, moved; gates without a network tell of it later."""

import datetime as dt
import random
import secrets
import threading

import pytest
from django.db import IntegrityError, close_old_connections, transaction

from builders import NOON, make_actor, make_area, request_id
from gating import DAY, HOUR, OPERATOR, VENUE, lines, make_gate, make_wanted, upload
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.devices import services as devices
from zhengka.devices.models import Device
from zhengka.formats.verdict import CHINA
from zhengka.gates import queries, services
from zhengka.gates.models import DoubleUse, Visit, Voucher

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"


def refused(code, act, *args, **told):
    with pytest.raises(Refusal) as no, transaction.atomic():
        act(*args, **told)
    assert no.value.code == code
    return no.value


def issued(gate, **told):
    return services.issue(make_wanted(**told), gate.post, request_id=request_id(), at=NOON)


def redeem(voucher, gate, *, at=NOON, key=None):
    return services.redeem(bytes(voucher.code), gate.post, request_id=key or request_id(), at=at)


def state(code):
    return Voucher.objects.get(code=code).state


def test_a_voucher_is_redeemed_once_and_the_second_gate_is_told_where_the_first_was():
    first, second = make_gate("北门"), make_gate("南门")
    voucher = issued(first)
    assert redeem(voucher, first).state == "redeemed"
    no = refused("voucher-used", redeem, voucher, second)
    assert no.facts["gate"] == "北门"
    assert Visit.objects.filter(kind="redeem", counted=True).count() == 1


def test_asking_twice_for_the_same_redemption_is_harmless():
    gate = make_gate()
    voucher, key = issued(gate), request_id()
    redeem(voucher, gate, key=key)
    with pytest.raises(Replayed), transaction.atomic():
        redeem(voucher, gate, key=key)
    assert Visit.objects.filter(kind="redeem").count() == 1


def test_a_voucher_is_for_its_place_and_its_time():
    here, there = make_gate("北门"), make_gate("别处", venue="line-2")
    voucher = issued(here, begins=NOON + HOUR, ends=NOON + 2 * HOUR)
    refused("voucher-elsewhere", redeem, voucher, there, at=NOON + HOUR)
    refused("voucher-not-yet", redeem, voucher, here, at=NOON + HOUR - dt.timedelta(microseconds=1))
    refused("voucher-expired", redeem, voucher, here, at=NOON + 2 * HOUR)
    refused("voucher-unknown", services.redeem, bytes(10), here.post, request_id=request_id(), at=NOON)
    assert redeem(voucher, here, at=NOON + HOUR).state == "redeemed"


def test_a_quota_is_kept_to_over_all_gates():
    gates = [make_gate(name) for name in ("一", "二")]
    wanted = make_wanted(subject=bytes(range(16)), quota=(2, 3))
    for gate in gates:
        services.issue(wanted, gate.post, request_id=request_id(), at=NOON)
    refused("quota-used", services.issue, wanted, gates[0].post, request_id=request_id(), at=NOON)
    tomorrow = make_wanted(subject=bytes(range(16)), quota=(2, 3), ends=NOON + 3 * DAY)
    services.issue(tomorrow, gates[0].post, request_id=request_id(), at=NOON + DAY)
    refused("quota-used", services.issue, tomorrow, gates[0].post, request_id=request_id(), at=NOON + 2 * DAY)


def test_what_was_cancelled_is_not_counted_against_the_quota():
    gate = make_gate()
    wanted = make_wanted(subject=bytes(range(16)), quota=(1, 0))
    voucher = services.issue(wanted, gate.post, request_id=request_id(), at=NOON)
    services.cancel(voucher, "误领", by=make_actor("clerk"), request_id=request_id(), at=NOON)
    assert services.issue(wanted, gate.post, request_id=request_id(), at=NOON).state == "issued"


def test_an_officer_cancels_what_was_not_used_and_says_why():
    gate = make_gate()
    voucher = issued(gate)
    clerk = make_actor("clerk")
    refused("reason-missing", services.cancel, voucher, " ", by=clerk, request_id=request_id(), at=NOON)
    services.cancel(voucher, "误领", by=clerk, request_id=request_id(), at=NOON)
    refused("voucher-cancelled", redeem, voucher, gate)


def test_a_voucher_is_moved_to_another_time():
    gate = make_gate()
    old = issued(gate)
    clerk = make_actor("clerk")
    refused("voucher-expired", services.transfer, old, NOON - DAY, NOON, by=clerk, request_id=request_id(), at=NOON)
    new = services.transfer(old, NOON + DAY, NOON + DAY + HOUR, by=clerk, request_id=request_id(), at=NOON)
    refused("voucher-cancelled", redeem, old, gate)
    assert redeem(new, gate, at=NOON + DAY).instead_of_id == old.pk


def test_as_many_companions_get_vouchers_as_the_holders_own_says():
    gate = make_gate()
    main, key, clerk = issued(gate, companions=2), request_id(), make_actor("clerk")
    told = {"by": clerk, "at": NOON}
    beside = services.companion(main, request_id=key, **told)
    with pytest.raises(Replayed), transaction.atomic():
        services.companion(main, request_id=key, **told)
    moved = services.transfer(main, NOON + DAY, NOON + DAY + HOUR, request_id=request_id(), **told)
    services.companion(moved, request_id=request_id(), **told)
    refused("voucher-companions", services.companion, moved, request_id=request_id(), **told)
    refused("voucher-cancelled", services.companion, main, request_id=request_id(), **told)
    refused("not-permitted", services.companion, moved, request_id=request_id(), by=make_actor("reviewer"), at=NOON)
    refused("voucher-expired", services.companion, moved, request_id=request_id(), by=clerk, at=NOON + 2 * DAY)
    assert redeem(beside, gate).state == redeem(moved, gate, at=NOON + DAY).state == "redeemed"
    assert Visit.objects.get(kind="redeem", voucher=moved.code).companions == 0, "who has a voucher of their own"
    refused("voucher-used", services.companion, moved, request_id=request_id(), **told)


def test_a_voucher_is_moved_only_to_a_time_at_which_its_rule_gives():
    place = {"operator": "beijing-minzuyuan", "venue": "office"}
    gate, clerk = make_gate(**place), make_actor("clerk")
    row = issued(gate, service="entry", rule="weekdays")

    def move(day, hours=2):
        begins = dt.datetime(2026, 11, day, 10, tzinfo=CHINA)
        return services.transfer(row, begins, begins + hours * HOUR, by=clerk, request_id=request_id(), at=NOON)
    for day, hours in ((28, 2), (27, 24 + 2), (29, 1)):  # a Saturday, from Friday on, a Sunday
        refused("voucher-outside-hours", move, day, hours)
    refused("voucher-outside-hours", services.transfer, row, NOON + 400 * DAY, NOON + 400 * DAY + HOUR, by=clerk,
            request_id=request_id(), at=NOON)
    assert move(27, 14).state == "issued", "to the last moment of Friday"


def test_a_voucher_ends_with_its_time_and_a_use_that_is_told_later_outranks_the_end():
    gate = make_gate()
    voucher = issued(gate)
    assert services.expire(at=NOON + HOUR) == 1
    refused("voucher-expired", redeem, voucher, gate)
    upload(gate, gate.says("redeem", at=NOON + HOUR / 2, voucher=bytes(voucher.code)))
    assert state(voucher.code) == "redeemed"


def test_a_gate_redeems_online_by_the_event_that_it_signed_and_uploads_it_again_in_peace():
    gate = make_gate()
    voucher = issued(gate)
    said = gate.says("redeem", voucher=bytes(voucher.code))
    assert services.redeem_signed(said, at=NOON).state == "redeemed"
    assert services.redeem_signed(said, at=NOON).state == "redeemed"
    again = gate.says("redeem", voucher=bytes(voucher.code), at=NOON + HOUR / 2)
    refused("voucher-used", services.redeem_signed, again, at=NOON)
    assert upload(gate, said).repeats == 1


def test_a_voucher_that_a_gate_signed_is_believed_before_that_gate_tells_of_it():
    issuer, gate, code = make_gate("北门"), make_gate("南门"), secrets.token_bytes(10)
    said = gate.says("redeem", voucher=code)
    refused("voucher-unknown", services.redeem_signed, said, at=NOON)
    forged = bytearray(issuer.voucher(code))
    forged[-1] ^= 1
    refused("voucher-unsigned", services.redeem_signed, said, bytes(forged), at=NOON)
    assert services.redeem_signed(said, issuer.voucher(code), at=NOON).state == "redeemed"
    upload(issuer, issuer.says("issue", voucher=code))
    assert state(code) == "redeemed"


def test_an_online_redemption_that_its_gate_did_not_sign_is_refused_by_name():
    gate, other = make_gate("北门"), make_gate("南门")
    code = bytes(issued(gate).code)
    forged = gate.says("redeem", voucher=code)
    forged = type(forged)(forged.text, other.key.sign(forged.text.encode()))
    assert refused("event-refused", services.redeem_signed, forged, at=NOON).facts["why"] == "event-signature"
    visit = gate.says("visit")
    assert refused("event-refused", services.redeem_signed, visit, at=NOON).facts["why"] == "event-value"
    nonsense = type(forged)("nonsense", bytes(64))
    assert refused("event-refused", services.redeem_signed, nonsense, at=NOON).facts["why"] == "event-shape"


def test_double_use_at_two_cut_off_gates_is_found_names_both_and_counts_once():
    first, second, code = make_gate("北门"), make_gate("南门"), secrets.token_bytes(10)
    told = [first.says("issue", voucher=code), first.says("redeem", voucher=code, at=NOON + dt.timedelta(minutes=1))]
    assert not upload(first, *told).doubles
    found = upload(second, second.says("redeem", voucher=code, at=NOON)).doubles
    assert [(one.counted, one.again) for one in found] == [(second.pk, first.pk)]
    row = DoubleUse.objects.get()
    assert {row.counted.gate_id, row.again.gate_id} == {first.pk, second.pk}
    assert list(Visit.objects.filter(kind="redeem", counted=True).values_list("gate", flat=True)) == [second.pk]


def test_the_same_events_come_to_the_same_state_in_any_order_any_number_of_times():
    gates = [make_gate(name) for name in ("一", "二", "三")]
    codes = [secrets.token_bytes(10) for _ in range(6)]
    said = [(gate, gate.says("redeem", voucher=code, at=NOON + dt.timedelta(seconds=gate.seq)))
            for gate in gates for code in codes[:4]]
    said += [(gates[0], gates[0].says("issue", voucher=code)) for code in codes]
    said += [(gates[1], gates[1].says("cancel", voucher=code)) for code in codes[3:5]]
    said.append((gates[2], gates[2].says("visit", seq=2, at=NOON + HOUR)))  # its number 2 is another event already
    states = set()
    for seed in range(6):
        dice, mark = random.Random(seed), transaction.savepoint()
        order = said * 3
        dice.shuffle(order)
        while order:
            size = dice.randrange(1, 9)
            part, order = order[:size], order[size:]
            upload(dice.choice(gates), *(line for _, line in part), at=NOON + dt.timedelta(seconds=dice.random()))
        states.add(_state())
        transaction.savepoint_rollback(mark)
    assert len(states) == 1


def _state():
    return (tuple(sorted((bytes(row[0]).hex(), row[1]) for row in Voucher.objects.values_list("code", "state"))),
            tuple(sorted((bytes(row[0]).hex(), *row[1:]) for row in Visit.objects.values_list(
                "digest", "counted", "forked"))),
            tuple(sorted((bytes(one).hex(), bytes(two).hex()) for one, two in DoubleUse.objects.values_list(
                "counted__digest", "again__digest"))))


def test_a_gate_that_signs_two_things_under_one_number_is_named_and_neither_counts():
    gate = make_gate()
    merged = upload(gate, gate.says("visit"), gate.says("visit", seq=1, at=NOON + HOUR))
    assert merged.forks == [(gate.pk, 1)]
    assert Visit.objects.filter(forked=True, counted=False).count() == 2
    assert queries.forks(actor=make_actor("clerk")).count() == 2


def test_every_line_stands_for_itself_and_what_is_refused_is_named():
    gate, other = make_gate("北门"), make_gate("南门")
    good, elsewhere = gate.says("visit"), gate.says("visit", venue="line-9")
    forged = type(good)(good.text.replace('"seq":1,', '"seq":9,'), good.signature)
    stranger = type(good)(good.text.replace(f'"gate":{gate.pk},', '"gate":5,'), good.signature)
    ours = gate.says("visit", seq=services.OWN)
    data = lines(good, elsewhere, forged, stranger, ours, other.says("visit")) + b"spoilt\n"
    merged = services.merge(data, carrier=gate.row, at=NOON)
    assert merged.fresh == 2
    assert merged.refused == {"post-unknown": 1, "event-signature": 1, "gate-unknown": 1, "event-value": 1,
                              "event-shape": 1}


def test_too_long_an_upload_is_refused_whole():
    gate = make_gate()
    refused("upload-too-long", services.merge, b"x\n" * 20_001, carrier=gate.row, at=NOON)


def test_an_upload_of_a_gate_that_was_shut_out_is_refused_and_what_came_before_stays():
    gate, other = make_gate("北门"), make_gate("南门")
    before, after = gate.says("visit"), gate.says("visit")
    upload(gate, before)
    devices.change(gate.row, "lose", by=make_actor("system"), request_id=request_id(), at=NOON)
    refused("gate-shut-out", upload, gate, after)
    assert upload(other, after).refused == {"gate-shut-out": 1}  # another gate that carries it changes nothing
    assert Visit.objects.count() == 1
    refused("gate-shut-out", services.standing, gate.row)
    refused("gate-shut-out", services.redeem_signed, gate.says("redeem", voucher=bytes(10)), at=NOON)


def test_a_gate_stands_at_one_place_at_a_time():
    gate, clerk = make_gate(), make_actor("clerk")
    place = services.Place(OPERATOR, "line-2")
    refused("post-taken", services.stand, gate.row, place, by=clerk, request_id=request_id(), at=NOON)
    refused("not-permitted", services.stand, gate.row, place, by=make_actor("reviewer"), request_id=request_id(),
            at=NOON)
    refused("not-found", services.stand, gate.row, place, by=make_actor("clerk", area=make_area(430281, name="醴陵市")),
            request_id=request_id(), at=NOON)
    services.leave(gate.post, by=clerk, request_id=request_id(), at=NOON)
    refused("post-unknown", services.standing, gate.row)
    services.stand(gate.row, place, by=clerk, request_id=request_id(), at=NOON)
    reader = devices.register(make_area(), devices.About("reader", "窗口", "大厅", "周敏"), by=make_actor("system"),
                              request_id=request_id(), at=NOON)
    refused("gate-unknown", services.stand, reader, place, by=clerk, request_id=request_id(), at=NOON)
    merged = upload(gate, gate.says("visit", venue=VENUE))
    assert merged.fresh == 1  # it stood there once, and may still bring what it logged


def test_the_database_counts_one_use_of_a_voucher_alone():
    gate = make_gate()
    upload(gate, *(gate.says("redeem", voucher=bytes(10), at=NOON + dt.timedelta(seconds=n)) for n in range(2)))
    with pytest.raises(IntegrityError, match="visit_voucher_counted_once"), transaction.atomic():
        Visit.objects.update(counted=True)


def test_an_event_stays_as_its_gate_signed_it():
    gate = make_gate()
    upload(gate, gate.says("visit"))
    for change in ({"text": "x"}, {"seq": 7}, {"signature": bytes(64)}, {"received_at": NOON + DAY}):
        with pytest.raises(IntegrityError, match="stays as its gate signed it"), transaction.atomic():
            Visit.objects.update(**change)
    with pytest.raises(IntegrityError, match="stays as its gate signed it"), transaction.atomic():
        Visit.objects.all().delete()


def test_another_office_sees_no_voucher_and_no_event(as_web):
    voucher = issued(make_gate())
    other = make_area(430281, name="醴陵市")
    as_web(other.code, other.last)
    assert not Voucher.objects.exists()
    assert not Visit.objects.exists()
    refused("not-found", queries.voucher, voucher.pk, actor=make_actor("clerk", area=other))


def test_the_web_takes_in_an_upload_and_redeems(as_web):
    gate = make_gate()
    voucher = issued(gate)
    as_web(0, 999_999_999_999)
    code = secrets.token_bytes(10)
    told = [gate.says("issue", voucher=code), *(gate.says("visit") for _ in range(60))]
    assert upload(gate, *told, gate.says("redeem", voucher=code)).fresh == 62
    assert redeem(voucher, gate).state == "redeemed"


def test_the_platforms_own_lines_are_signed_later_and_vouchers_too(own_store):
    gate = make_gate()
    voucher = issued(gate)
    redeem(voucher, gate)
    assert services.sign_own_events(at=NOON) == 2
    services.sign_voucher(voucher.pk, at=NOON)
    voucher.refresh_from_db()
    from zhengka.formats import voucher as vouchers
    from zhengka.keys import queries as keys

    sealed = vouchers.decode(bytes(voucher.payload))
    sealed.check_signature(keys.key_set(), NOON)
    assert sealed.voucher.code == bytes(voucher.code)


@pytest.mark.django_db(transaction=True)
def test_of_32_gates_that_redeem_at_the_same_moment_one_wins():
    gate = make_gate()
    voucher = issued(gate)
    post, start, told = gate.post, threading.Barrier(32), []

    def client():
        start.wait()
        try:
            services.redeem(bytes(voucher.code), post, request_id=request_id(), at=NOON)
            told.append("redeemed")
        except Refusal as no:
            told.append(no.code)
        finally:
            close_old_connections()
            from django.db import connection
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == sorted(["redeemed"] + ["voucher-used"] * 31)
    assert Event.objects.filter(subject="voucher", action="redeem").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_the_same_moment_find_the_double_use_between_them():
    gates = [make_gate(name) for name in ("一", "二")]
    codes = [secrets.token_bytes(10) for _ in range(40)]
    upload(gates[0], *(gates[0].says("issue", voucher=code) for code in codes))
    said = [lines(*(gate.says("redeem", voucher=code) for code in codes)) for gate in gates]
    start = threading.Barrier(2)

    def send(gate, data):
        from django.db import connection

        start.wait()
        services.merge(data, carrier=Device.objects.get(pk=gate.pk), at=NOON)
        connection.close()

    threads = [threading.Thread(target=send, args=each) for each in zip(gates, said, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert DoubleUse.objects.count() == 40
    assert Visit.objects.filter(kind="redeem", counted=True).count() == 40
