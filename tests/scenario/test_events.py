"""The one way in which rows change their state."""

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

import builders
from builders import NOON
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, Replayed, begin, perform, perform_many, sub
from zhengka.core.models import Event
from zhengka.registry.models import Holder

pytestmark = pytest.mark.django_db


def test_a_step_moves_the_row_and_tells_who_did_it():
    clerk, holder = builders.make_actor(), builders.make_holder()
    perform(holder, "merge", by=clerk, request_id=builders.request_id(), at=NOON, row=7)
    event = Event.objects.get()
    assert (event.action, event.version, event.person, event.facts) == ("merge", 2, clerk.person, {"row": 7})


def test_a_repeat_of_a_request_does_nothing_and_tells_what_the_first_did():
    clerk, holder, request = builders.make_actor(), builders.make_holder(), builders.request_id()
    perform(holder, "merge", by=clerk, request_id=request)
    with pytest.raises(Replayed) as again:
        perform(holder, "merge", by=clerk, request_id=request)
    assert again.value.event.version == 2
    assert Holder.objects.get().version == 2


def test_a_request_id_serves_one_subject_only():
    clerk, request = builders.make_actor(), builders.request_id()
    perform(builders.make_holder(), "merge", by=clerk, request_id=request)
    with pytest.raises(Refusal, match="request-id-reused"):
        perform(builders.make_holder(), "merge", by=clerk, request_id=request)


def test_an_event_without_a_request_id_names_the_import_whose_row_it_was():
    perform(builders.make_holder(), "merge", by=builders.make_actor(), request_id=builders.request_id())
    event = Event.objects.get()
    event.pk, event.version, event.request_id, event.facts = None, 3, None, {"import": 1, "row": 2}
    event.save()
    with pytest.raises(ValueError, match="not asked for by itself"):
        _ = event.request
    event.pk, event.version, event.facts = None, 4, {"row": 2}
    with pytest.raises(IntegrityError, match="event_asked_for"), transaction.atomic():
        event.save()


def test_a_row_of_another_unit_is_not_found():
    stranger = builders.make_actor(area=builders.make_area(430102))
    with pytest.raises(Refusal, match="not-found"):
        perform(builders.make_holder(), "merge", by=stranger, request_id=builders.request_id())


def test_a_role_without_the_permission_is_refused():
    reviewer = builders.make_actor("reviewer")
    with pytest.raises(Refusal, match="not-permitted"):
        perform(builders.make_holder(), "merge", by=reviewer, request_id=builders.request_id())


@pytest.mark.parametrize("change", ["UPDATE core_event SET action = 'x'", "DELETE FROM core_event"])
def test_an_event_is_never_changed_or_removed(change):
    perform(builders.make_holder(), "merge", by=builders.make_actor(), request_id=builders.request_id())
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_many_rows_move_as_one_row_does():
    clerk, request = builders.make_actor(), builders.request_id()
    one, other = builders.make_holder(), builders.make_holder()
    perform(one, "merge", by=clerk, request_id=request, at=NOON)
    moved = perform_many(Many(Holder, [other.pk], "registered"), "merge", by=clerk, request_id=request, at=NOON)
    assert moved == [other.pk]
    single, bulk = Event.objects.order_by("id").values()
    assert bulk["request_id"] == sub(request, other.pk)
    for own in ("id", "subject_id", "request_id"):
        single.pop(own), bulk.pop(own)
    assert single == bulk
    again = perform_many(Many(Holder, [other.pk], "registered"), "merge", by=clerk, at=NOON,
                         request_id=builders.request_id())
    assert again == [other.pk], "a new request is a new event"


def test_a_new_row_begins_with_its_first_event():
    clerk, old = builders.make_actor(), builders.make_holder()
    fresh = Holder(province=43, area_id=old.area_id, name="新", pinyin="xin", initials="x", sex=2,
                   birth_date=old.birth_date, id_number=b"x", id_index=b"0123456789abcdef", registered_at=NOON)
    request = builders.request_id()
    begin(fresh, "register", by=clerk, request_id=request, at=NOON)
    event = Event.objects.get()
    assert (event.source, event.target, event.version, event.subject_id) == ("", "registered", 1, fresh.pk)
    with pytest.raises(Replayed):
        begin(Holder(province=43, area_id=old.area_id), "register", by=clerk, request_id=request)


def test_the_web_role_sees_only_its_own_area(as_web):
    builders.make_holder()
    elsewhere = builders.make_holder(area=builders.make_area(430102))
    as_web(430102_000000, 430102_999999)
    assert [holder.pk for holder in Holder.objects.all()] == [elsewhere.pk]


def test_the_web_role_sees_nothing_without_a_scope(as_web):
    builders.make_holder()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE zhengka_web")
    assert not Holder.objects.exists()


@pytest.mark.parametrize("column", ["label", "public", "check_value", "purpose", "works_until"])
def test_the_web_role_changes_nothing_of_a_key_but_where_it_stands(as_web, column):
    as_web(0, 10**12 - 1)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(), \
            connection.cursor() as cursor:
        cursor.execute(f"UPDATE keys_key SET {column} = {column}")


@pytest.mark.parametrize("column", ["name", "suite", "public", "camera", "certificate", "revoked_at", "text_form"])
def test_the_web_role_changes_of_a_maker_only_the_machine_that_feeds_it(as_web, column):
    as_web(0, 10**12 - 1)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(), \
            connection.cursor() as cursor:
        cursor.execute(f"UPDATE production_maker SET {column} = {column}")


@pytest.mark.parametrize("table", ["areas_area", "programme_target", "core_event"])
def test_the_web_role_changes_no_area_no_target_and_no_event(as_web, table):
    as_web(0, 10**12 - 1)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(), \
            connection.cursor() as cursor:
        cursor.execute(f"SELECT FROM {table} FOR UPDATE")
