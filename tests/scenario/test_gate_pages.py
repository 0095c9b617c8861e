"""Officers look after gates, vouchers and statements on their pages."""

import datetime as dt
import json

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from builders import make_actor, make_area, make_officer, request_id
from gating import DAY, HOUR, make_gate, make_wanted, upload
from zhengka.core import scope
from zhengka.formats.gatelog import KINDS
from zhengka.formats.verdict import CHINA
from zhengka.formats.voucher import to_base32
from zhengka.gates import clocks, merging, services
from zhengka.gates.models import Dispute, Post, Statement, Voucher
from zhengka.web.staff.gates import CLOCK_WORDS, REFUSED_WORDS
from zhengka.web.staff.settlements import EVENT_WORDS

pytestmark = pytest.mark.django_db
PLACE = {"operator": "changsha-transit", "venue": "network"}


@pytest.fixture
def clerk(client):
    client.force_login(make_officer("clerk", person="p-clerk"))
    return client


def post(client, name, *args, **told):
    return client.post(reverse(f"staff:{name}", args=args), {"request_id": str(request_id()), **told}, follow=True)


def read(client, name, *args):
    answer = client.get(reverse(f"staff:{name}", args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def last_month():
    """An instant in the month before this one, and that month."""
    first = timezone.now().astimezone(CHINA).replace(day=1, hour=12, minute=0, second=0, microsecond=0)
    at = first - 5 * DAY
    return at, f"{at:%Y-%m}"


def test_every_refusal_of_a_line_every_fault_of_a_clock_and_every_kind_of_event_has_its_words():
    assert set(REFUSED_WORDS) == set(merging.REFUSALS)
    assert set(CLOCK_WORDS) == set(clocks.FAULTS)
    assert set(EVENT_WORDS) == set(KINDS)


def test_a_gate_is_put_to_its_place_and_taken_away_after_a_second_question(clerk):
    gate = make_gate(**PLACE)
    services.leave(gate.post, by=clerk_actor(), request_id=request_id(), at=timezone.now())
    assert "changsha-transit/network" in read(clerk, "gate-stand", gate.pk)
    asked = post(clerk, "gate-stand", gate.pk, place="changsha-transit/network").content.decode()
    assert asked.count('name="services"') == asked.count("checked") == 2 and not Post.objects.filter(state="standing")
    none = post(clerk, "gate-stand", gate.pk, place="changsha-transit/network", asked="1")
    assert 'name="services"' in none.content.decode() and not Post.objects.filter(state="standing"), "at least one"
    post(clerk, "gate-stand", gate.pk, place="changsha-transit/network", asked="1", services=["metro"])
    row = Post.objects.get(state="standing")
    assert row.services == ["metro"] and "地铁" in read(clerk, "gate", gate.pk)
    assert "sure" in post(clerk, "post-leave", row.pk).content.decode()
    post(clerk, "post-leave", row.pk, sure="1")
    row.refresh_from_db()
    assert row.state == "ended"
    post(clerk, "gate-stand", gate.pk, place="changsha-transit/network", asked="1", services=["metro", "bus"])
    services.leave(gate.post, by=clerk_actor(), request_id=request_id(), at=timezone.now())
    post(clerk, "gate-stand", gate.pk, place="changsha-zoo/gate")
    assert [one.services for one in Post.objects.order_by("pk")] == [[], ["metro"], [], []], "all, and the only one"


def clerk_actor():
    return make_actor("clerk", person="p-clerk")


def test_the_pages_say_what_is_amiss_with_a_gate(clerk):
    now = timezone.now()
    gate, other, code = make_gate("北门", **PLACE), make_gate("南门", **PLACE), bytes(10)
    upload(gate, gate.says("redeem", voucher=code, at=now, **PLACE), gate.says(seq=1, at=now, **PLACE),
           gate.says(at=now + 3 * DAY, **PLACE), at=now)
    upload(other, other.says("redeem", voucher=code, at=now + HOUR, **PLACE), at=now)
    services.merge(b"spoilt\n", carrier=gate.row, at=now)
    page = read(clerk, "gates")
    assert "北门" in page and "南门" in page
    page = read(clerk, "gate", gate.pk)
    for said in ("contradicts itself", "The clock runs ahead", "Not in the form of a log"):
        assert said in page or CHINESE[said] in page


CHINESE = {"contradicts itself": "自相矛盾", "The clock runs ahead": "时钟偏快",
           "Not in the form of a log": "不符合日志格式"}


def test_a_voucher_is_found_by_its_code_cancelled_moved_printed_and_shared_with_a_companion(clerk, own_store):
    now, gate = timezone.now(), make_gate(**PLACE)
    wanted = make_wanted(begins=now, ends=now + HOUR, companions=1)
    rows = [services.issue(wanted, gate.post, request_id=request_id(), at=now) for _ in range(2)]
    found = clerk.post(reverse("staff:vouchers"), {"code": to_base32(bytes(rows[0].code)).lower()}).content.decode()
    assert reverse("staff:voucher", args=[rows[0].pk]) in found
    assert reverse("staff:voucher", args=[rows[1].pk]) not in found
    assert clerk.post(reverse("staff:vouchers"), {"code": "1"}).status_code == 200
    post(clerk, "voucher-cancel", rows[0].pk, why="误领")
    post(clerk, "voucher-move", rows[1].pk, begins=f"{now + DAY:%Y-%m-%d %H:%M}", hours="2")
    assert list(Voucher.objects.order_by("pk").values_list("state", flat=True)) == ["cancelled", "cancelled", "issued"]
    assert "误领" in read(clerk, "voucher", rows[0].pk)
    moved = Voucher.objects.get(state="issued")
    assert "<svg xmlns" not in read(clerk, "voucher", moved.pk)
    assert post(clerk, "voucher-slip", moved.pk).redirect_chain, "there is nothing to print yet"
    post(clerk, "voucher-companion", moved.pk)
    post(clerk, "voucher-companion", moved.pk)
    beside = Voucher.objects.get(beside=moved)
    for row in (moved, beside):
        scope.leave(connection)
        services.sign_voucher(row.pk, at=now)
        for page in ("voucher", "voucher-slip"):
            assert "<svg xmlns" in read(clerk, page, row.pk)
    page = read(clerk, "voucher", moved.pk)
    assert reverse("staff:voucher", args=[beside.pk]) in page and reverse("staff:voucher", args=[rows[1].pk]) in page
    assert reverse("staff:voucher-companion", args=[moved.pk]) not in page, "nobody else comes along"


def test_a_month_is_settled_on_the_pages_by_two_persons(clerk, client, own_store, tmp_path):
    at, month = last_month()
    gate = make_gate(**PLACE)
    told = {**PLACE, "at": at}
    upload(gate, gate.says(**told), gate.says(**told), at=at)
    post(clerk, "settlement-new", operator="changsha-transit", area=str(make_area().code), month=month)
    row = Statement.objects.get()
    assert clerk.get(reverse("staff:settlement-file", args=[row.pk, "json"])).status_code == 404
    post(clerk, "settlement-step", row.pk, "send_statement")
    scope.leave(connection)
    services.sign_statement(row.pk, at=timezone.now())
    post(clerk, "settlement-dispute", row.pk, gate=str(gate.pk), seq="77", why="当天停运")
    assert not Dispute.objects.exists()
    post(clerk, "settlement-dispute", row.pk, gate=str(gate.pk), seq="2", why="当天停运")
    assert "当天停运" in read(clerk, "settlement", row.pk)
    client.force_login(make_officer("approver", person="p-approver"))
    post(client, "dispute-decide", Dispute.objects.get().pk, "uphold_dispute")
    client.force_login(make_officer("clerk", person="p-clerk"))
    post(client, "settlement-step", row.pk, "agree_statement")
    client.force_login(make_officer("approver", person="p-approver"))
    post(client, "settlement-step", row.pk, "close_statement")
    row.refresh_from_db()
    assert (row.state, row.counted, row.fen) == ("closed", 1, 200)
    data = client.get(reverse("staff:settlement-file", args=[row.pk, "json"])).content
    assert services.check_file(data).fen == 200
    table = client.get(reverse("staff:settlement-file", args=[row.pk, "csv"]))
    assert table.content.decode().count("\n") == 3
    assert json.loads(json.loads(data)["head"])["struck"]


def test_a_draft_is_thrown_away_after_a_second_question(clerk):
    at, month = last_month()
    gate = make_gate(**PLACE)
    upload(gate, gate.says(**PLACE, at=at), at=at)
    post(clerk, "settlement-new", operator="changsha-transit", area=str(make_area().code), month=month)
    row = Statement.objects.get()
    post(clerk, "settlement-step", row.pk, "discard_statement")
    row.refresh_from_db()
    assert row.state == "draft"
    post(clerk, "settlement-step", row.pk, "discard_statement", sure="1")
    row.refresh_from_db()
    assert row.state == "discarded"
    assert clerk.post(reverse("staff:settlement-step", args=[row.pk, "nonsense"]),
                      {"request_id": str(request_id())}).status_code == 404


def test_the_command_reckons_a_statement_again(own_store, tmp_path, clerk):
    from typer.testing import CliRunner

    from zhengka.cli.app import app
    from zhengka.gates import queries

    at, month = last_month()
    gate = make_gate(**PLACE)
    upload(gate, gate.says(**PLACE, at=at), at=at)
    post(clerk, "settlement-new", operator="changsha-transit", area=str(make_area().code), month=month)
    row = Statement.objects.get()
    post(clerk, "settlement-step", row.pk, "send_statement")
    row.refresh_from_db()
    file = tmp_path / "statement.json"
    file.write_bytes(queries.to_json(row))
    told = CliRunner().invoke(app, ["settlement", "verify", str(file)])
    assert told.exit_code == 0, told.output
    assert "1 events, 1 counted, 2.00 yuan" in told.output


def test_months_before_are_those_that_are_over():
    at = dt.datetime(2026, 1, 1, tzinfo=CHINA)
    assert [f"{one:%Y-%m}" for one in services.months_before(at, 2)] == ["2025-12", "2025-11"]
