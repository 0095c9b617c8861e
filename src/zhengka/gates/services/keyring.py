"""What gates of one operator must know of each other to read each other's vouchers: their public keys."""

from zhengka.cards import services as cards
from zhengka.core.queue import later
from zhengka.gates.models import Post
from zhengka.gates.queries import gate_keys

FILE = "gates.json"


def ask_for_gate_keys() -> None:
    """Ask, within the present transaction, that gates are told of each other anew: one was paired."""
    later("gates.publish_gate_keys", once="gate keys", lock="gate keys")


def publish_gate_keys() -> list[str]:
    """Write the keys of each operator's gates that are at work into its bundle; the operators whose keys changed.

    A gate that was stopped, lost or unpaired is in it no more: from the next bundle on nobody takes its vouchers.
    """
    changed = []
    for operator in Post.objects.order_by("operator").values_list("operator", flat=True).distinct():
        path, data = cards.place_of(operator, FILE), gate_keys(operator).to_json().encode()
        if not path.exists() or path.read_bytes() != data:
            cards.write_part(operator, FILE, data)
            cards.ask_for_bundle(operator)
            changed.append(operator)
    return changed
