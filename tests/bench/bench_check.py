"""A card shown with a network (联机核验) against a bare Django view with one lookup, in small and large registers.

The whole answer of the site to one request, from its middleware on, is timed; the bare view is Django's own handler
with no middleware, one lookup of a card by its token and a JSON answer. Both are asked in this process, in turn.
"""

import io
import json
import time
from collections.abc import Callable
from typing import Any

from bench_cases import another_database, p95, turn_to
from bench_production import own_database
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import override_settings
from django.urls import path
from django.utils import timezone
from measure import ROUNDS, compared, seconds, tell

import builders
from zhengka.areas import services as areas
from zhengka.cards import rules
from zhengka.cards.models import Card
from zhengka.cards.services import status
from zhengka.cases import services as cases
from zhengka.core import fields, pace
from zhengka.formats import credential, qr
from zhengka.formats.credential import Credential
from zhengka.keys import services as keys

SMALL, LARGE = 3_000, 3_000_000
ASKED = 200
"""Cards that are shown, in turn, spread over the whole register."""
CHUNK = 500_000
TOKEN = "substr(decode(md5('t' || {n}), 'hex'), 1, 12)"
HOLDERS = """
INSERT INTO registry_holder (id, province, area, state, version, name, pinyin, initials, sex, birth_date, ethnicity,
                             id_number, id_index, photo_fault, registered_at)
SELECT 43 * 10000000000000 + n, 43, %(area)s, 'registered', 1, '王建国', 'p', 'i', 1, '1960-01-01', '', %(sealed_id)s,
       decode(md5(n::text), 'hex'), '', now()
FROM generate_series(%(first)s, %(last)s) n
"""
PAPERS = """
INSERT INTO registry_certificate (id, province, area, state, version, holder_id, generation, number, number_index,
                                  category, grade, components, replacement, issued_on, valid_until)
SELECT 43 * 10000000000000 + n, 43, %(area)s, 'valid', 1, 43 * 10000000000000 + n, 3, %(sealed_number)s,
       decode(md5('c' || n), 'hex'), 1 + n %% 6, 1 + n %% 4, '[]', 0, %(today)s, %(today)s + 3000
FROM generate_series(%(first)s, %(last)s) n
"""
CARDS = f"""
INSERT INTO cards_card (id, province, area, state, version, holder_id, certificate_id, profile, reason, hold_reason,
                        serial, token, status_list, status_index, ordered_at, handed_over_at, issued_on, valid_until,
                        active_until)
SELECT 43 * 10000000000000 + n, 43, %(area)s, CASE n %% 250 WHEN 7 THEN 'suspended' ELSE 'active' END, 1,
       43 * 10000000000000 + n, 43 * 10000000000000 + n, 'disability-placeholder', 'exchange', '',
       lpad(n::text, 16, '0'), {TOKEN.format(n="n")}, %(list)s + n / 1048576,
       n %% 1048576, now(), now(), %(today)s, %(today)s + 3000, %(today)s + 300
FROM generate_series(%(first)s, %(last)s) n
"""


def main(small: int = SMALL, large: int = LARGE) -> None:
    """Print the ratios (bars: at least 0.6 of the bare view's rate; at most 1.2 from the small to the large)."""
    settings.ALLOWED_HOSTS = ["testserver"]
    with own_database(), another_database() as other:
        names = {small: other, large: str(connection.settings_dict["NAME"])}
        shown: dict[int, list[tuple[bytes, str]]] = {}
        for size, name in names.items():
            turn_to(name)
            start = time.perf_counter()
            shown[size] = fill(size)
            tell(f"{size:,} cards laid out in, one in 250 reported lost", f"{time.perf_counter() - start:.0f} s")
            took = seconds(lambda: status.publish_status_lists(at=timezone.now()))
            tell("  status lists read from the database, built, signed and published in", f"{took:.1f} s", bar="≤ 5 s")
        site, bare = WSGIHandler(), Bare()
        rounds: list[dict[int, tuple[list[float], list[float]]]] = []
        for _round in range(ROUNDS + 1):
            rounds.append({})
            for size, name in names.items():
                turn_to(name)
                rounds[-1][size] = (taken(lambda one: verify(site, one[1]), shown[size]),
                                    taken(lambda one: look(bare, one[0]), shown[size]))
        tell_ratios(rounds[1:], small, large)


def tell_ratios(rounds: list[dict[int, tuple[list[float], list[float]]]], small: int, large: int) -> None:
    """Ours to the bare view at either size, and the large register to the small one."""
    for size in (small, large):
        found = compared([(sum(bare), sum(ours)) for ours, bare in (each[size] for each in rounds)])
        clock = [one for each in rounds for one in each[size][0]]
        tell(f"online checks, {size:,} cards: rate ÷ a bare view's", found, bar="≥ 0.6 ×")
        tell("  one check; p95", f"{1e3 * found.floor / ASKED:.2f}; {1e3 * p95(clock):.2f} ms")
        tell("  one bare view", f"{1e3 * found.ours / ASKED:.2f} ms")
    for word, figure in (("all", sum), ("p95", p95)):
        found = compared([(figure(each[large][0]), figure(each[small][0])) for each in rounds])
        tell(f"online check, {word}: {large:,} ÷ {small:,} cards", found, bar="≤ 1.2 ×")


def taken(ask: Callable[[tuple[bytes, str]], None], shown: list[tuple[bytes, str]]) -> list[float]:
    """Seconds of each request, after some to warm up."""
    clock = []
    for place, one in enumerate([*shown[-20:], *shown]):
        start = time.perf_counter()
        ask(one)
        if place >= 20:
            clock.append(time.perf_counter() - start)
    return clock


def verify(site: WSGIHandler, text: str) -> None:
    """Show one code to the public check of the site."""
    pace.CHECKS.forget()
    answer = asked(site, "/api/v1/verify", json.dumps({"code": text}).encode())
    assert answer["verdict"] == "valid", answer


def look(bare: WSGIHandler, token: bytes) -> None:
    """Ask the bare view for one card."""
    assert asked(bare, f"/card/{token.hex()}")["state"] == "active"


def asked(site: WSGIHandler, where: str, body: bytes = b"") -> Any:
    """The JSON answer of a WSGI application, as a server asks it."""
    told: list[str] = []
    answer = site({"REQUEST_METHOD": "POST" if body else "GET", "PATH_INFO": where, "SERVER_NAME": "testserver",
                   "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
                   "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "wsgi.url_scheme": "http",
                   "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.multiprocess": True,
                   "wsgi.multithread": False, "wsgi.run_once": False, "wsgi.version": (1, 0), "QUERY_STRING": ""},
                  lambda status, _headers, _exc=None: told.append(status))
    content = b"".join(answer)
    answer.close()
    assert told[0].startswith("200"), (told, content)
    return json.loads(content)


def card(request: HttpRequest, token: str) -> HttpResponse:
    """The bare view: one lookup, one small answer."""
    found = Card.objects.only("state", "valid_until").get(token=bytes.fromhex(token))
    return JsonResponse({"state": found.state, "valid_until": found.valid_until})


urlpatterns = [path("card/<token>", card)]


class Bare(WSGIHandler):
    """Django's own handler with no middleware and this file's address alone."""

    def __init__(self) -> None:
        with override_settings(MIDDLEWARE=[]):
            super().__init__()

    def get_response(self, request: HttpRequest) -> HttpResponse:
        """Answer from this file's addresses."""
        request.urlconf = __name__
        return super().get_response(request)


def fill(size: int) -> list[tuple[bytes, str]]:
    """A unit with so many cards in use; token and code of those that are shown."""
    areas.load(settings.DATA / "areas" / "hunan-2018.toml")
    cases.load_ways()
    code, now = 430104000000, timezone.now()
    keys.ensure(code, "SM", at=now)
    (first_list,) = rules.lists_of(code // 10**10, "SM", 0, 0)
    told = {"area": code, "list": first_list, "today": timezone.localdate(),
            "sealed_id": fields.close(builders.make_id_number(number=1), "holder.id_number"),
            "sealed_number": fields.close(f"{builders.make_id_number(number=1)}42", "certificate.number")}
    with connection.cursor() as cursor:
        for first in range(1, size + 1, CHUNK):
            with transaction.atomic():
                for statement in (HOLDERS, PAPERS, CARDS):
                    cursor.execute(statement, {**told, "first": first, "last": min(first + CHUNK - 1, size)})
        cursor.execute("VACUUM ANALYZE registry_holder, registry_certificate, cards_card")
        cursor.execute(f"SELECT n, {TOKEN.format(n='n')} FROM generate_series(%s, %s, %s) n",
                       [size // ASKED, size, size // ASKED])
        shown = [(n, bytes(token)) for n, token in cursor.fetchall()][:ASKED]
    signer, day = keys.signer("credential", code, "SM", at=now), timezone.localdate()
    cards = [Credential(token, day, day.replace(year=day.year + 8), first_list + n // 1048576, n % 1048576)
             for n, token in shown]
    payloads = credential.encode_many(cards, suite="SM", key_id=signer.key_id,
                                      sign_many=lambda messages: [signer.sign(each) for each in messages])
    return [(token, qr.to_text(payload, settings.PUBLIC_URL))
            for (_, token), payload in zip(shown, payloads, strict=True)]
