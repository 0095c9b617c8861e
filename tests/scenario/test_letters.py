"""Letters from the desk to the person: written once, carried once, and what became of them."""

import datetime as dt
import hashlib
import hmac
import io
import json
import socket
from dataclasses import replace
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction
from pypdf import PdfReader

from builders import NOON, make_actor, make_area, make_card, request_id
from lettering import SECRET, TO, listening, make_letter, message, slots
from zhengka.core import files
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.letters import contents, queries, senders, services, tasks
from zhengka.letters.models import Letter
from zhengka.letters.rules import LOST_AFTER, Recipient
from zhengka.letters.senders import Parcel, Receipt
from zhengka.letters.services import paper

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def again(letter: Letter) -> Letter:
    return Letter.objects.get(pk=letter.pk)


def jobs() -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE task_name = 'letters.send' ORDER BY id")
        return [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in cursor.fetchall()]


def acts(letter: Letter) -> list[str]:
    return list(Event.objects.filter(subject="letter", subject_id=letter.pk).order_by("version").values_list(
        "action", flat=True))


@pytest.fixture
def with_provider(settings):
    """Settings that name a provider, by its address."""
    def set_(url: str) -> None:
        settings.SMS_URL, settings.SMS_SECRET = url, SECRET
    return set_


# -- writing -----------------------------------------------------------------------------------------------------------
def test_a_letter_waits_in_the_outbox_sealed_and_workers_are_asked_to_carry_it():
    clerk = make_actor("clerk")
    message_, sheet = services.write(message("acceptance", "sms", "print"), by=clerk, request_id=request_id(), at=NOON)
    assert (message_.state, sheet.state) == ("queued", "queued")
    assert jobs() == [{"letter_id": message_.pk}], "paper is no worker's"
    for row in (message_, sheet):
        sealed = bytes(row.recipient) + bytes(row.words)
        assert "𠮷田明".encode() not in sealed and b"13800138000" not in sealed
        assert acts(row) == ["write"]
        facts = Event.objects.get(subject="letter", subject_id=row.pk).facts
        assert facts == {"template": "acceptance", "channel": row.channel}


def test_each_way_keeps_no_more_of_a_person_than_it_needs():
    clerk = make_actor("clerk")
    sms, sheet = services.write(message("acceptance", "sms", "print"), by=clerk, request_id=request_id(), at=NOON)
    assert contents.recipient(sms) == TO._replace(address="") and contents.recipient(sheet) == TO._replace(phone="")
    assert TO.name not in "".join(contents.words(sms).paragraphs) and TO.name in contents.words(sheet).greeting


def test_who_was_told_of_an_occasion_in_a_way_is_not_told_again():
    card, clerk, asked = make_card(), make_actor("clerk"), request_id()
    (first,) = services.write(message("activation-reminder", subject=card, occasion="2027-60"), by=clerk,
                              request_id=asked, at=NOON)
    for request in (asked, request_id()):
        (second,) = services.write(message("activation-reminder", subject=card, occasion="2027-60"), by=clerk,
                                   request_id=request, at=NOON + MINUTE)
        assert second.pk == first.pk
    (third,) = services.write(message("activation-reminder", subject=card, occasion="2027-30"), by=clerk,
                              request_id=asked, at=NOON)
    assert third.pk != first.pk and len(jobs()) == 2


def test_one_use_case_writes_several_letters_under_one_request():
    card, clerk, asked = make_card(), make_actor("approver"), request_id()
    found = [services.write(message(kind, "print", "sms", subject=card), by=clerk, request_id=asked, at=NOON)
             for kind in ("decision-refused", "ways-to-dispute")]
    assert len({letter.pk for pair in found for letter in pair}) == 4


@pytest.fixture
def other_wordings(settings, tmp_path):
    """An installation whose folder of wordings is empty."""
    yield lambda: (setattr(settings, "DATA", tmp_path), queries.wordings.cache_clear())
    queries.wordings.cache_clear()


def test_what_a_letter_says_stays_whatever_becomes_of_the_file_that_worded_it(other_wordings):
    letter = make_letter("card-ready", "print")
    other_wordings()
    with pytest.raises(Refusal, match="letter-unknown"):
        make_letter("card-ready", "print")
    assert "您的新卡做好了。" in contents.words(letter).paragraphs
    assert b"html" in queries.as_file(letter, "html")


@pytest.mark.parametrize(("role", "other", "code"), [
    ("leader", {}, "not-permitted"), ("clerk", {"slots": {}}, "letter-slots-wrong"),
    ("clerk", {"recipient": Recipient("王")}, "letter-no-way"),
    ("clerk", {"slots": slots("acceptance", office="x" * 25)}, "letter-text-unfit")])
def test_a_letter_that_cannot_be_is_refused_and_nothing_is_written(role, other, code):
    with pytest.raises(Refusal, match=code):
        services.write(message(**other), by=make_actor(role), request_id=request_id(), at=NOON)
    assert not Letter.objects.exists() and not jobs()


def test_nobody_writes_from_another_office():
    elsewhere = make_actor("clerk", area=make_area(430702))
    with pytest.raises(Refusal, match="not-found"):
        services.write(message(), by=elsewhere, request_id=request_id(), at=NOON)


def test_before_any_wording_holds_there_is_no_letter():
    with pytest.raises(Refusal, match="letter-unknown"):
        services.write(message(), by=SYSTEM, request_id=request_id(), at=dt.datetime(2017, 6, 1, tzinfo=dt.UTC))


@pytest.mark.parametrize("other", [
    {"kind": "love-letter"}, {"channels": ("pigeon",)}, {"recipient": TO._replace(language="fr")},
    {"occasion": "王 2027"}, {"occasion": ""}, {"occasion": "a" * 41}])
def test_a_message_that_no_letter_can_be_is_the_callers_fault(other):
    with pytest.raises(ValueError, match="no such letter"):
        replace(message(), **other)


def test_a_preview_says_what_the_letter_will():
    asked = message("appointment", "sms")
    (letter,) = services.write(asked, by=SYSTEM, request_id=request_id(), at=NOON)
    assert services.preview(asked, "sms", at=NOON) == contents.words(letter)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_write_the_same_letter_at_once_one_writes_it(empty_queue):
    asked, clerks, found, start = message(), [make_actor("clerk"), make_actor("reviewer")], [], Barrier(2)

    def run(clerk) -> None:
        start.wait()
        found.extend(services.write(asked, by=clerk, request_id=request_id(), at=NOON))
        connections.close_all()
    threads = [Thread(target=run, args=[clerk]) for clerk in clerks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({letter.pk for letter in found}) == 1 and len(found) == 2 and len(jobs()) == 1


# -- carrying ----------------------------------------------------------------------------------------------------------
def test_without_a_provider_a_message_stays_sealed_in_the_file_store():
    letter = services.send(make_letter().pk, at=NOON)
    assert (letter.state, letter.sender, letter.sent_at) == ("sent", "store", NOON)
    assert files.get_sealed(letter.reference, senders.STORE).decode() == contents.words(letter).paragraphs[0]
    assert acts(letter) == ["write", "start", "confirm_sent"]


def test_a_file_for_a_screen_reader_is_kept_whole():
    letter = services.send(make_letter("decision-refused", "file").pk, at=NOON)
    page = files.get_sealed(letter.reference, senders.STORE).decode()
    assert page.startswith('<!doctype html><html lang="zh-Hans">') and "𠮷田明" in page and "<h1>" in page


def test_a_folder_gets_each_message_whole_for_another_system_to_take(settings, tmp_path):
    settings.OUTBOX = str(tmp_path / "out")
    sms, page = make_letter(), make_letter("card-ready", "file")
    assert [services.send(each.pk, at=NOON).sender for each in (sms, page)] == ["folder", "folder"]
    told = json.loads((tmp_path / "out" / f"letter-{sms.pk}.json").read_text("utf-8"))
    assert told == {"id": str(sms.pk), "to": TO.phone, "text": contents.words(sms).paragraphs[0]}
    written = tmp_path / "out" / f"letter-{page.pk}.html"
    assert "𠮷田明" in written.read_text("utf-8") and written.stat().st_mode & 0o777 == 0o600
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_folder_that_cannot_be_written_is_tried_again(settings, tmp_path):
    (tmp_path / "out").write_text("a file")
    settings.OUTBOX = str(tmp_path / "out")
    letter = services.send(make_letter().pk, at=NOON)
    assert (letter.state, letter.problem, letter.retry_at) == ("failed", "folder-full", NOON + MINUTE)


def test_a_provider_gets_one_signed_message_and_its_reference_is_kept(with_provider):
    letter = make_letter()
    with listening((200, {"reference": "P-1"})) as (url, heard):
        with_provider(url)
        services.send(letter.pk, at=NOON)
        services.send(letter.pk, at=NOON)
    ((headers, body),) = heard
    assert json.loads(body) == {"id": str(letter.pk), "to": TO.phone, "text": contents.words(letter).paragraphs[0]}
    signed = headers["X-Zhengka-Time"].encode() + b"." + body
    assert headers["X-Zhengka-Signature"] == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Zhengka-Time"] == "2026-11-20T04:00:00Z" and headers["Idempotency-Key"] == str(letter.pk)
    letter = again(letter)
    assert (letter.state, letter.sender, letter.reference, letter.tries) == ("sent", "provider", "P-1", 1)


@pytest.mark.parametrize(("answer", "state", "problem", "again_"), [
    ((503, {}), "failed", "provider-busy", True), ((429, {}), "failed", "provider-busy", True),
    ((400, {"error": "13800138000"}), "failed", "provider-refused", False),
    ((302, {}), "failed", "provider-refused", False),
    ((500, {}), "unknown", "", False), ((200, b"OK"), "unknown", "", False),
    ((200, {"reference": 7}), "unknown", "", False),
    ((200, ["x"]), "unknown", "", False), ((200, {"reference": "a\nb"}), "unknown", "", False),
    ("hang up", "unknown", "", False)])
def test_what_a_provider_answers_decides_whether_a_message_may_be_tried_again(with_provider, answer, state, problem,
                                                                              again_):
    with listening(answer) as (url, heard):
        with_provider(url)
        letter = services.send(make_letter().pk, at=NOON)
    assert len(heard) == 1
    assert (letter.state, letter.problem, letter.retry_at is not None) == (state, problem, again_)
    reason = Event.objects.filter(subject="letter").latest("version").facts["reason"]
    assert reason == (problem or ("no-answer" if answer == "hang up" else "answer-unclear"))
    assert "13800138000" not in str(list(Event.objects.filter(subject="letter").values_list("facts", flat=True)))


def test_a_provider_that_is_slow_leaves_the_outcome_unknown(with_provider, monkeypatch):
    monkeypatch.setattr(senders, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with_provider(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        letter = services.send(make_letter().pk, at=NOON)
    assert letter.state == "unknown" and services.retry(at=NOON + dt.timedelta(days=9)) == 0


def test_a_provider_that_is_not_there_is_tried_again_later_and_later_and_then_no_more(with_provider):
    with listening((200, {})) as (url, _):
        with_provider(url)  # and gone
    letter, at, pauses = make_letter(), NOON, []
    while (row := services.send(letter.pk, at=at)).retry_at:
        assert (row.state, row.problem) == ("failed", "provider-away")
        pauses.append(row.retry_at - at)
        assert services.retry(at=row.retry_at - MINUTE / 2) == 0
        at = row.retry_at
        assert services.retry(at=at) == 1 and again(letter).state == "queued"
    assert pauses == sorted(pauses) and len(pauses) == 4 and row.state == "failed" and row.tries == 5
    assert services.retry(at=at + dt.timedelta(days=30)) == 0


def test_a_message_tried_again_goes_out_once(with_provider):
    letter = make_letter()
    with listening((503, {}), (200, {"reference": "P-2"})) as (url, heard):
        with_provider(url)
        services.send(letter.pk, at=NOON)
        services.retry(at=NOON + MINUTE)
        tasks.send(letter.pk)
    assert len(heard) == 2 and heard[0][0]["Idempotency-Key"] == heard[1][0]["Idempotency-Key"]
    assert again(letter).reference == "P-2"


class Died(BaseException):
    """What kills a worker."""


def by(sender):
    """The choice of one sender for every channel."""
    return lambda _channel: sender


def dying(_parcel: Parcel, _at: dt.datetime) -> Receipt:
    raise Died


def never(_parcel: Parcel, _at: dt.datetime) -> Receipt:
    raise AssertionError("sent again")


def unsure(_parcel: Parcel, _at: dt.datetime) -> Receipt:
    raise senders.Unsure("no-answer")


def test_a_worker_that_dies_while_sending_leaves_an_unknown_outcome_and_nothing_is_sent_again():
    letter = make_letter()
    with pytest.raises(Died):
        services.send(letter.pk, at=NOON, choose=by(dying))
    assert again(letter).state == "sending", "the intent is written down"
    services.send(letter.pk, at=NOON, choose=by(never))  # the dead worker's job, given to another one
    assert services.retry(at=NOON + LOST_AFTER - MINUTE) == 0 and again(letter).state == "sending"
    assert services.retry(at=NOON + LOST_AFTER) == 1 and again(letter).state == "unknown"
    services.send(letter.pk, at=NOON, choose=by(never))
    assert acts(letter) == ["write", "start", "lose_track"]


def test_a_sender_with_a_fault_of_its_own_leaves_the_outcome_unknown():
    def broken(_parcel: Parcel, _at: dt.datetime) -> Receipt:
        raise RuntimeError("a bug")
    assert services.send(make_letter().pk, at=NOON, choose=by(broken)).state == "unknown"


def test_a_worker_that_comes_back_late_still_tells_what_it_knows():
    letter = make_letter()

    def slow(_parcel: Parcel, at: dt.datetime) -> Receipt:
        services.retry(at=at + LOST_AFTER)
        assert again(letter).state == "unknown"
        return Receipt("provider", "late")
    assert services.send(letter.pk, at=NOON, choose=by(slow)).state == "sent" and again(letter).reference == "late"


def test_a_late_worker_says_nothing_about_what_is_sent_for_another_time():
    letter = make_letter()

    def slow(_parcel: Parcel, at: dt.datetime) -> Receipt:
        services.retry(at=at + LOST_AFTER)
        services.send_again(again(letter), by=SYSTEM, request_id=request_id(), at=at)
        with pytest.raises(Died):
            services.send(letter.pk, at=at + 2 * LOST_AFTER, choose=by(dying))
        return Receipt("provider", "of the first time")
    services.send(letter.pk, at=NOON, choose=by(slow))
    assert (again(letter).state, again(letter).reference) == ("sending", "")


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_carries_a_letter(empty_queue, with_provider):
    letter, start = make_letter(), Barrier(6)

    def run() -> None:
        start.wait()
        services.send(letter.pk, at=NOON)
        connections.close_all()
    with listening((200, {"reference": "P-3"})) as (url, heard):
        with_provider(url)
        threads = [Thread(target=run) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(heard) == 1 and again(letter).state == "sent"


def test_a_message_whose_job_was_lost_gets_another_and_paper_does_not():
    letter = make_letter()
    make_letter(channel="print")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    tasks.retry(int((NOON + LOST_AFTER).timestamp()))
    assert jobs() == [{"letter_id": letter.pk}]


# -- what became of it -------------------------------------------------------------------------------------------------
def test_a_message_arrives_or_comes_back_and_the_report_may_come_twice():
    clerk, asked = make_actor("clerk"), request_id()
    sent = services.send(make_letter().pk, at=NOON)
    assert services.mark_delivered(sent, by=clerk, request_id=asked, at=NOON).state == "delivered"
    with pytest.raises(Replayed):
        services.mark_delivered(sent, by=clerk, request_id=asked, at=NOON)
    back = services.come_back(services.send(make_letter().pk, at=NOON), by=clerk, request_id=request_id(), at=NOON)
    assert (back.state, back.problem, services.retry(at=NOON + dt.timedelta(days=9))) == ("failed", "came-back", 0)


def test_an_officer_decides_about_an_unknown_outcome():
    clerk = make_actor("clerk")
    first, second, third = (services.send(make_letter().pk, at=NOON, choose=by(unsure)) for _ in range(3))
    assert services.mark_delivered(first, by=clerk, request_id=request_id(), at=NOON).sent_at == NOON
    assert services.cancel(second, by=clerk, request_id=request_id(), at=NOON).state == "cancelled"
    assert services.send_again(third, by=clerk, request_id=request_id(), at=NOON).state == "queued"
    assert services.send(third.pk, at=NOON).state == "sent"


def test_a_letter_that_is_taken_back_is_not_sent_by_the_job_that_waited():
    letter = make_letter()
    services.cancel(letter, by=make_actor("clerk"), request_id=request_id(), at=NOON)
    tasks.send(letter.pk)
    assert again(letter).state == "cancelled"
    with pytest.raises(Refusal, match="step-not-open"):
        services.send_again(letter, by=make_actor("clerk"), request_id=request_id(), at=NOON)


# -- paper -------------------------------------------------------------------------------------------------------------
def test_all_that_waits_for_paper_is_printed_in_one_run_and_a_repeat_prints_the_same():
    clerk, asked = make_actor("clerk"), request_id()
    waiting = [make_letter(kind, "print") for kind in ("acceptance", "card-ready", "decision-refused")]
    make_letter()
    run = services.print_many("print", by=clerk, request_id=asked, at=NOON)
    assert [letter.pk for letter in run] == [letter.pk for letter in waiting]
    assert {(letter.state, letter.sender, letter.run) for letter in run} == {("sent", "office", asked)}
    assert services.print_many("print", by=clerk, request_id=asked, at=NOON) == run
    assert all(acts(letter) == ["write", "print"] for letter in run)
    made = queries.printed(run)
    assert [page.extract_text().splitlines()[2] for page in PdfReader(io.BytesIO(made)).pages] == [
        "受理通知", "请来领卡", "不予批准决定"]
    (told,) = queries.runs(actor=clerk, since=NOON - MINUTE)
    assert (told.number, told.letters, told.channel) == (asked, 3, "print")
    with pytest.raises(Refusal, match="letter-nothing-to-print"):
        services.print_many("print", by=clerk, request_id=request_id(), at=NOON)


def test_a_run_is_printed_again_when_the_paper_jams_and_the_event_is_kept_once():
    clerk, asked, once_more = make_actor("clerk"), request_id(), request_id()
    first, second = make_letter("acceptance", "print"), make_letter("card-ready", "print")
    services.print_many("print", by=clerk, request_id=asked, at=NOON)
    services.mark_delivered(again(first), by=clerk, request_id=request_id(), at=NOON)
    for _ in range(2):
        (printed,) = services.print_again(asked, by=clerk, request_id=once_more, at=NOON)
        assert printed.pk == second.pk
    assert acts(second) == ["write", "print", "print"]
    with pytest.raises(Refusal, match="letter-nothing-to-print"):
        services.print_again(uuid4(), by=clerk, request_id=request_id(), at=NOON)


def test_a_run_of_braille_is_one_file_with_each_letter_on_new_pages():
    for kind in ("acceptance", "card-ready"):
        make_letter(kind, "braille")
    run = services.print_many("braille", by=make_actor("clerk"), request_id=request_id(), at=NOON)
    assert queries.printed(run).count(b"\f") >= 2


def test_a_message_is_not_printed_nor_another_offices_letter():
    make_letter("acceptance", "print")
    elsewhere = make_actor("clerk", area=make_area(430702))
    with pytest.raises(Refusal, match="letter-nothing-to-print"):
        services.print_many("print", by=elsewhere, request_id=request_id(), at=NOON)
    with pytest.raises(Refusal, match="letter-not-printed"):
        services.print_many("sms", by=make_actor("clerk"), request_id=request_id(), at=NOON)
    with pytest.raises(Refusal, match="not-permitted"):
        services.print_many("print", by=make_actor("leader"), request_id=request_id(), at=NOON)


def test_a_run_takes_no_more_than_a_stack(monkeypatch):
    monkeypatch.setattr(paper, "RUN", 2)
    for _ in range(3):
        make_letter("acceptance", "print")
    clerk = make_actor("clerk")
    assert [len(services.print_many("print", by=clerk, request_id=request_id(), at=NOON)) for _ in range(2)] == [2, 1]


# -- reading -----------------------------------------------------------------------------------------------------------
def test_who_has_a_letter_made_in_full_is_written_down_and_a_form_there_is_not_is_refused():
    clerk, letter = make_actor("clerk"), make_letter("acceptance", "print")
    services.read(letter, "brf", by=clerk, request_id=request_id(), at=NOON)
    event = Event.objects.filter(subject="letter", subject_id=letter.pk).latest("version")
    assert (event.action, event.facts, event.person) == ("read", {"form": "brf"}, clerk.person)
    with pytest.raises(Refusal, match="not-found"):
        services.read(letter, "doc", by=clerk, request_id=request_id(), at=NOON)


def test_letters_of_a_subject_and_of_a_state_are_seen_in_ones_own_area_only():
    card = make_card()
    ours = [make_letter(kind, "print", subject=card) for kind in ("acceptance", "card-ready")]
    clerk, elsewhere = make_actor("clerk"), make_actor("clerk", area=make_area(430702))
    seen = queries.of_subjects([("card", card.pk)], actor=clerk).order_by("-pk")
    assert [letter.pk for letter in seen] == [ours[1].pk, ours[0].pk]
    assert not queries.of_subjects([("case", card.pk)], actor=clerk) and not queries.of_subjects([], actor=clerk)
    assert queries.counts(actor=clerk) == {"queued": 2} and queries.waiting(actor=clerk) == {"print": 2}
    assert not queries.of_subjects([("card", card.pk)], actor=elsewhere) and not queries.counts(actor=elsewhere)
    with pytest.raises(Refusal, match="not-found"):
        queries.letter(ours[0].pk, actor=elsewhere)


# -- the database's own promises ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(("change", "promise"), [
    ({"channel": "pigeon"}, "letter_channel_known"), ({"occasion": "王"}, "letter_occasion_slug"),
    ({"state": "sent"}, "letter_sent_at"), ({"state": "unknown"}, "letter_sending_at"),
    ({"state": "failed"}, "letter_failed_why"), ({"problem": "provider-away"}, "letter_failed_why"),
    ({"retry_at": NOON}, "letter_retry_failed"), ({"state": "lost"}, "letter_state_known"),
    ({"template": "love-letter"}, "letter_template_known"), ({"language": "fr"}, "letter_language_known")])
def test_the_database_refuses_a_letter_that_cannot_be(change, promise):
    letter = make_letter()
    with pytest.raises(IntegrityError, match=promise), transaction.atomic():
        Letter.objects.filter(pk=letter.pk).update(**change)


def test_the_site_changes_no_word_of_a_letter_and_sees_none_of_another_area(as_web):
    letter = make_letter()
    as_web(430104_000000, 430104_999999)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Letter.objects.filter(pk=letter.pk).update(words=b"")
    as_web(430702_000000, 430702_999999)
    assert not Letter.objects.filter(pk=letter.pk).exists()
