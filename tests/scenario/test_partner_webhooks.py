"""Webhooks: told in the transaction of what happened, signed, delivered at least once, and never into our own house."""

import datetime as dt
import json
import ssl
import subprocess
import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

import gating
from builders import NOON, make_actor, make_area, request_id
from partnering import OPERATOR, make_partner, receiver
from zhengka.core import signed
from zhengka.core.errors import Refusal
from zhengka.formats.voucher import to_base32
from zhengka.partners import rules, sending, services
from zhengka.partners.models import Delivery, Webhook
from zhengka.partners.sending import NotTaken, Parcel, Ways

pytestmark = pytest.mark.django_db
LISTED = {"list": 0, "version": 7, "digest": "ab" * 32, "size": 120, "url": "/bundle/status-0.bin"}
HERE = Ways(sending.by_system, loopback=True, patience=3)


@pytest.fixture(autouse=True)
def a_sandbox(settings):
    settings.WEBHOOK_LOOPBACK = True


def subscribe(url, *, events=("list.published",), partner=None):
    partner = partner or make_partner().partner
    return services.subscribe(partner, url, events, by=make_actor("system", area=partner.area), request_id=request_id(),
                              at=NOON)


def told(**changed):
    return services.tell("list.published", LISTED, at=NOON, **changed)


def test_what_happened_is_told_signed_under_an_id_of_its_own():
    with receiver(204) as (port, got):
        webhook, secret = subscribe(f"http://127.0.0.1:{port}/hook?of=bus")
        assert told() == 1
        assert services.deliver(webhook.pk, at=NOON, ways=HERE) == 1
    [(head, body)] = got
    said = json.loads(body)
    assert said == {"id": head["X-Zhengka-Delivery"], "event": "list.published", "at": "2026-11-20T04:00:00Z",
                    "operator": OPERATOR, **LISTED}
    stamp, mark, now = head["X-Zhengka-Time"], head["X-Zhengka-Signature"], timezone.now()
    assert signed.is_signed(secret, stamp, body, mark, at=now)
    assert not signed.is_signed(secret, stamp, body + b" ", mark, at=now)
    row = Delivery.objects.get()
    assert row.delivered_at == NOON and row.next_at is None and row.tries == 1


def test_what_was_rolled_back_is_told_to_nobody():
    subscribe("http://127.0.0.1:9/")
    with pytest.raises(RuntimeError), transaction.atomic():
        told()
        raise RuntimeError
    assert not Delivery.objects.exists()


def test_only_those_are_told_who_asked_for_the_event_and_are_the_operator_and_still_there():
    other = make_partner(operator="another").partner
    for events, partner in ((("list.published",), None), (("statement.sent",), None), (("list.published",), other)):
        subscribe("https://hooks.example.org/", events=events, partner=partner)
    ended, _ = subscribe("https://ended.example.org/")
    services.unsubscribe(ended, by=make_actor("system"), request_id=request_id(), at=NOON)
    stopped, _ = subscribe("https://stopped.example.org/")
    services.change(stopped.partner, "stop", by=make_actor("system"), request_id=request_id(), at=NOON)
    assert told() == 2 and told(operator=OPERATOR) == 1 and told(operator="nobody") == 0


def test_an_officer_of_one_office_tells_operators_of_every_office(as_web):
    subscribe("https://hooks.example.org/", partner=make_partner(make_area(430702, name="武陵区")).partner)
    as_web(430104000000, 430104999999)
    assert told() == 1


def test_a_field_too_many_or_too_few_is_told_to_nobody():
    for wrong in ({**LISTED, "name": "田野"}, {}):
        with pytest.raises(ValueError, match="tells"):
            services.tell("list.published", wrong, at=NOON)


def test_what_was_not_taken_is_tried_again_later_and_given_up_at_last():
    with receiver(500) as (port, got):
        webhook, _ = subscribe(f"http://127.0.0.1:{port}/")
        told()
        at = NOON
        for pause in rules.PAUSES:
            assert services.deliver(webhook.pk, at=at, ways=HERE) == 0
            row = Delivery.objects.get()
            assert (row.next_at, row.problem) == (at + pause, "not-taken")
            assert services.deliver(webhook.pk, at=at + pause - dt.timedelta(seconds=1), ways=HERE) == 0
            at += pause
        services.deliver(webhook.pk, at=at, ways=HERE)
        row.refresh_from_db()
        assert (row.next_at, row.given_up_at, row.tries) == (None, at, len(rules.PAUSES) + 1)
        assert len(got) == row.tries and len({head["X-Zhengka-Delivery"] for head, _ in got}) == 1
        assert services.deliver(webhook.pk, at=at + dt.timedelta(days=9), ways=HERE) == 0


def test_what_was_given_up_is_sent_again_by_hand_and_nothing_else_is():
    subscribe("http://127.0.0.1:9/")
    told()
    row = Delivery.objects.get()
    system = make_actor("system")
    with pytest.raises(Refusal, match="delivery-not-given-up"):
        services.send_again(row, by=system, at=NOON)
    Delivery.objects.update(next_at=None, given_up_at=NOON, problem="not-taken")
    with pytest.raises(Refusal, match="not-permitted"):
        services.send_again(row, by=make_actor("security"), at=NOON)
    assert services.send_again(row, by=system, at=NOON).next_at == NOON


def test_the_first_that_is_not_taken_keeps_those_behind_it_waiting():
    with receiver(204, 503) as (port, got):
        webhook, _ = subscribe(f"http://127.0.0.1:{port}/")
        for _ in range(4):
            told()
        assert services.deliver(webhook.pk, at=NOON, ways=HERE) == 1
        assert len(got) == 2 and services.sweep(at=NOON) == 1


def test_a_worker_that_died_in_the_middle_leaves_a_delivery_that_comes_again():
    webhook, _ = subscribe("http://127.0.0.1:9/")
    told()

    def dies(host, port):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        services.deliver(webhook.pk, at=NOON, ways=Ways(dies, loopback=True))
    row = Delivery.objects.get()
    assert row.tries == 1 and NOON < row.next_at < NOON + dt.timedelta(minutes=5)


def test_what_was_taken_is_never_changed_and_a_body_never():
    subscribe("http://127.0.0.1:9/")
    told()
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Delivery.objects.update(body="{}")
    Delivery.objects.update(next_at=None, delivered_at=NOON)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Delivery.objects.update(delivered_at=None, next_at=NOON)


def test_old_answers_and_deliveries_are_forgotten_and_what_waits_never():
    subscribe("http://127.0.0.1:9/")
    for _ in range(3):
        told()
    first, second, _ = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(next_at=None, delivered_at=NOON)
    Delivery.objects.filter(pk=second.pk).update(next_at=None, given_up_at=NOON)
    assert services.forget(at=NOON + dt.timedelta(days=31)) == 1
    assert services.forget(at=NOON + dt.timedelta(days=181)) == 1
    assert Delivery.objects.count() == 1


# -- where nothing is sent to ------------------------------------------------------------------------------------------

BAD = [
    ("127.0.0.1", "address-loopback"), ("127.9.9.9", "address-loopback"), ("::1", "address-loopback"),
    ("::ffff:127.0.0.1", "address-loopback"), ("10.0.0.1", "address-private"), ("172.16.0.1", "address-private"),
    ("192.168.1.1", "address-private"), ("::ffff:10.0.0.1", "address-private"),
    ("169.254.1.1", "address-link-local"), ("fe80::1", "address-link-local"), ("fe80::1%eth0", "address-link-local"),
    ("169.254.169.254", "address-metadata"), ("100.100.100.200", "address-metadata"),
    ("fd00:ec2::254", "address-metadata"), ("::ffff:169.254.169.254", "address-metadata"),
    ("168.63.129.16", "address-metadata"), ("fc00::1", "address-unique-local"),
    ("fd12:3456::1", "address-unique-local"),
    ("64:ff9b::a00:1", "address-translated"), ("2002:a00:1::", "address-translated"),
    ("2001:0:4136:e378::1", "address-translated"), ("::10.0.0.1", "address-translated"),
    ("100.64.0.1", "address-shared"), ("0.0.0.0", "address-not-public"), ("::", "address-not-public"),
    ("224.0.0.1", "address-not-public"), ("ff02::1", "address-not-public"), ("255.255.255.255", "address-not-public"),
    ("240.0.0.1", "address-not-public"), ("192.0.2.1", "address-private"), ("not an address", "address-not-public"),
    ("fec0::1", "address-private"), ("3fff::1", "address-private"), ("2001:db8::1", "address-private"),
    ("::ffff:0:10.0.0.1", "address-translated"), ("2600::5efe:10.0.0.1", "address-translated"),
    ("2600::200:5efe:8.8.8.8", "address-translated"), ("64:ff9b:1::1", "address-translated"),
    ("192.88.99.1", "address-not-public"), ("5f00::1", "address-not-public"), ("100::1", "address-not-public"),
    ("2001:1::1", "address-not-public"), ("4000::1", "address-not-public"), ("1fff::1", "address-not-public"),
    ("::ffff:192.88.99.1", "address-not-public")]


@pytest.mark.parametrize("address, code", BAD)
def test_nothing_is_sent_to_an_address_that_is_not_of_the_public_network(address, code):
    def resolve(host, port):
        return [address]
    with pytest.raises(NotTaken) as no:
        sending.post(Parcel("https://hooks.example.org/", "m", b"{}", "s"), Ways(resolve), at=NOON)
    assert no.value.code == code and code in rules.ADDRESS_FAULTS


@pytest.mark.parametrize("address", [
    "93.184.216.34", "2606:2800:220:1::1", "114.114.114.114", "240e::1", "2001:200::1"])
def test_addresses_of_the_public_network_are_good(address):
    assert rules.address_fault(address) == ""


def test_one_bad_address_among_good_ones_is_enough():
    with pytest.raises(NotTaken, match="address-private"):
        sending.post(Parcel("https://hooks.example.org/", "m", b"{}", "s"),
                     Ways(lambda host, port: ["93.184.216.34", "10.0.0.1"]), at=NOON)


def test_a_name_that_answers_differently_the_next_moment_leads_nowhere():
    asked = []

    def resolve(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]
    with receiver(204) as (port, got):
        sending.post(Parcel(f"http://rebinds.example.org:{port}/", "m", b"{}", "s"), Ways(resolve, loopback=True),
                     at=NOON)
    assert asked == ["rebinds.example.org"] and got[0][0]["Host"] == f"rebinds.example.org:{port}"


@pytest.mark.parametrize("url", [
    "http://hooks.example.org/", "ftp://hooks.example.org/", "https://user:word@hooks.example.org/", "https://localhost/",
    "https://printer/", "https://0x7f.1/", "https://2130706433/", "https://hooks.example.org/#x", "https:///x", "",
    "https://hooks.example.org:99999/", "https://hooks.example.org/ x", "https://hooks.exämple.org/",
    "javascript:alert(1)", "https://[::1", "https://h.example.org\n/", "file:///etc/passwd", "https://a@b.example.org/",
    "https://-a.example.org/", "https://[fec0::1]/", "https://10.0.0.1/", "https://[::ffff:169.254.169.254]/"])
def test_an_address_of_another_form_is_not_entered(settings, url):
    settings.WEBHOOK_LOOPBACK = False
    partner = make_partner().partner
    with pytest.raises(Refusal, match="webhook-url-wrong"):
        subscribe(url, partner=partner)
    assert not Webhook.objects.exists()


def test_this_machine_itself_is_an_address_only_where_the_setting_says_so(settings):
    assert rules.url_fault("http://127.0.0.1:8000/", loopback=True) == ""
    assert rules.url_fault("http://10.0.0.1/", loopback=True) == "https"
    with receiver(204) as (port, got):
        webhook, _ = subscribe(f"https://127.0.0.1:{port}/")
        settings.WEBHOOK_LOOPBACK = False
        for url in ("http://127.0.0.1:8000/", f"https://127.0.0.1:{port}/"):
            with pytest.raises(Refusal, match="webhook-url-wrong"):
                subscribe(url, partner=webhook.partner)
        told()
        services.deliver(webhook.pk, at=NOON)  # it is looked at again when it is used
    assert Delivery.objects.get().problem == "address-loopback" and not got


def test_a_redirect_is_not_followed():
    with receiver(302) as (port, got):
        with pytest.raises(NotTaken, match="redirected"):
            sending.post(Parcel(f"http://127.0.0.1:{port}/", "m", b"{}", "s"), HERE, at=NOON)
        assert len(got) == 1


def test_a_long_answer_is_not_read():
    with receiver(200, body=b"x" * (8 << 20)) as (port, _):
        sending.post(Parcel(f"http://127.0.0.1:{port}/", "m", b"{}", "s"), HERE, at=NOON)


def test_a_name_that_nobody_knows_and_a_port_where_nobody_listens():
    def nowhere(host, port):
        raise OSError
    with pytest.raises(NotTaken, match="name-unknown"):
        sending.post(Parcel("https://hooks.example.org/", "m", b"{}", "s"), Ways(nowhere), at=NOON)
    with pytest.raises(NotTaken, match="no-connection"):
        sending.post(Parcel("http://127.0.0.1:9/", "m", b"{}", "s"), HERE, at=NOON)


def test_a_name_server_that_does_not_answer_holds_nobody_up():
    ended = threading.Event()

    def silent(host, port):
        ended.wait(60)
        return []
    with pytest.raises(NotTaken, match="name-unknown"):
        sending.post(Parcel("https://hooks.example.org/", "m", b"{}", "s"), Ways(silent, patience=0.2), at=NOON)
    assert not ended.is_set()
    ended.set()


def test_who_answers_byte_by_byte_holds_nobody_up():
    import socket
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended, dripped = threading.Event(), []

        def drips():
            taken, _ = server.accept()
            with taken:
                for _ in range(200):
                    if ended.wait(0.05):
                        return
                    try:
                        taken.sendall(b"H")
                        dripped.append(1)
                    except OSError:
                        return
        thread = threading.Thread(target=drips, daemon=True)
        thread.start()
        with pytest.raises(NotTaken, match="no-answer"):
            sending.post(Parcel(f"http://127.0.0.1:{server.getsockname()[1]}/", "m", b"{}", "s"),
                         Ways(sending.by_system, loopback=True, patience=1), at=NOON)
        assert len(dripped) < 200, "it was cut in the middle"
        ended.set()
        thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=hooks.example.org", "-addext", "subjectAltName=DNS:hooks.example.org",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    return folder


def test_tls_is_held_to_the_name_though_the_connection_goes_to_the_checked_address(certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    here = Ways(lambda host, port: ["127.0.0.1"], loopback=True, patience=5)
    with receiver(204, tls=context) as (port, got):
        with pytest.raises(NotTaken, match="certificate-wrong"):
            sending.post(Parcel(f"https://hooks.example.org:{port}/", "m", b"{}", "s"), here, at=NOON)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
        sending.post(Parcel(f"https://hooks.example.org:{port}/", "m", b"{}", "s"), here, at=NOON)
        with pytest.raises(NotTaken, match="certificate-wrong"):
            sending.post(Parcel(f"https://other.example.org:{port}/", "m", b"{}", "s"), here, at=NOON)
    assert len(got) == 1


def test_a_webhook_is_of_its_clients_operator_and_office():
    webhook, _ = subscribe("https://hooks.example.org/")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO partners_webhook SELECT id + 1, province, 'active', 1, 'another', url, events, "
                       "secret, made_at, area, partner_id FROM partners_webhook")
    with pytest.raises(Refusal, match="webhook-known"):
        subscribe("https://hooks.example.org/", partner=webhook.partner)


def test_the_secret_of_a_webhook_lies_sealed():
    webhook, secret = subscribe("https://hooks.example.org/")
    assert secret.encode() not in bytes(webhook.secret)


def test_a_waiting_client_is_told_nothing():
    from partnering import asked
    with pytest.raises(Refusal, match="partner-not-active"):
        subscribe("https://hooks.example.org/", partner=asked())


def test_what_a_gate_without_a_network_redeemed_is_told_once_when_its_log_comes():
    partner = make_partner(operator=gating.OPERATOR).partner
    subscribe("https://hooks.example.org/", events=("voucher.redeemed",), partner=partner)
    gate = gating.make_gate(area=partner.area)
    code = b"0123456789"
    told_by_gate = (gate.says("issue", voucher=code), gate.says("redeem", voucher=code, at=NOON + gating.HOUR / 2))
    for _ in range(2):
        gating.upload(gate, *told_by_gate, at=NOON + gating.HOUR)
    told_once = json.loads(Delivery.objects.get().body)
    assert (told_once["voucher"], told_once["venue"]) == (to_base32(code), gate.venue)
    assert dt.datetime.fromisoformat(told_once["redeemed_at"]) == NOON + gating.HOUR / 2
