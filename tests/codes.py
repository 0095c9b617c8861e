"""Plain functions that make a finished card without a batch, and the text of its code."""

from builders import NOON, make_area, make_card, make_holder, with_numbers
from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.formats import credential, qr
from zhengka.formats.credential import Credential
from zhengka.keys import services as keys

BASE = "http://127.0.0.1:8000"


def finished(state: str = "active", *, name: str = "田野", area: Area | None = None) -> Card:
    """A card in a state, with serial, token, place in a status list and signed credential."""
    area = area or make_area()
    keys.ensure(area.code, "SM", at=NOON)
    [card] = with_numbers(make_card(make_holder(name=name, area=area), state=state))
    signer = keys.signer("credential", area.code, "SM", at=NOON)
    said = Credential(bytes(card.token or b""), card.issued_on, card.valid_until, card.status_list, card.status_index)
    [card.credential] = credential.encode_many([said], suite="SM", key_id=signer.key_id, sign_many=signer.sign_many)
    card.save(update_fields=["credential"])
    return card


def code_of(card: Card) -> str:
    """The text of the card's code."""
    return qr.to_text(bytes(card.credential or b""), BASE)


def digits_of(card: Card) -> str:
    """Its digits alone."""
    return code_of(card).rsplit("/", 1)[1]
