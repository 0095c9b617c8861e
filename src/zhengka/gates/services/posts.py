"""Where gates stand (岗位): what a gate logs of a place where it never stood is refused."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, perform
from zhengka.core.models import province_of
from zhengka.devices.models import Device
from zhengka.gates.models import Post
from zhengka.gates.workflow import MANAGE


class Place(NamedTuple):
    """An operator and a venue by their codes; services by theirs, none for all of the venue."""

    operator: str
    venue: str
    services: Sequence[str] = ()


@transaction.atomic
def stand(gate: Device, place: Place, *, by: Actor, request_id: UUID, at: datetime) -> Post:
    """Enter where a gate stands (设岗). `Refusal`: `not-permitted`, `not-found`, `gate-unknown` for another device,
    `gate-shut-out`, `post-taken`. Raises `Replayed` for a repeat.
    """
    if not by.may(MANAGE):
        raise Refusal("not-permitted", permission=MANAGE)
    if not by.sees(gate.area_id):
        raise Refusal("not-found")
    if gate.sort != "gate":
        raise Refusal("gate-unknown", device=gate.name)
    if gate.state not in ("registered", "active"):
        raise Refusal("gate-shut-out", gate=gate.name, state=gate.state)
    row = Post(province=province_of(gate.area_id), area_id=gate.area_id, gate=gate, operator=place.operator,
               venue=place.venue, services=list(place.services), since=at)
    try:
        with transaction.atomic():
            return begin(row, "stand", MANAGE, by=by, request_id=request_id, at=at, gate=gate.pk,
                         operator=place.operator, venue=place.venue)
    except IntegrityError as fault:
        if "post_one_for_a_gate" in str(fault):
            raise Refusal("post-taken", gate=gate.name) from None
        raise


@transaction.atomic
def leave(post: Post, *, by: Actor, request_id: UUID, at: datetime) -> Post:
    """The gate stands there no more (撤岗); what it logged of the place, and still brings of it, counts."""
    return perform(post, "leave_post", by=by, request_id=request_id, at=at, gate=post.gate_id)


def standing(gate: Device) -> Post:
    """Where a gate stands now. `Refusal`: `gate-shut-out`, `post-unknown`."""
    if gate.state in ("stopped", "retired", "lost"):
        raise Refusal("gate-shut-out", gate=gate.name, state=gate.state)
    row = Post.objects.filter(gate=gate, state="standing").select_related("gate").first()
    if row is None:
        raise Refusal("post-unknown", gate=gate.name)
    return row
