"""Which papers a case needs, and which of them are missing (材料)."""

from django.utils import timezone

from zhengka.cases import rules
from zhengka.cases.models import Case
from zhengka.cases.services.opening import told
from zhengka.core.errors import Refusal
from zhengka.papers import queries as papers
from zhengka.papers.queries import Subject
from zhengka.papers.rules import CaseOf, Need
from zhengka.registry.models import Holder


def papers_needed(case: Case) -> list[Need]:
    """The papers that a case's kind needs where it is; none where no file speaks of the kind."""
    categories = {case.certificate.category, *(part[0] for part in case.certificate.components)} if (
        case.certificate) else {wanted} if (wanted := told(case).get("wanted")) else set()
    try:
        return papers.required(CaseOf(case.kind_of_case, case.area_id, timezone.localdate(case.opened_at),
                                      minor=case.minor, categories=frozenset(categories), reason=case.reason,
                                      route=rules.route_of(case.area_id, case.front_id)))
    except Refusal:
        return []


def papers_missing(case: Case) -> list[Need]:
    """Those of `papers_needed` that nobody brought. Whose record is another office's has a photo there, or gets one."""
    holder = Holder.objects.filter(pk=case.holder_id).first() if case.holder_id else None
    photo = case.holder_id is not None and (holder is None or bool(holder.photo))
    return papers.missing(papers_needed(case), Subject(case.kind(), case.pk, case.area_id, case.front_id), photo=photo)
