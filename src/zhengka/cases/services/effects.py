"""What was decided is done: by kind of case, in the transaction of the last decision.

Only here do certificates and cards change for a person. A case of a move ends in two offices: what its last decision
asks for is done by the platform (`cases.services.moves`), which sees both.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from zhengka.bulk.services import Asked
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cards.rules import anniversary
from zhengka.cards.workflow import NOT_HERE
from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.cases.services.contacts import keep_contacts
from zhengka.cases.services.deciding import barred, certified, check_decision, finding_of, refuse_barred_finding
from zhengka.cases.services.disputing import DISPUTED, did_not_arrive
from zhengka.cases.services.dying import end_others, resume_others
from zhengka.cases.services.eligible import check_term, refuse_barred
from zhengka.cases.services.freezing import hold_again, stop
from zhengka.cases.services.guarding import applicant
from zhengka.cases.services.leaving import end_departures
from zhengka.cases.services.left_open import end_left_open
from zhengka.cases.services.moving import day, move, part
from zhengka.cases.services.opening import refuse_lost, told
from zhengka.cases.services.recalling import follow
from zhengka.cases.workflow import ENDS
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.queue import later
from zhengka.formats import certnumber, idnumber
from zhengka.formats.certnumber import CertNumber
from zhengka.papers import queries as papers
from zhengka.papers.queries import Subject
from zhengka.papers.services import give_portrait
from zhengka.registry import services as registry
from zhengka.registry.models import IN_FORCE, Certificate, Holder
from zhengka.registry.services import Content, Finding, Person
from zhengka.registry.workflow import FROZEN_FOR

SECOND, THIRD = 2, 3
"""Generations of the certificate: paper, card."""

Effect = Callable[[Case, Asked], tuple[Certificate | None, dict[str, Any]]]
"""What a decision does: the certificate for which a card is ordered (None: no card), and what the case keeps of it."""


def conclude(case: Case, asked: Asked) -> Case:
    """Do what was decided, if that was the last decision under the case's policy, and order the card it needs.

    `Refusal` as `check_decision`, and what the effects say.
    """
    check_decision(case, "approve", asked)
    onward = {step.action for step in case.table.steps if step.source == case.state}
    if "recheck" in onward:
        return case
    if "arrive" in onward or ("from" in told(case) and case.kind_of_case not in DISPUTED):  # a move of two offices
        if "from" not in told(case):
            keep_contacts([case], asked)
        later("cases.move_on", case_id=case.pk)
        return case
    if case.kind_of_case == "cancellation" and case.reason == "death":
        end_others(case, asked)
    registry.hold_with_records([case.holder_id] if case.holder_id else [])
    certificate, also = EFFECTS[case.kind_of_case](case, asked)
    if also:
        Case.objects.filter(pk=case.pk).update(**also)
    keep_contacts([case], asked)
    if certificate is None or "order" not in onward:
        return Case.objects.get(pk=case.pk)
    return order(case, certificate, asked)


def order(case: Case, certificate: Certificate, asked: Asked, **facts: Any) -> Case:
    """Order the card of a decided case (证卡同办); `facts` go into the event of the case."""
    policy, told_ = card_queries.policy(case.area_id, day(asked.at)), vars(part(asked, "card"))
    card = cards.order(certificate, profile=policy.profile, reason=case.kind_of_case, **told_)
    return move(case, "order", part(asked, "order"), {"card": card}, **facts)


def term(area: int, today: date) -> tuple[date, date]:
    """First and last day of a certificate issued today (办法 art. 19: ten years)."""
    return today, anniversary(today, card_queries.policy(area, today).valid_years)


def _new(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """Who applied has a first certificate (申领)."""
    return _issued(case, asked)


def _issued(case: Case, asked: Asked) -> tuple[Certificate, dict[str, Any]]:
    """Record, certificate and card open together."""
    found, person = finding_of(case), applicant(case)
    _has_none(case)
    holder = _taken_up(case, person, asked)
    number = CertNumber(idnumber.parse(person.id_number).id18, found.category, found.grade,
                        registry.replacements(holder))
    says = Content(number, term(case.area_id, day(asked.at)), found.components)
    certificate = registry.issue(holder, says, **vars(part(asked, "certificate")))
    return certificate, {"holder": holder, "certificate": certificate}


def _taken_up(case: Case, person: Person, asked: Asked) -> Holder:
    """The record of who has a certificate at this office from now on, with the photo that was taken. What another
    office has open about it ends.
    """
    if known := registry.recorded(bytes(case.person_index)):
        end_left_open(known, case.area_id, case.kind_of_case, asked)
    holder = registry.take_up(person, case.area_id, **vars(part(asked, "holder")))
    follow(holder)
    _photograph(case, holder, asked)
    return holder


def _has_none(case: Case) -> None:
    """`Refusal("certificate-opened")` where the person has a certificate in force meanwhile, at whichever office."""
    if any(one.state in IN_FORCE for one in registry.had(bytes(case.person_index))):
        raise Refusal("certificate-opened")


def _photograph(case: Case, holder: Holder, asked: Asked) -> None:
    """The photo that was taken for the application, also for one that was refused and is disputed, goes onto the
    record; who approves carries on the clerk's act.
    """
    case = _first(case)
    portrait = papers.portrait_of(Subject(case.kind(), case.pk, case.area_id, case.front_id))
    if portrait is not None:
        by = asked.by if asked.by.may(TAKES) else replace(asked.by, permissions=asked.by.permissions | {TAKES})
        give_portrait(portrait, holder, **vars(part(replace(asked, by=by), "portrait")))


TAKES = "case.confirm"
"""Permission to put a photo onto a record."""


def _arrival(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """Who comes from an office that is not on this platform is registered with the certificate that they bring."""
    brought = told(case)
    person, term_ = applicant(case), [date.fromisoformat(each) for each in brought["term"]]
    _has_none(case)
    holder = _taken_up(case, person, asked)
    number = certnumber.parse(brought["number"])
    says = Content(number, (term_[0], term_[1]))
    if case.found and (finding := finding_of(case)) != Finding(number.category, number.grade):
        says = Content(number.regraded(finding.category, finding.grade), term(case.area_id, day(asked.at)),
                       finding.components)
    else:
        check_term(idnumber.parse(person.id_number).birth, term_[0], term_[1], day(asked.at))
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
    if finding == certified(old):
        raise Refusal("nothing-changed")
    return regraded(case, old, finding, asked), {}


def _correction(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """Name or ID number as they should have been (更正); with the ID number the certificate's changes."""
    old, asked_for = _valid(case), told(case)
    holder = registry.correct(_holder(case), name=asked_for.get("name", ""), id_number=asked_for.get("id_number", ""),
                              **vars(part(asked, "holder")))
    follow(holder)
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
    if case.reason == "death":
        registry.close_person(_holder(case), **vars(part(asked, "holder")))
    end_certificates(case, until, asked)
    return None, {}


def end_certificates(case: Case, until: date | None, asked: Asked) -> None:
    """End every certificate and every card that the holder of a case has, and a departure that would take them."""
    holding = Certificate.objects.filter(holder=_holder(case), state__in=("valid", "frozen")).order_by("pk")
    for one in holding:
        registry.cancel(one, case.reason or case.kind_of_case, until, **vars(part(asked, f"certificate {one.pk}")))
    cards.cancel_all(_holder(case).pk, **vars(part(asked, "cards")))
    end_departures(_holder(case).pk, asked)


def _restoration(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """As if it had never ended (恢复): its days stay, nothing bars, and what a death ended with it goes on."""
    holder = _holder(case)
    if holder.state == "closed":
        registry.reopen_person(holder, **vars(part(asked, "holder")))
        resume_others(case, asked)
    old = case.certificate
    if old is None:
        raise Refusal("certificate-missing")
    certificate = registry.restore(old, **vars(part(asked, "certificate")))
    if Card.objects.filter(certificate=certificate).exists():
        _card_again(certificate, certificate, "restoration", asked)
    return None, {}


def _card_again(certificate: Certificate, had: Certificate | None, reason: str, asked: Asked) -> None:
    """Order a card where a certificate was given back. A revoked card stays so: the new one goes on with the term of
    the one that was in use for what the person `had`, longer by the days on which it stood still. None is made for a
    certificate that has run out: its renewal (换领) orders one.
    """
    if certificate.valid_until < day(asked.at):
        return
    used = Card.objects.filter(certificate=had, state__in=("cancelled", "destroyed", *NOT_HERE),
                               active_until__isnull=False)
    last = used.order_by("pk").last()
    until = cards.term_without_the_stop(last, asked.at) if last else None
    cards.order_after(certificate, until, reason=reason, **vars(part(asked, "card")))


def _freeze(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """What follows from the certificate stops (冻结); the certificate itself is not ended."""
    stop(_valid(case).holder_id, case.reason, asked)
    return None, {}


def _unfreeze(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """As if it had never been frozen (解冻): a wrong report takes back what it stopped, two persons lift any freeze."""
    hold_again(_holder(case).pk, (case.reason,) if case.kind_of_case == "freeze" else FROZEN_FOR, asked)
    return None, {}


def _dispute(case: Case, asked: Asked) -> tuple[Certificate | None, dict[str, Any]]:
    """The higher office's assessment takes the place of the lower one's (art. 25): a certificate of which it finds
    nothing ends, one that differs has another in its place, and who was refused has what was refused: a first
    certificate, ten more years, a card for the paper one. Of an arrival that failed it is kept alone, for the person's
    office is still the old one: the move is asked for again with it.
    """
    if did_not_arrive(case):
        return None, {}
    old = registry.current(case.holder_id) if case.holder_id else None
    if not (case.found or {}).get("category"):
        if old is not None and not _denied(case.disputes):  # what was refused stays refused, and takes no more away
            unmet = book.procedure_for("cancellation_unmet", case.area_id, day(asked.at))[1]
            end_certificates(case, unmet.barred_until(day(asked.at)), asked)
        return None, {}
    also: dict[str, Any] = {}
    had, reason, first = old, "change", _first(case)
    if had is None:
        had, also, reason = _given_back(case, asked)
    given = had
    refuse_barred_finding(case, barred([case], asked))
    if old is not None and first.kind_of_case in REFUSED_ANEW and _denied(case.disputes):
        again, also = EFFECTS[first.kind_of_case](case, asked)
        if again is not None:
            _card_again(again, None, first.kind_of_case, asked)
        return None, also
    if finding := found_anew(case, had):
        given, reason = regraded(case, had, finding, part(asked, "regraded")), "change"
    if given != old and given.generation == THIRD:
        _card_again(given, had if old is None else None, reason, asked)
    return None, also


REFUSED_ANEW = frozenset({"renewal", "exchange"})
"""Kinds that an assessment may refuse to who keeps the certificate: a dispute that finds a disability grants them."""


def _denied(decided: Case | None) -> bool:
    """True where a case that is disputed gave nothing: it was refused, or found no disability."""
    return decided is not None and (decided.state in ENDS or not (decided.found or {}).get("category"))


def _first(case: Case) -> Case:
    """The case with which a dispute, or a dispute of a dispute, began."""
    while case.disputes is not None:
        case = case.disputes
    return case


def _given_back(case: Case, asked: Asked) -> tuple[Certificate, dict[str, Any], str]:
    """The certificate of a person who has none: restored where what is disputed took it, else issued; what the case
    keeps of it, and why a card is ordered.
    """
    if case.certificate is None:
        refuse_barred_finding(case, barred([case], asked))
        certificate, also = EFFECTS[_first(case).kind_of_case](case, asked)
        if certificate is None:
            raise Refusal("certificate-missing")
        return certificate, also, _first(case).kind_of_case
    if case.disputes is None or case.disputes.kind_of_case not in TAKES_AWAY:
        raise Refusal("certificate-missing")
    return registry.restore(case.certificate, **vars(part(asked, "certificate"))), {}, "restoration"


TAKES_AWAY = frozenset({"cancellation_unmet", "dispute_city"})
"""Kinds of case whose assessment ends a certificate, and whose dispute may give it back."""


def found_anew(case: Case, old: Certificate) -> Finding | None:
    """What an assessment in this case found, where it differs from a certificate; None where none was asked for."""
    finding = finding_of(case) if case.found else None
    return finding if finding != certified(old) else None


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


def _holder(case: Case) -> Holder:
    holder = Holder.objects.filter(pk=case.holder_id).first() if case.holder_id else None
    if holder is None:  # there is none, or it is another office's by now
        raise Refusal("not-found")
    return holder


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
