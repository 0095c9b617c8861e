"""What is asked about bulk acts."""

from django.db.models import QuerySet

from zhengka.bulk.models import Act
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal


def acts(*, actor: Actor) -> QuerySet[Act]:
    """The bulk acts over offices of the actor's area, the newest first."""
    return Act.objects.filter(area__code__range=(actor.lo, actor.hi)).select_related("area").order_by("-pk")


def act(pk: int, *, actor: Actor) -> Act:
    """One bulk act; `Refusal("not-found")`."""
    found = acts(actor=actor).filter(pk=pk).first()
    if found is None:
        raise Refusal("not-found")
    return found


def latest(task: str, subject_id: int, *, actor: Actor) -> Act | None:
    """The newest act of a task about one row (such as the results of a batch); None where nobody asked."""
    return acts(actor=actor).filter(task=task, subject_id=subject_id).first()
