"""Use cases of partners (合作单位): access by two persons, tokens, answers given once, webhooks told and delivered."""

from zhengka.partners.services.access import About, Shown, ask, change, end_secret, new_secret
from zhengka.partners.services.delivering import deliver, forget, send_again, sweep
from zhengka.partners.services.once import answer_once
from zhengka.partners.services.telling import listens, subscribe, tell, tell_many, unsubscribe
from zhengka.partners.services.tokens import Caller, caller_of, log_in

__all__ = [
    "About",
    "Caller",
    "Shown",
    "answer_once",
    "ask",
    "caller_of",
    "change",
    "deliver",
    "end_secret",
    "forget",
    "listens",
    "log_in",
    "new_secret",
    "send_again",
    "subscribe",
    "sweep",
    "tell",
    "tell_many",
    "unsubscribe",
]
