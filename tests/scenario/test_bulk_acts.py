"""Bulk acts: asked for in a moment, carried out by workers in groups, killed and repeated without harm."""

import datetime as dt
import inspect
import io
import threading
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

import batches
import builders
from builders import NOON
from portraits import make_photo
from worker import tried, work
from zhengka.accounts.models import Officer
from zhengka.accounts.services import actor_of
from zhengka.areas.models import Area
from zhengka.bulk import services as bulk
from zhengka.bulk.models import Act
from zhengka.cards.models import Card
from zhengka.cases import services as cases
from zhengka.cases.models import Case
from zhengka.cases.services import exchange, many
from zhengka.core import files
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.core.queue import TRIES, task_names
from zhengka.production import services as production
from zhengka.production.models import Batch
from zhengka.registry import services as registry
from zhengka.registry.models import Holder
from zhengka.registry.services import photographs
from zhengka.web.staff.acts import KINDS

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The worker dies."""


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    monkeypatch.setattr(many, "CHUNK", 2)
    monkeypatch.setattr(exchange, "GROUP", 2)
    monkeypatch.setattr(photographs, "GROUP", 2)


def noon() -> dt.datetime:
    return NOON


def asked(action: str = "approve", by=None) -> Act:
    return cases.ask_all(action, by=by or builders.make_actor("approver"), request_id=builders.request_id(), at=NOON)


def carried_out(act: Act, action: str = "approve") -> Act:
    return cases.carry_out_all(act.pk, action, clock=noon)


def told(act: Act) -> tuple:
    act.refresh_from_db()
    return act.state, act.done, act.moved, act.left_alone, act.reasons


def reviewed(count: int, *, reviewer: str = "") -> list[Case]:
    return [builders.make_case(state="reviewed", reviewer=reviewer) for _ in range(count)]


def dying(monkeypatch, module, name: str, *, before: int):
    """Let the worker die after the work of group `before` + 1 was written and before it was kept."""
    original, calls = getattr(module, name), []

    def wrapped(*args, **more):
        done = original(*args, **more)
        calls.append(name)
        if len(calls) == before + 1:
            raise Killed
        return done
    monkeypatch.setattr(module, name, wrapped)


# ---- asking --------------------------------------------------------------------------------------------------------


def test_asking_changes_no_case_and_a_repeat_of_the_request_asks_once():
    reviewed(3)
    approver, key = builders.make_actor("approver"), builders.request_id()
    waiting = ProcrastinateJob.objects.filter(task_name="cases.approve_all").count()
    act = cases.ask_all("approve", by=approver, request_id=key, at=NOON)
    with pytest.raises(Replayed) as again:
        cases.ask_all("approve", by=approver, request_id=key, at=NOON)
    assert again.value.event.subject_id == act.pk and told(act) == ("waiting", 0, 0, 0, {})
    assert act.total == 3 and not Card.objects.exists() and Act.objects.count() == 1
    jobs = ProcrastinateJob.objects.filter(task_name="cases.approve_all").order_by("id")
    assert jobs.count() == waiting + 1 and jobs.last().args == {"act_id": act.pk}


def test_an_act_is_asked_for_by_those_who_may_and_within_their_area():
    with pytest.raises(Refusal, match="not-permitted"):
        asked("approve", builders.make_actor("clerk"))
    clerk = builders.make_actor("clerk", area=builders.make_area(430102))
    unit = builders.make_area(430104)
    for ask in (lambda: cases.ask_exchange([(unit, 1)], by=clerk, request_id=builders.request_id(), at=NOON),
                lambda: registry.receive_photos(pack(), unit, by=clerk, request_id=builders.request_id(), at=NOON)):
        with pytest.raises(Refusal, match="not-found"):
            ask()
    assert not Act.objects.exists()


def test_every_task_that_carries_an_act_out_has_its_words():
    tasks = {name for name in task_names() if "act_id" in inspect.signature(app.tasks[name].func).parameters}
    assert tasks == set(KINDS)


# ---- carrying out --------------------------------------------------------------------------------------------------


def test_all_cases_of_an_area_move_in_groups_and_what_was_left_is_added_up():
    reviewed(5, reviewer="other"), reviewed(2, reviewer="Wang")
    elsewhere = builders.make_case(builders.make_holder(area=builders.make_area(430102)), state="reviewed")
    act = carried_out(asked(by=builders.make_actor("approver", person="Wang")))
    assert told(act) == ("done", 7, 5, 2, {"same-person": 2}) and act.groups == 4 and act.finished_at == NOON
    assert Case.get(elsewhere.pk).state == "reviewed"
    events = Event.objects.filter(subject="bulk-act", subject_id=act.pk).order_by("version")
    assert [event.action for event in events] == ["ask", "complete"] and events[1].person == "Wang"
    assert events[1].facts == {"moved": 5, "left": 2}


def test_a_worker_carries_it_out_as_the_command_line_does():
    first, second = reviewed(3, reviewer="Li"), reviewed(3, reviewer="Li")
    Case.objects.filter(pk__in=[case.pk for case in second]).update(state="confirmed")
    by = builders.make_actor("approver", person="Wang")
    done = cases.approve_many(None, by=by, request_id=builders.request_id(), at=NOON)
    Case.objects.filter(pk__in=[case.pk for case in second]).update(state="reviewed")
    act = carried_out(asked(by=by))
    assert (done.moved, act.moved) == (3, 3)

    def plain(case: Case) -> list[tuple]:
        return list(Event.objects.filter(subject="case", subject_id=case.pk).order_by("version").values_list(
            "version", "action", "source", "target", "person", "at", "facts"))
    assert [plain(case) for case in first] == [plain(case) for case in second] and len(plain(second[0])) == 2


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_worker_killed_in_a_group_is_followed_by_one_that_ends_with_the_same_counts(monkeypatch, before):
    reviewed(4), reviewed(1, reviewer="Wang")
    act = asked(by=builders.make_actor("approver", person="Wang"))
    with monkeypatch.context() as patch:
        dying(patch, many, "_chunk", before=before)
        with pytest.raises(Killed):
            carried_out(act)
    assert told(act)[:2] == ("waiting", 2 * before) and Card.objects.count() == 2 * before
    assert told(carried_out(act)) == ("done", 5, 4, 1, {"same-person": 1})
    assert told(carried_out(act)) == ("done", 5, 4, 1, {"same-person": 1}), "run once more, it does nothing"
    assert Card.objects.count() == Event.objects.filter(subject="case", action="approve").count() == 4


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_act_do_each_group_once(monkeypatch):
    reviewed(12)
    act, faults = asked(), []

    def work():
        try:
            carried_out(act)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()
    workers = [threading.Thread(target=work) for _ in range(3)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    assert not faults and told(act) == ("done", 12, 12, 0, {}) and Card.objects.count() == 12


def test_a_long_act_lets_other_jobs_have_their_turn_and_goes_on():
    reviewed(6)
    act, minutes = asked(), iter(range(100))
    jobs = ProcrastinateJob.objects.filter(queueing_lock=f"bulk act {act.pk}")
    cases.carry_out_all(act.pk, "approve", clock=lambda: NOON + dt.timedelta(minutes=next(minutes)))
    assert told(act)[:2] == ("waiting", 2) and jobs.count() == 1
    assert told(carried_out(act))[:2] == ("done", 6)


def test_a_group_that_fails_again_and_again_ends_the_act_and_what_was_done_stays(monkeypatch):
    reviewed(4)
    act = asked()
    with monkeypatch.context() as patch:
        dying(patch, many, "_chunk", before=1)
        with pytest.raises(Killed):
            carried_out(act)
        patch.setattr(many, "_chunk", lambda *_: 1 / 0)
        for attempts in range(TRIES + 1):
            assert told(act)[:2] == ("waiting", 2), attempts
            with pytest.raises(ZeroDivisionError):
                tried(act.task, attempts=attempts, act_id=act.pk)
    assert told(act) == ("refused", 2, 2, 0, {}) and act.problem == "internal-fault"
    assert told(carried_out(act))[0] == "refused" and Card.objects.count() == 2


def test_groups_that_fail_for_a_moment_keep_no_act_from_its_end(monkeypatch):
    reviewed(2 * (TRIES + 2))
    act, calls, original = asked(), [], many._chunk

    def each_second_one_fails(*args):
        calls.append(args)
        return 1 / 0 if len(calls) % 2 == 0 else original(*args)
    monkeypatch.setattr(many, "_chunk", each_second_one_fails)
    work()
    assert told(act)[:3] == ("done", 2 * (TRIES + 2), 2 * (TRIES + 2)) and len(calls) > 2 * TRIES


@pytest.mark.parametrize("task", sorted(KINDS))
def test_every_act_whose_task_fails_for_the_last_time_is_ended_with_a_name(monkeypatch, task):
    act = asked()
    Act.objects.filter(pk=act.pk).update(task=task)
    monkeypatch.setattr(bulk, "_next", lambda *_: 1 / 0)
    for attempts, state, problem in ((TRIES - 1, "waiting", ""), (TRIES, "refused", "internal-fault")):
        with pytest.raises(ZeroDivisionError):
            tried(task, attempts=attempts, act_id=act.pk)
        act.refresh_from_db()
        assert (act.state, act.problem) == (state, problem)


def test_a_closed_account_ends_the_act_by_name_and_what_was_done_stays(monkeypatch):
    reviewed(5)
    officer = builders.make_officer("approver")
    act = asked(by=actor_of(officer))
    with monkeypatch.context() as patch:
        dying(patch, many, "_chunk", before=1)
        with pytest.raises(Killed):
            carried_out(act)
    Officer.objects.filter(pk=officer.pk).update(state="inactive")
    act = carried_out(act)
    assert told(act) == ("refused", 2, 2, 0, {}) and act.problem == "officer-inactive"
    assert Case.objects.filter(state="reviewed").count() == 3


def test_what_an_officer_was_permitted_when_asking_holds_in_the_area_of_that_time():
    reviewed(3)
    theirs = builders.make_case(builders.make_holder(area=builders.make_area(430102)), state="reviewed")
    officer = builders.make_officer("approver")
    act = asked(by=actor_of(officer))
    Officer.objects.filter(pk=officer.pk).update(role="clerk", area=Area.objects.get(code=430100_000000))
    assert told(carried_out(act))[:3] == ("done", 3, 3) and Case.get(theirs.pk).state == "reviewed"


def test_an_act_can_do_no_more_than_its_officer_was_permitted():
    builders.make_case(state="reviewed")
    act = asked("review", builders.make_actor("reviewer"))
    act = cases.carry_out_all(act.pk, "approve", clock=noon)
    assert (act.state, act.problem, Card.objects.count()) == ("refused", "not-permitted", 0)


# ---- what the database holds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("change, constraint", [
    ({"moved": 1}, "bulk_act_adds_up"), ({"state": "done"}, "bulk_act_ended_at"),
    ({"problem": "not-found"}, "bulk_act_refused_why"), ({"state": "lost", "finished_at": NOON}, "state_known")])
def test_the_database_refuses_an_act_that_does_not_add_up(change, constraint):
    act = asked()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Act.objects.filter(pk=act.pk).update(**change)


def test_the_site_sees_acts_of_its_officer_s_area_and_changes_none(as_web):
    here = asked()
    asked(by=builders.make_actor("approver", area=builders.make_area(430102)))
    as_web(430104_000000, 430104_999999)
    assert [act.pk for act in Act.objects.all()] == [here.pk]
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Act.objects.update(total=1)


# ---- the exchange --------------------------------------------------------------------------------------------------


def test_the_exchange_is_opened_unit_by_unit_each_in_its_phase(monkeypatch):
    units = [builders.make_area(430104), builders.make_area(430102)]
    for unit, holders in zip(units, (3, 2), strict=True):
        for _ in range(holders):
            builders.make_certificate(builders.make_holder(area=unit))
    builders.make_case(builders.make_holder(area=units[0]))
    clerk = builders.make_actor(area=Area.objects.get(code=430100_000000))
    act = cases.ask_exchange([(units[0], 1), (units[1], 2)], by=clerk, request_id=builders.request_id(), at=NOON)
    assert act.total == 5 and act.area_id == 430100_000000
    with monkeypatch.context() as patch:
        dying(patch, exchange, "_open", before=1)
        with pytest.raises(Killed):
            cases.carry_out_exchange(act.pk, clock=noon)
    assert told(act)[:3] == ("waiting", 2, 2)
    assert told(cases.carry_out_exchange(act.pk, clock=noon)) == ("done", 5, 5, 0, {})
    assert sorted(Case.objects.values_list("area", "phase")) == [(430102_000000, 2)] * 2 + [(430104_000000, 1)] * 4


# ---- photos --------------------------------------------------------------------------------------------------------


def pack(**entries: bytes) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in entries.items():
            archive.writestr(f"{name}.jpg", data)
    return out


def people(count: int) -> dict[str, bytes]:
    numbers = [builders.make_id_number(number=100 + place) for place in range(count)]
    for number in numbers:
        builders.make_holder(id_number=number)
    return {number: make_photo(place) for place, number in enumerate(numbers)}


def received(**entries: bytes) -> Act:
    return registry.receive_photos(pack(**entries), builders.make_area(), by=builders.make_actor(),
                                   request_id=builders.request_id(), at=NOON)


@pytest.mark.parametrize("before", [None, 1])
def test_a_pack_is_kept_sealed_until_its_photos_are_with_their_holders(monkeypatch, django_capture_on_commit_callbacks,
                                                                       before):
    photos = people(4)
    stranger = builders.make_id_number(number=900)
    entries = photos | {stranger: make_photo(9), "holiday": make_photo(8)}
    act = received(**entries)
    assert act.total == 6 and next(iter(photos.values()))[:64] not in files.get(act.upload)
    if before is not None:
        with monkeypatch.context() as patch:
            dying(patch, photographs, "_set_group", before=before)
            with pytest.raises(Killed):
                registry.take_photos(act.pk, clock=noon)
        assert told(act)[:3] == ("waiting", 2, 2)
    upload = act.upload
    with django_capture_on_commit_callbacks(execute=True):
        registry.take_photos(act.pk, clock=noon)
    assert told(act) == ("done", 6, 4, 2, {"photo-stranger": 1, "photo-unnamed": 1})
    assert Holder.objects.exclude(photo=None).count() == 4 and not files.place(upload).exists()
    assert registry.take_photos(act.pk, clock=noon).state == "done", "run once more, it does nothing"
    assert Event.objects.filter(action="photograph").count() == 4


def test_a_pack_that_is_found_damaged_ends_there_with_its_reason():
    photos = people(4)
    data = bytearray(pack(**photos).getvalue())
    last = list(photos.values())[-1]
    at = bytes(data).rindex(last)
    data[at + 1000] ^= 1  # the checksum in the archive does not fit any more
    act = registry.receive_photos(io.BytesIO(bytes(data)), builders.make_area(), by=builders.make_actor(),
                                  request_id=builders.request_id(), at=NOON)
    registry.take_photos(act.pk, clock=noon)
    assert told(act) == ("refused", 2, 2, 0, {}) and act.problem == "file-damaged"
    assert Holder.objects.exclude(photo=None).count() == 2


@pytest.mark.parametrize("name, code", [("../{}", "archive-unsafe"), ("/{}", "archive-unsafe")])
def test_an_unsafe_pack_is_refused_before_anything_is_kept(name, code):
    with pytest.raises(Refusal, match=code):
        received(**{name.format(builders.make_id_number()): make_photo(1)})
    assert not Act.objects.exists()


def lying(packed: bytes, said: int) -> io.BytesIO:
    """The pack, whose list gives `said` as the size of its first member."""
    data = bytearray(packed)
    place = data.index(b"PK\1\2") + 24
    data[place:place + 4] = said.to_bytes(4, "little")
    return io.BytesIO(data)


@pytest.mark.parametrize("said", [1_000, 100_000])
def test_a_photo_larger_than_the_archive_says_is_not_unpacked_and_makes_the_pack_unsafe(said):
    number, out = next(iter(people(1))), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{number}.jpg", bytes(64 << 20))
    act = registry.receive_photos(lying(out.getvalue(), said), builders.make_area(), by=builders.make_actor(),
                                  request_id=builders.request_id(), at=NOON)
    tracemalloc.start()
    try:
        registry.take_photos(act.pk, clock=noon)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert told(act)[0] == "refused" and act.problem == "archive-unsafe"


def test_a_packing_that_has_no_bound_is_refused_before_anything_is_kept():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr(f"{builders.make_id_number()}.jpg", bytes(1 << 20))
    with pytest.raises(Refusal, match="archive-unsafe"):
        registry.receive_photos(out, builders.make_area(), by=builders.make_actor(), request_id=builders.request_id(),
                                at=NOON)


@pytest.mark.parametrize("by, code", [
    (lambda: builders.make_actor(area=builders.make_area(430102)), "not-found"),
    (lambda: builders.make_actor("approver"), "not-permitted")])
def test_who_may_not_send_photos_has_the_pack_not_even_looked_at(by, code):
    unit = builders.make_area()
    with pytest.raises(Refusal, match=code):
        registry.receive_photos(io.BytesIO(b"no archive"), unit, by=by(), request_id=builders.request_id(), at=NOON)


def test_a_long_list_of_members_is_refused_before_it_is_read(monkeypatch):
    packed = pack(**{f"{number:05}": b"" for number in range(20_000)})
    monkeypatch.setattr(photographs, "MOST_MEMBERS", 10_000)
    unit, clerk = builders.make_area(), builders.make_actor()
    tracemalloc.start()
    try:
        with pytest.raises(Refusal, match="archive-unsafe"):
            registry.receive_photos(packed, unit, by=clerk, request_id=builders.request_id(), at=NOON)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_an_upload_that_is_gone_is_named():
    act = received(**people(1))
    files.remove(act.upload)
    assert registry.take_photos(act.pk, clock=noon).problem == "upload-missing"


def test_an_upload_whose_act_cannot_be_kept_is_forgotten(settings, tmp_path):
    settings.FILES = tmp_path / "files"
    act = Act(area=builders.make_area(), task="registry.take_photos", total=-1)  # the database refuses it
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.ask(act, "case.confirm", by=builders.make_actor(), request_id=builders.request_id(), at=NOON,
                 upload=pack(a=b"photo"))
    assert act.upload and not [path for path in settings.FILES.rglob("*") if path.is_file()]


# ---- results -------------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(tmp_path) -> Batch:
    area = builders.make_area()
    maker = batches.make_maker(tmp_path / "maker", area)
    for _ in range(3):
        batches.make_ordered(area=area)
    return batches.send(batches.prepare(batches.open_batch(area, maker)))


def ask_results(batch: Batch, results: bytes) -> Act:
    return production.ask_results(batch, io.BytesIO(results), by=batches.producer(batch.area),
                                  request_id=builders.request_id(), at=NOON)


def test_results_are_matched_by_a_worker_whole_or_not_at_all(monkeypatch, sent, tmp_path):
    act = ask_results(sent, batches.make_cards(sent, tmp_path / "maker", plant=("missing-card",)).read_bytes())
    with monkeypatch.context() as patch:
        dying(patch, production.receiving, "_move", before=0)
        with pytest.raises(Killed):
            production.take_results(act.pk, clock=noon)
    assert Batch.get(sent.pk).state == "sent" and batches.states(sent) == {"sent": 3}
    production.take_results(act.pk, clock=noon)
    assert told(act) == ("done", 3, 2, 1, {"suspect": 1})
    assert production.take_results(act.pk, clock=noon).state == "done"
    batch = Batch.get(sent.pk)
    assert (batch.state, batch.good, batch.suspect) == ("received", 2, 1)


def test_results_whose_signature_is_wrong_leave_the_batch_where_it_is(sent, tmp_path):
    results = batches.make_cards(sent, tmp_path / "maker").read_bytes()
    act = ask_results(sent, results.replace(b'"good"', b'"spoiled"', 1))
    production.take_results(act.pk, clock=noon)
    assert told(act)[0] == "refused"
    assert (act.problem, act.problem_facts["why"]) == ("results-broken", "wrong-signature")
    assert Batch.get(sent.pk).state == "sent" and batches.states(sent) == {"sent": 3}


def test_a_file_that_claims_to_be_another_s_is_refused_at_once(sent, tmp_path):
    results: Path = batches.make_cards(sent, tmp_path / "maker")
    data = results.read_bytes()
    for wrong, code in ((data.replace(sent.number.encode(), b"430104-20200101-01"), "results-of-another-batch"),
                        (b"{}\n", "results-broken"), (b"", "results-broken")):
        with pytest.raises(Refusal, match=code):
            ask_results(sent, wrong)
    waiting = ask_results(sent, data)
    batches.receive(sent, results)
    with pytest.raises(Refusal, match="result-replayed"):
        ask_results(Batch.get(sent.pk), data)
    assert production.take_results(waiting.pk, clock=noon).problem == "result-replayed"
