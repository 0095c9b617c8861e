"""What was decided is done: by kind of case, in the transaction of the last decision.

Only here do certificates and cards change for a person. A case of a move ends in two offices: what its last decision
asks for is done by the platform (`cases.services.moves`), which sees both.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q

from zhengka.assessment import services as assessment
from zhengka.assessment.models import Appointment
from zhengka.bulk.services import Asked
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cards.rules import anniversary
from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.cases.services.moving import day, move, part
from zhengka.cases.services.opening import DISPUTED, check_term, refuse_barred, refuse_lost, told
from zhengka.cases.workflow import by_death
from zhengka.core import fields
from zhengka.core.actors import WHOLE_NATION
from zhengka.core.errors import Refusal
from zhengka.core.events import lock, perform
from zhengka.core.queue import later
from zhengka.core.scope import seeing_all
from zhengka.formats import certnumber, idnumber
from zhengka.formats.certnumber import CertNumber
from zhengka.papers import queries as papers
from zhengka.papers.queries import Subject
from zhengka.papers.services import give_portrait
from zhengka.registry import services as registry
from zhengka.registry.models import IN_FORCE, Certificate, Holder
from zhengka.registry.services import Content, Finding, Person

SECOND, THIRD = 2, 3
"""Generations of the certificate: paper, card."""

MAY_FIND_NOTHING = frozenset({"cancellation_unmet", "dispute_city", "dispute_province"})
"""Kinds of case that go on, whatever an assessment finds."""

Effect = Callable[[Case, Asked], tuple[Certificate | None, dict[str, Any]]]
"""What a decision does: the certificate for which a card is ordered (None: no card), and what the case keeps of it."""


def conclude(case: Case, asked: Asked) -> Case:
    """Do what was decided, if that was the last decision under the case's policy, and order the card it needs.

    `Refusal`: `standard-not-met` where an assessment found no disability of the standard, unless that ends the case;
    `category-barred` where it found one whose category was cancelled less than a year ago (art. 24).
    """
    if case.found == {} and case.kind_of_case not in MAY_FIND_NOTHING:
        raise Refusal("standard-not-met")
    if case.found and case.kind_of_case not in DISPUTED:
        _unbarred(case, asked)
    onward = {step.action for step in case.table.steps if step.source == case.state}
    if "recheck" in onward:
        return case
    if "arrive" in onward or Case.objects.filter(counterpart=case).exists():
        later("cases.move_on", case_id=case.pk)
        return case
    certificate, also = EFFECTS[case.kind_of_case](case, asked)
    if also:
        Case.objects.filter(pk=case.pk).update(**also)
    if certificate is None or "order" not in onward:
        return Case.objects.get(pk=case.pk)
    return order(case, certificate, asked)


def order(case: Case, certificate: Certificate, asked: Asked) -> Case:
    """Order the card of a decided case (证卡同办)."""
    policy, told_ = card_queries.policy(case.area_id, day(asked.at)), vars(part(asked, "card"))
    card = cards.order(certificate, profile=policy.profile, reason=case.kind_of_case, **told_)
    return move(case, "order", part(asked, "order"), {"card": card})


def term(area: int, today: date) -> tuple[date, date]:
    """First and last day of a certificate issued today (办法 art. 19: ten years)."""
    return today, anniversary(today, card_queries.policy(area, today).valid_years)


def finding_of(case: Case) -> Finding:
    """What the institution found; `Refusal("standard-not-met")` where it found no disability of the standard."""
    found = case.found or {}
    if not found.get("category"):
        raise Refusal("standard-not-met")
    return Finding(found["category"], found["grade"], tuple((part[0], part[1]) for part in found["components"]))


def _new(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """Who applied has a first certificate (申领)."""
    return _issued(case, asked)


def _issued(case: Case, asked: Asked) -> tuple[Certificate, dict[str, Any]]:
    """Record, certificate and card open together."""
    found, person = finding_of(case), Person(**told(case)["person"])
    _has_none(case)
    holder = case.holder or registry.take_up(person, case.area_id, **vars(part(asked, "holder")))
    _photograph(case, holder, asked)
    number = CertNumber(idnumber.parse(person.id_number).id18, found.category, found.grade,
                        registry.replacements(holder))
    says = Content(number, term(case.area_id, day(asked.at)), found.components)
    certificate = registry.issue(holder, says, **vars(part(asked, "certificate")))
    return certificate, {"holder": holder, "certificate": certificate}


def _unbarred(case: Case, asked: Asked) -> None:
    """A category that is barred now is found by no assessment (art. 24), unless the person is certified in it."""
    found, had = finding_of(case), registry.current(case.holder_id) if case.holder_id else None
    new = _categories(found) - (_categories(_finding(had)) if had else set())
    refuse_barred(bytes(case.person_index), new, day(asked.at))


def _categories(finding: Finding) -> set[int]:
    return {finding.category, *(category for category, _grade in finding.components)}


def _has_none(case: Case) -> None:
    """`Refusal("certificate-opened")` where the person has a certificate in force meanwhile, at whichever office."""
    if any(one.state in IN_FORCE for one in registry.had(bytes(case.person_index))):
        raise Refusal("certificate-opened")


def _photograph(case: Case, holder: Holder, asked: Asked) -> None:
    """The photo that was taken for the application, also for one that was refused and is disputed, goes onto the
    record; who approves carries on the clerk's act.
    """
    while case.disputes is not None:
        case = case.disputes
    portrait = papers.portrait_of(Subject(case.kind(), case.pk, case.area_id, case.front_id))
    if portrait is not None:
        by = asked.by if asked.by.may(TAKES) else replace(asked.by, permissions=asked.by.permissions | {TAKES})
        give_portrait(portrait, holder, **vars(part(replace(asked, by=by), "portrait")))


TAKES = "case.confirm"
"""Permission to put a photo onto a record."""


def _arrival(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """Who comes from an office that is not on this platform is registered with the certificate that they bring."""
    brought = told(case)
    person, term_ = Person(**brought["person"]), [date.fromisoformat(each) for each in brought["term"]]
    _has_none(case)
    holder = registry.take_up(person, case.area_id, **vars(part(asked, "holder")))
    _photograph(case, holder, asked)
    number = certnumber.parse(brought["number"])
    says = Content(number, (term_[0], term_[1]))
    if case.found and (finding := finding_of(case)) != Finding(number.category, number.grade):
        says = Content(number.regraded(finding.category, finding.grade), term(case.area_id, day(asked.at)),
                       finding.components)
    else:
        check_term(term_[0], term_[1], day(asked.at))
        refuse_barred(bytes(case.person_index), {number.category}, day(asked.at))
    certificate = registry.issue(holder, says, **vars(part(asked, "certificate")))
    return certificate, {"holder": holder, "certificate": certificate}


def _exchange(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """A card's certificate takes the place of a paper one with the same number (换发); a new assessment counts where
    one was asked for.
    """
    old = _valid(case)
    if Certificate.objects.filter(holder=_holder(case), generation=THIRD, state__in=("valid", "frozen")).exists():
        raise Refusal("certificate-opened")
    if finding := found_anew(case, old):
        return regraded(case, old, finding, asked), {}
    first, last = term(case.area_id, day(asked.at))
    return registry.open_certificate(old, issued_on=first, valid_until=last, **vars(part(asked, "certificate"))), {}


def _renewal(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """Ten more years under the same number (换领, art. 19); a new assessment counts where one was asked for."""
    old = _valid(case)
    if finding := found_anew(case, old):
        return regraded(case, old, finding, asked), {}
    if old.generation == SECOND:
        return _exchange(case, asked)
    return registry.renew(old, term(case.area_id, day(asked.at)), **vars(part(asked, "certificate"))), {}


def _damage(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """The same data on new plastic (残损换领, art. 21)."""
    old = _valid(case)
    refuse_lost(old.holder_id)
    return _exchange(case, asked) if old.generation == SECOND else (old, {})


def _loss(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """The number gets the next suffix (补办, art. 20); the lost card is barred for ever."""
    old = _valid(case)
    says = Content(registry.number_of(old).replaced(), (old.issued_on, old.valid_until), old.components)
    certificate = _succeeded(old, says, asked)
    cards.cancel_all(old.holder_id, **vars(part(asked, "cards")))
    return certificate, {}


def _change(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """A new issue after a new assessment (类别等级变更, art. 22); the suffix stays."""
    old, finding = _valid(case), finding_of(case)
    if finding == _finding(old):
        raise Refusal("nothing-changed")
    return regraded(case, old, finding, asked), {}


def _correction(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """Name or ID number as they should have been (更正); with the ID number the certificate's changes."""
    old, asked_for = _valid(case), told(case)
    holder = registry.correct(_holder(case), name=asked_for.get("name", ""), id_number=asked_for.get("id_number", ""),
                              **vars(part(asked, "holder")))
    id18, number = fields.open_(bytes(holder.id_number), "holder.id_number"), registry.number_of(old)
    if id18 == number.id18:
        return (_exchange(case, asked)[0] if old.generation == SECOND else old), {"name": holder.name}
    new = CertNumber(id18, number.category, number.grade, number.replacement)
    says = Content(new, (old.issued_on, old.valid_until), old.components)
    certificate = _succeeded(old, says, asked)
    return certificate, {"name": holder.name, "person_index": bytes(holder.id_index)}


def _cancellation(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """Certificate and cards end (注销, art. 24), a year bars the category again; a death closes the record."""
    old = registry.current(_holder(case).pk)
    if old is None:
        raise Refusal("certificate-missing")
    if case.kind_of_case == "cancellation_unmet" and (case.found or {}).get("category"):
        raise Refusal("standard-met")
    until = None if case.reason == "death" else book.pinned(case.policy, case.kind_of_case).barred_until(day(asked.at))
    end_certificates(case, until, asked)
    if case.reason == "death":
        registry.close_person(_holder(case), **vars(part(asked, "holder")))
        _end_with_person(case, asked)
    return None, {}


def _end_with_person(case: Case, asked: Asked) -> None:
    """What else is open for who has died ends, at whichever office, and a day that was booked is given back; who
    approves carries it out for the offices.
    """
    (lo, hi), also = WHOLE_NATION, {"ended_at": asked.at, "moved_at": asked.at, "due_on": None}
    by = replace(asked.by, lo=lo, hi=hi, permissions=asked.by.permissions | {"assessment.plan"})
    with seeing_all(connection):
        others = Case.objects.filter(Q(holder=case.holder) | Q(person_index=bytes(case.person_index)),
                                     ended_at__isnull=True).exclude(pk=case.pk)
        for other in lock(*others):
            told_ = vars(part(replace(asked, by=by), f"case {other.pk}"))
            perform(other, by_death(other.state), also, reason="death", **told_)
            for booked in Appointment.objects.filter(case_id=other.pk, state="booked"):
                assessment.cancel(booked, reason="death", **vars(part(replace(asked, by=by), f"day {booked.pk}")))


def end_certificates(case: Case, until: date | None, asked: Asked) -> None:
    """End every certificate and every card that the holder of a case has."""
    holding = Certificate.objects.filter(holder=_holder(case), state__in=("valid", "frozen")).order_by("pk")
    for one in holding:
        registry.cancel(one, case.reason or case.kind_of_case, until, **vars(part(asked, f"certificate {one.pk}")))
    cards.cancel_all(_holder(case).pk, **vars(part(asked, "cards")))


def _restoration(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """As if it had never ended (恢复): its days stay, nothing bars. A revoked card stays so: another is made, and goes
    on with the term of the one that was in use.
    """
    holder = _holder(case)
    if holder.state == "closed":
        registry.reopen_person(holder, **vars(part(asked, "holder")))
    old = case.certificate
    if old is None:
        raise Refusal("certificate-missing")
    certificate = registry.restore(old, **vars(part(asked, "certificate")))
    if certificate.generation != THIRD:
        return None, {}
    policy, had = card_queries.policy(case.area_id, day(asked.at)), Card.objects.filter(certificate=certificate)
    if had.exists():
        used = had.filter(state__in=("cancelled", "destroyed"), active_until__isnull=False).order_by("pk").last()
        until = cards.term_without_the_stop(used, asked.at) if used else None
        cards.order_after(certificate, until, profile=policy.profile, **vars(part(asked, "card")))
    return None, {}


def _freeze(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """What follows from the certificate stops (冻结); the certificate itself is not ended."""
    registry.freeze(_valid(case), **vars(part(asked, "certificate")))
    cards.freeze_all(_holder(case).pk, **vars(part(asked, "cards")))
    return None, {}


def _unfreeze(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """As if it had never been frozen (解冻)."""
    old = registry.current(_holder(case).pk)
    if old is None:
        raise Refusal("certificate-missing")
    registry.unfreeze(old, **vars(part(asked, "certificate")))
    cards.unfreeze_all(_holder(case).pk, **vars(part(asked, "cards")))
    return None, {}


def _dispute(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """The higher office's assessment takes the place of the lower one's (art. 25): a certificate of which it finds
    nothing ends, one that differs has another in its place, and who was refused has one.
    """
    old = registry.current(case.holder_id) if case.holder_id else None
    if not (case.found or {}).get("category"):
        if old is not None:
            unmet = book.procedure_for("cancellation_unmet", case.area_id, day(asked.at))[1]
            end_certificates(case, unmet.barred_until(day(asked.at)), asked)
        return None, {}
    also: dict[str, Any] = {}
    given, reason = old, "change"
    if old is None:
        given, also, reason = _given_back(case, asked)
    _unbarred(case, asked)
    if given is not None and (finding := found_anew(case, given)):
        given, reason = regraded(case, given, finding, part(asked, "regraded")), "change"
    if given is not None and given != old and given.generation == THIRD:
        policy = card_queries.policy(case.area_id, day(asked.at))
        cards.order(given, profile=policy.profile, reason=reason, **vars(part(asked, "card")))
    return None, also


def _given_back(case: Case, asked: Asked) -> tuple[Certificate, dict[str, Any], str]:
    """The certificate of a person who has none: restored where what is disputed took it, else issued; what the case
    keeps of it, and why a card is ordered.
    """
    if case.certificate is None:
        _unbarred(case, asked)
        certificate, also = _issued(case, asked)
        return certificate, also, "new"
    if case.disputes is None or case.disputes.kind_of_case not in TAKES_AWAY:
        raise Refusal("certificate-missing")
    return registry.restore(case.certificate, **vars(part(asked, "certificate"))), {}, "restoration"


TAKES_AWAY = frozenset({"cancellation_unmet", "dispute_city"})
"""Kinds of case whose assessment ends a certificate, and whose dispute may give it back."""


def found_anew(case: Case, old: Certificate) -> Finding | None:
    """What an assessment in this case found, where it differs from a certificate; None where none was asked for."""
    finding = finding_of(case) if case.found else None
    return finding if finding != _finding(old) else None


def regraded(case: Case, old: Certificate, finding: Finding, asked: Asked) -> Certificate:
    """The certificate of a new finding takes the place of an old one, for a term of its own."""
    number = registry.number_of(old).regraded(finding.category, finding.grade)
    says = Content(number, term(case.area_id, day(asked.at)), finding.components)
    return _succeeded(old, says, asked)


def _succeeded(old: Certificate, says: Content, asked: Asked) -> Certificate:
    """The certificate that takes the place of one; a card that was made for that one and never used ends with it."""
    certificate = registry.succeed(old, says, **vars(part(asked, "certificate")))
    cards.withdraw(old.pk, **vars(part(asked, "withdrawn")))
    return certificate


def _finding(certificate: Certificate) -> Finding:
    return Finding(certificate.category, certificate.grade,
                   tuple((category, grade) for category, grade in certificate.components))


def _holder(case: Case) -> Holder:
    if case.holder is None:
        raise Refusal("not-found")
    return case.holder


def _valid(case: Case) -> Certificate:
    """The holder's valid certificate now; `Refusal("certificate-not-valid")` where it ended meanwhile."""
    found = registry.current(_holder(case).pk)
    if found is None or found.state != "valid":
        raise Refusal("certificate-not-valid", state=found.state if found else "none")
    return found


EFFECTS: Mapping[str, Effect] = {
    "new": _new, "exchange": _exchange, "renewal": _renewal, "damage": _damage, "loss": _loss, "change": _change,
    "correction": _correction, "cancellation": _cancellation, "cancellation_unmet": _cancellation,
    "restoration": _restoration, "freeze": _freeze, "unfreeze": _unfreeze, "dispute_city": _dispute,
    "dispute_province": _dispute, "transfer_in_nation": _arrival}
"""Kind of case → what its last decision does. Moves between two offices of the platform are done by the platform."""
