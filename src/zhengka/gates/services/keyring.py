"""What gates of one operator must know of each other: their public keys, to read each other's vouchers, and among which
of them a quota is split while they cannot talk.
"""

from zhengka.cards import services as cards
from zhengka.core.queue import later
from zhengka.formats import ring
from zhengka.gates.models import Post
from zhengka.gates.queries import gate_keys, gate_ring

FILE = "gates.json"


def ask_for_gate_keys() -> None:
    """Ask, within the present transaction, that gates are told of each other anew: one was paired."""
    later("gates.publish_gate_keys", once="gate keys", lock="gate keys")


def publish_gate_keys() -> list[str]:
    """Write the keys of each operator's gates that are at work into its bundle, and where they stand; the operators
    where that changed.

    A gate that was stopped, lost or unpaired is in it no more: from the next bundle on nobody takes its vouchers, and
    its share of quotas is the others'.
    """
    changed = []
    for operator in Post.objects.order_by("operator").values_list("operator", flat=True).distinct():
        parts = {FILE: gate_keys(operator).to_json().encode(), ring.RING: ring.to_json(gate_ring(operator))}
        if news := {name: data for name, data in parts.items() if _says_else(operator, name, data)}:
            for name, data in news.items():
                cards.write_part(operator, name, data)
            cards.ask_for_bundle(operator)
            changed.append(operator)
    return changed


def _says_else(operator: str, name: str, data: bytes) -> bool:
    path = cards.place_of(operator, name)
    return not path.exists() or path.read_bytes() != data
