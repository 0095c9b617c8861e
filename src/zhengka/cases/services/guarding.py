"""Who answers for the person of a case (监护人): as it was told, or as it was named since, and to whom letters go."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.bulk.services import Asked
from zhengka.cases.models import Case
from zhengka.cases.services.moving import day, part
from zhengka.cases.services.needed import needs_proof
from zhengka.cases.services.opening import Guardian, as_told, check_guardian, phone_said, sealed, told
from zhengka.cases.workflow import guarded
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock, perform
from zhengka.registry import services as registry
from zhengka.registry.models import Holder
from zhengka.registry.services import Person


def guardian_of(case: Case) -> Guardian:
    """The guardian as named last: in the case, else as it was told at the opening, else in the record, where the case
    is of the record's own office. Without a name nobody is.
    """
    if (said := guardian_told(case)) is not None:
        return said
    holder = Holder.objects.filter(pk=case.holder_id).first() if case.holder_id else None
    return Guardian(*registry.guardian_of(holder)) if holder else Guardian()


def guardian_told(case: Case) -> Guardian | None:
    """The guardian as the case itself was told; None where only the record may know one."""
    known = told(case)
    if named := known.get("guardian"):
        return Guardian(**named)
    said = known.get("person") or known.get("met") or {}
    return Guardian(*(said.get(name, "") for name in as_told(Guardian()))) if said.get("guardian_name") else None


def applicant(case: Case) -> Person:
    """Who applied, or arrived, as the case was told, with the guardian who was named since."""
    person, guardian = Person(**told(case)["person"]), guardian_of(case)
    return replace(person, guardian_name=guardian.name, guardian_id=guardian.id_number, guardian_phone=guardian.phone)


def needs_guardian(case: Case) -> bool:
    """True where somebody answers for the person (办法 art. 9(1)): of a minor, and where the guardian is proved."""
    return case.minor or needs_proof(case)


@transaction.atomic
def name_guardian(case: Case, guardian: Guardian, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Name the guardian of the person of an open case, or correct who was named (登记监护人): letters about a minor,
    and about 智力 or 精神, go to them from now on. The record says so at once where it is open and is of the case's own
    office, else once what the case asks for is granted (`contacts`): an applicant has none yet, a front office does not
    see it, and one that was closed in error (误报死亡) opens again first.
    The event keeps, sealed, who was named before.

    `Refusal`: `guardian-missing` (no name), `guardian-id-wrong`, `guardian-is-applicant`, `guardian-is-minor`,
    `step-not-open` (the case has ended), `not-found`, `not-permitted`. Raises `Replayed`.
    """
    (case,) = lock(case)
    asked, step = Asked(by, request_id, at), guarded(case.state)
    if case.ended_at is not None:
        raise Refusal("step-not-open", subject="case", state=case.state, action=step.action)
    guardian = guardian._replace(phone=phone_said(guardian.phone, "guardian-phone-wrong"))
    check_guardian(guardian, bytes(case.person_index), day(at), needed=True)
    known = told(case)
    was = b64encode(fields.close(json.dumps(guardian_of(case)._asdict(), ensure_ascii=False), "event.was")).decode()
    holder = Holder.objects.filter(pk=case.holder_id).first() if case.holder_id else None
    now = bool("person" not in known and "met" not in known and holder and holder.state == "registered")
    new = known | {"guardian": guardian._asdict(), "waits": not now}
    case = perform(case, step, {"told": sealed(new)}, was=was, **vars(asked))
    if now and holder:
        registry.name_guardian(holder, guardian.name, guardian.phone, **vars(part(asked, "record")))
    return case
