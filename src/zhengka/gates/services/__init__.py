"""Use cases of this room: a card is presented; lists of claims are published."""

from zhengka.gates.services.checking import GROUP, Answer, Face, check, renew_by_use
from zhengka.gates.services.claims import publish_claims
from zhengka.gates.services.presenting import Presented, present_online

__all__ = ["GROUP", "Answer", "Face", "Presented", "check", "present_online", "publish_claims", "renew_by_use"]
