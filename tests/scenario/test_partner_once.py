"""One request, one effect (I17): whatever the network repeats, and whoever asks at the same moment."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from builders import NOON
from partnering import make_partner
from zhengka.core.errors import Refusal
from zhengka.partners import services
from zhengka.partners.models import Answered
from zhengka.partners.rules import ANSWERS_KEPT

THREADS = 32
KEY = "0123456789abcdef"


def refused(code, do):
    with pytest.raises(Refusal) as no:
        do()
    assert no.value.code == code


def once(partner, key=KEY, asked=None, do=None, at=NOON):
    return services.answer_once(partner, key, asked or {"voucher": "A"}, do or (lambda: {"n": 1}), at=at)


@pytest.mark.django_db
def test_the_same_key_and_body_gets_the_same_answer_and_one_effect():
    partner, done = make_partner().partner, []

    def do():
        done.append(1)
        return {"voucher": "凭证", "n": len(done)}
    assert once(partner, do=do) == once(partner, do=do) == {"voucher": "凭证", "n": 1}
    assert len(done) == 1 and once(partner, key="another-key", do=do)["n"] == 2


@pytest.mark.django_db
def test_the_same_key_for_another_body_is_refused():
    partner = make_partner().partner
    once(partner)
    refused("idempotency-key-reused", lambda: once(partner, asked={"voucher": "B"}))
    assert once(make_partner().partner, asked={"voucher": "B"}) == {"n": 1}, "keys of two clients are apart"


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "short", "x" * 101, "with a space", "mit-ü-zeichen", "line\nbreak", "nul\0byte"])
def test_a_key_of_another_form_is_refused(key):
    partner = make_partner().partner
    refused("idempotency-key-missing", lambda: once(partner, key=key))


@pytest.mark.django_db
def test_a_refusal_is_kept_under_no_key():
    partner = make_partner().partner

    def no():
        raise Refusal("voucher-unknown")
    refused("voucher-unknown", lambda: once(partner, do=no))
    assert not Answered.objects.exists() and once(partner) == {"n": 1}


@pytest.mark.django_db
def test_an_answer_lies_sealed_and_is_never_of_another_body():
    partner = make_partner().partner
    once(partner, do=lambda: {"voucher": "SECRET-VOUCHER"})
    row = Answered.objects.get()
    assert b"SECRET" not in bytes(row.answer)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Answered.objects.update(digest=b"\0" * 32)


@pytest.mark.django_db
def test_answers_are_forgotten_after_some_days():
    partner = make_partner().partner
    once(partner)
    assert services.forget(at=NOON + ANSWERS_KEPT) == 0
    assert services.forget(at=NOON + ANSWERS_KEPT + dt.timedelta(seconds=1)) == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_runs_and_all_hear_its_answer():
    partner, done, start = make_partner().partner, [], Barrier(THREADS)

    def do():
        done.append(1)
        return {"n": len(done)}

    def ask(_):
        try:
            start.wait()
            return once(partner, do=do, at=timezone.now())
        finally:
            connection.close()
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(ask, range(THREADS)))
    assert answers == [{"n": 1}] * THREADS and len(done) == 1


@pytest.mark.django_db(transaction=True)
def test_after_a_connection_that_died_in_the_middle_the_repeat_is_carried_out():
    partner, done = make_partner().partner, []

    def dies():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
        done.append("died")
        return {"n": 0}
    with pytest.raises(Exception, match=r"terminat|closed|lost"):
        once(partner, do=dies)
    connection.close()
    assert done == ["died"] and once(partner) == {"n": 1}
