"""Which key versions cards were made under (密钥版本组), and a version retired with that knowledge."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.cards import key_use
from zhengka.cards.models import KeyGroup
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import replayed
from zhengka.keys import services as keys
from zhengka.keys.models import Key
from zhengka.keys.workflow import MANAGE


def key_group(key_ids: Iterable[int]) -> KeyGroup:
    """The group of these key versions (row ids), kept when it is first met."""
    group, _ = KeyGroup.objects.get_or_create(keys=sorted(set(key_ids)))
    return group


@transaction.atomic
def retire_key(key: Key, *, by: Actor, request_id: UUID, at: datetime) -> Key:
    """Retire a key version (停用) on which no card depends. One person may do that; where cards need it, two custodians
    agree in a ceremony that says why, or the overlap runs out.

    `Refusal`: `key-in-use`, with how many cards of all provinces, and what `keys.services.retire` says.
    """
    open_to = by.may(MANAGE) and by.sees(key.area) and key.state in ("active", "retiring")
    if open_to and not replayed(request_id, Key.kind(), key.pk) and (number := key_use.needed(key)):
        raise Refusal("key-in-use", label=key.label, cards=number)
    return keys.retire(key, by=by, request_id=request_id, at=at)
