"""The second wall, read from the database's own catalogue: which rows the web's role sees, and what it may do."""

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

import builders
from builders import NOON
from world import make_world
from zhengka.core.queue import later
from zhengka.core.scope import enter
from zhengka.gates.models import Check
from zhengka.production.models import Batch, Chunk, Finding, Item

pytestmark = pytest.mark.django_db

WITHOUT_AREAS = {
    "areas_area": "the divisions themselves: public",
    "programme_programme": "the plan of the pilot: published",
    "programme_target": "the plan of the pilot: published",
    "cases_way": "the case policies' tables: published",
    "keys_key": "public keys and check values, by which everybody verifies; no key's value",
    "production_maker": "the card makers' public keys",
    "cards_statuspublication": "what every gate may fetch",
    "cards_bundlepublication": "what every gate may fetch",
    "cards_listreceipt": "which version of a list a gate has; no card and no place",
    "cards_keygroup": "which key versions cards were made under together; no card and no key's value",
    "accounts_triedname": "login names that were tried in vain, most of them nobody's: keyed indexes, in no area",
    "assessment_conflict": "a keyed index and a staff number, sought by both before every signature, whatever area "
                           "declared it; nothing else of it is read",
    "django_session": "found by a key of 190 random bits which its browser alone holds",
    "procrastinate_jobs": "whether a job of one name waits, and no more of it",
}
"""Tables that the web reads without row-level security, each with the reason."""

TABLES = """
SELECT c.relname,
       c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid),
       has_any_column_privilege('zhengka_web', c.oid, 'SELECT')
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY 1
"""
RIGHTS = """
SELECT c.relname, string_agg(r.name, ' ' ORDER BY r.place)
FROM pg_class c, unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
    WITH ORDINALITY r (name, place)
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (has_table_privilege('zhengka_web', c.oid, r.name)
       OR r.name IN ('INSERT', 'UPDATE') AND has_any_column_privilege('zhengka_web', c.oid, r.name))
GROUP BY 1 ORDER BY 1
"""
WRITTEN = {
    "accounts_cover": "INSERT UPDATE", "accounts_delegation": "INSERT UPDATE",
    "accounts_officer": "INSERT UPDATE", "accounts_password": "INSERT UPDATE",
    "accounts_triedname": "INSERT UPDATE DELETE",
    "assessment_appointment": "INSERT UPDATE", "assessment_assessment": "INSERT UPDATE",
    "assessment_conflict": "INSERT", "assessment_institution": "INSERT UPDATE",
    "assessment_licence": "INSERT UPDATE", "assessment_session": "INSERT UPDATE",
    "bulk_act": "INSERT", "cards_card": "INSERT UPDATE", "cards_chiporder": "INSERT UPDATE",
    "cards_keygroup": "INSERT", "cards_listhold": "UPDATE", "cards_listreceipt": "INSERT UPDATE",
    "cards_stop": "INSERT UPDATE",
    "cases_case": "INSERT UPDATE", "cases_recall": "INSERT UPDATE DELETE", "core_event": "INSERT",
    "devices_device": "INSERT UPDATE", "devices_psam": "INSERT UPDATE", "devices_reading": "INSERT UPDATE",
    "django_session": "INSERT UPDATE DELETE", "gates_check": "INSERT", "gates_dispute": "INSERT UPDATE",
    "gates_doubleuse": "INSERT UPDATE DELETE", "gates_gatekey": "INSERT", "gates_post": "INSERT UPDATE",
    "gates_statement": "INSERT UPDATE", "gates_statementline": "INSERT DELETE", "gates_upload": "INSERT",
    "gates_use": "INSERT", "gates_visit": "INSERT UPDATE", "gates_voucher": "INSERT UPDATE",
    "keys_ceremony": "INSERT UPDATE", "keys_key": "UPDATE", "keys_seat": "INSERT UPDATE",
    "letters_letter": "INSERT UPDATE", "letters_unwritten": "INSERT UPDATE",
    "papers_paper": "INSERT UPDATE", "papers_portrait": "INSERT UPDATE",
    "partners_answered": "INSERT UPDATE", "partners_delivery": "INSERT UPDATE", "partners_partner": "INSERT UPDATE",
    "partners_secret": "INSERT UPDATE", "partners_webhook": "INSERT UPDATE",
    "procrastinate_events": "INSERT",
    "custody_booklet": "INSERT UPDATE", "custody_keeping": "INSERT UPDATE", "custody_listed": "INSERT UPDATE",
    "custody_parcel": "INSERT UPDATE", "custody_pulping": "INSERT UPDATE", "custody_receipt": "INSERT",
    "custody_stay": "INSERT UPDATE", "custody_trouble": "INSERT UPDATE",
    "procrastinate_jobs": "INSERT UPDATE", "production_batch": "INSERT UPDATE", "production_chunk": "INSERT UPDATE",
    "production_erasure": "INSERT",
    "production_finding": "INSERT", "production_item": "INSERT UPDATE", "production_maker": "UPDATE",
    "registry_certificate": "INSERT UPDATE",
    "registry_holder": "INSERT UPDATE", "registry_import": "INSERT UPDATE",
    "stock_box": "INSERT", "stock_count": "INSERT UPDATE", "stock_entry": "INSERT", "stock_order": "INSERT UPDATE",
    "stock_slip": "INSERT UPDATE",
    "stock_span": "INSERT UPDATE", "stock_store": "INSERT UPDATE",
}
"""What the pages write, table by table; nothing else may be written by the web's role."""
PARTS = [Chunk, Item, Finding, Check]


def read(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_every_table_that_the_web_reads_has_its_wall_or_a_reason_why_not():
    tables = read(TABLES)
    bare = {name for name, walled, readable in tables if readable and not walled}
    assert bare - set(WITHOUT_AREAS) == set(), "protect() it, or take its reading from the web's role, or say why not"
    assert set(WITHOUT_AREAS) - bare == set(), "these need no reason any more"
    assert len(tables) > len(bare) + 10, "the catalogue was read"


def test_the_web_role_writes_only_what_its_pages_need():
    assert dict(read(RIGHTS)) == WRITTEN


def test_the_web_role_draws_no_serial_number_and_begins_with_no_right_on_a_new_table():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE forgotten (id bigint GENERATED ALWAYS AS IDENTITY)")
    assert "forgotten" not in dict(read(RIGHTS))
    assert ("forgotten", False, False) in read(TABLES)
    drawn = read("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' "
                 "AND has_sequence_privilege('zhengka_web', sequencename::regclass, 'USAGE, UPDATE') ORDER BY 1")
    assert [name for (name,) in drawn] == [
        "accounts_cover_ids", "accounts_delegation_ids",
        "assessment_appointment_ids", "assessment_assessment_ids", "assessment_conflict_ids",
        "assessment_institution_ids", "assessment_licence_ids", "assessment_session_ids",
        "bulk_act_ids", "cards_card_ids", "cards_chiporder_ids", "cards_listreceipt_id_seq", "cards_stop_id_seq",
        "cases_case_ids",
        "custody_booklet_ids", "custody_keeping_ids", "custody_parcel_ids", "custody_pulping_ids",
        "custody_trouble_ids", "devices_device_ids", "devices_psam_ids", "devices_reading_ids",
        "gates_dispute_ids", "gates_own_events", "gates_post_ids", "gates_statement_ids", "gates_voucher_ids",
        "keys_ceremony_ids", "keys_seat_ids", "letters_letter_ids",
        "papers_paper_ids", "papers_portrait_ids", "partners_partner_ids",
        "partners_webhook_ids", "procrastinate_events_id_seq", "procrastinate_jobs_id_seq",
        "production_batch_ids",
        "registry_certificate_ids", "registry_holder_ids", "registry_import_ids",
        "stock_count_ids", "stock_order_ids", "stock_slip_ids", "stock_store_ids"]


def test_the_web_role_hears_of_another_office_only_who_may_apply_whom_to_ask_and_what_a_shown_card_is():
    found = read("SELECT proname, has_function_privilege('zhengka_web', oid, 'EXECUTE') FROM pg_proc "
                 "WHERE pronamespace = 'public'::regnamespace AND prosecdef")
    assert sorted(found) == [("accounts_able", True), ("cases_counted", False), ("gates_count_checks", True),
                             ("gates_shown", True), ("production_known_uids", False),
                             ("registry_certificates_of", True)]


def rows_of(code):
    """A unit with a row of each part of a batch, and a check of one of its cards."""
    area = make_world(code, f"区{code}").area
    batch = Batch.objects.filter(area=area).first()
    Finding.objects.create(batch=batch, area=area.code, code="not-ordered", serial="1", at=NOON)
    Check.objects.create(at=NOON, channel="page", verdict="valid", area=area.code)
    return area, batch


@pytest.mark.parametrize("model", PARTS)
def test_parts_of_batches_and_checks_are_seen_in_their_own_area_only(model):
    area, _ = rows_of(430104)
    other, _ = rows_of(430702)
    with connection.cursor() as cursor:
        cursor.execute("GRANT SELECT ON gates_check TO zhengka_web")  # as a page of counts would need
    for one in (area, other):
        with transaction.atomic():
            enter(connection, one.code, one.last)
            assert set(model.objects.values_list("area", flat=True)) == {one.code}
            connection.cursor().execute("RESET ROLE")


@pytest.mark.parametrize("model", PARTS)
def test_nobody_puts_a_part_or_a_check_into_another_area(model, as_web):
    area, batch = rows_of(430104)
    given = {"area": area.code} | {
        Chunk: {"batch": batch, "number": 9}, Finding: {"batch": batch, "code": "x", "at": NOON},
        Item: {"batch": batch, "chunk_id": 1, "card_id": 1, "position": 99},
        Check: {"at": NOON, "channel": "page", "verdict": "valid"}}[model]
    with connection.cursor() as cursor:  # it is the wall that is tried here, not the lack of a right
        cursor.execute("GRANT INSERT ON ALL TABLES IN SCHEMA public TO zhengka_web")
    as_web(430702_000000, 430702_999999)
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        model.objects.create(**given)


def test_a_part_stands_in_the_area_of_its_batch():
    _, batch = rows_of(430104)
    other = builders.make_area(430702)
    with pytest.raises(IntegrityError, match="finding_of_its_batch"), transaction.atomic():
        Finding.objects.create(batch=batch, area=other.code, code="x", at=NOON)


def test_what_is_no_card_of_ours_is_counted_for_nobody(as_web):
    as_web(1, 0)
    assert Check.objects.create(at=NOON, channel="page", verdict="not-our-code", area=None).pk


def test_the_web_role_asks_for_a_job_and_holds_one_that_waits_but_reads_and_changes_none(as_web):
    as_web(0, 10**12 - 1)
    for _ in range(2):
        later("cards.publish_status_lists", once="status list 1", number=1)
    for wrong in ("SELECT args FROM procrastinate_jobs", "UPDATE procrastinate_jobs SET args = '{}'",
                  "DELETE FROM procrastinate_jobs", "SELECT type FROM procrastinate_events",
                  "SELECT digest FROM registry_sighting",
                  "SELECT name FROM django_migrations", "SELECT name FROM auth_permission"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            read(wrong)


def test_only_a_case_what_belongs_to_one_a_shipment_a_parcel_and_a_double_use_are_shared_by_two_offices():
    shared = read("SELECT tablename FROM pg_policies WHERE policyname = 'scope' AND qual LIKE '%shared_with%' "
                  "AND with_check LIKE '%shared_with%' ORDER BY 1")
    assert [name for (name,) in shared] == [
        "assessment_appointment", "assessment_assessment", "cases_case", "core_event",
        "custody_keeping", "custody_listed", "custody_parcel", "custody_stay", "custody_trouble", "gates_doubleuse",
        "letters_letter", "letters_unwritten", "papers_paper", "papers_portrait", "stock_slip"]
