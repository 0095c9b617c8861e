"""Plain functions that build the rows that tests tell their stories about. No fixture magic: call what you need."""

import datetime as dt
from itertools import count
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password

from zhengka.accounts.models import Officer, Password
from zhengka.accounts.services import actor_of
from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.cards.services import allot
from zhengka.cases.models import Case, Way
from zhengka.cases.services import load_ways
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.models import province_of
from zhengka.formats import idnumber
from zhengka.registry.models import Certificate, Holder

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
A_MOMENT = dt.timedelta(microseconds=1)
_numbers = count(1)


def request_id() -> UUID:
    """A fresh request id."""
    return uuid4()


def make_area(code: int = 430104, *, issuing: bool = True, name: str = "岳麓区") -> Area:
    """A county-level issuing unit with its province and city (six-digit code), and the ways that cases go there."""
    if not Way.objects.exists():
        load_ways()

    def area(code12: int, last: int, level: str, parent: Area | None, title: str, issues: bool) -> Area:
        row, _ = Area.objects.get_or_create(code=code12, defaults={
            "last": last, "name": title, "name_en": title, "level": level, "kind": "gb", "parent": parent,
            "issuing": issues})
        return row
    province, city = code // 10_000 * 10**10, code // 100 * 10**8
    top = area(province, province + 10**10 - 1, "province", None, "湖南省", False)
    middle = area(city, city + 10**8 - 1, "city", top, "某市", False)
    return area(code * 10**6, code * 10**6 + 10**6 - 1, "county", middle, name, issuing)


def make_officer(role: str = "clerk", *, area: Area | None = None, person: str = "", password: str = "") -> Officer:
    """An officer of the area with the role; a person of its own unless one is named."""
    number = next(_numbers)
    officer = Officer(username=f"{role}-{number}", name=f"{role} {number}", person=person or f"person-{number}",
                      role=role, area=area or make_area(), state="active", installed=True)
    officer.save()
    officer.secret = Password.objects.create(officer=officer, hash=make_password(password or None))
    return officer


def make_actor(role: str = "clerk", *, area: Area | None = None, person: str = "") -> Actor:
    """The actor of a new officer."""
    return actor_of(make_officer(role, area=area, person=person))


def make_id_number(*, born: dt.date = dt.date(1960, 1, 1), number: int | None = None, region: int = 439901) -> str:
    """A valid ID number that no person has: no division ever had its first six digits."""
    first17 = f"{region:06d}{born:%Y%m%d}{(number if number is not None else next(_numbers)) % 1000:03d}"
    return first17 + idnumber.check_digit(first17)


def make_holder(*, area: Area | None = None, name: str = "田野", id_number: str = "", address: str = "麓山路 1 号",
                ) -> Holder:
    """A registered holder, of whom there is an address and no phone."""
    area = area or make_area()
    number = id_number or make_id_number()
    holder = Holder(
        province=province_of(area.code), area=area, name=name, pinyin="tianye", initials="ty", sex=1,
        birth_date=dt.date(1960, 1, 1), id_number=fields.close(number, "holder.id_number"),
        id_index=fields.index(number), address=fields.close(address, "holder.address") if address else None,
        registered_at=NOON, state="registered")
    holder.save()
    return holder


def make_certificate(holder: Holder, *, category: int = 4, grade: int = 2, generation: int = 2) -> Certificate:
    """A valid certificate of the holder, first issue."""
    number = fields.open_(holder.id_number, "holder.id_number") + f"{category}{grade}"
    certificate = Certificate(
        province=holder.province, area_id=holder.area_id, holder=holder, generation=generation,
        number=fields.close(number, "certificate.number"), number_index=fields.index(number), category=category,
        grade=grade, issued_on=dt.date(2012, 5, 1), valid_until=dt.date(2022, 5, 1), state="valid")
    certificate.save()
    return certificate


BY_TWO = {"destroyed": {"condemned_person": "who proposed", "destroyed_person": "who did"},
          "lost": {"missed_person": "who proposed", "lost_person": "who did"}}
"""State of a card → who brought it there."""


def make_card(holder: Holder | None = None, *, state: str = "ready", certificate: Certificate | None = None,
              profile: str = "disability-placeholder", active_until: dt.date | None = None) -> Card:
    """A card in any state, ordered at noon for a third-generation certificate of ten years."""
    holder = holder or make_holder()
    certificate = certificate or holder.certificates.filter(generation=3).first()
    if certificate is None:
        certificate = make_certificate(holder, generation=3)
        certificate.issued_on, certificate.valid_until = dt.date(2026, 11, 20), dt.date(2036, 11, 20)
        certificate.save()
    if state in ("active", "suspended") and active_until is None:
        active_until = dt.date(2027, 11, 20)
    card = Card(province=holder.province, area_id=holder.area_id, holder=holder, certificate=certificate, state=state,
                profile=profile, reason="exchange", ordered_at=NOON, issued_on=certificate.issued_on,
                valid_until=certificate.valid_until, active_until=active_until,
                **BY_TWO.get(state, {}))
    card.save()
    return card


def with_numbers(*cards: Card) -> list[Card]:
    """The cards with serial, token and place in a status list; the keys of their province are there."""
    allot([card.pk for card in cards], at=NOON)
    for card in cards:
        card.refresh_from_db()
    return list(cards)


def make_case(holder: Holder | None = None, *, state: str = "notified", reviewer: str = "") -> Case:
    """An exchange in any state before approval, for a holder with a paper certificate."""
    holder = holder or make_holder()
    certificate = holder.certificates.filter(generation=2).first() or make_certificate(holder)
    case = Case(province=holder.province, area_id=holder.area_id, holder=holder, certificate=certificate, phase=1,
                name=holder.name, person_index=bytes(holder.id_index), state=state,
                reviewer_person=reviewer or ("someone" if state == "reviewed" else ""), opened_at=NOON, moved_at=NOON)
    case.save()
    return case
