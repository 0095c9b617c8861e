"""What a letter's row keeps sealed: to whom, and what it says."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from zhengka.core import fields
from zhengka.letters.models import Letter
from zhengka.letters.rules import Recipient, Words

RECIPIENT, WORDS, WHOLE = "letter.recipient", "letter.words", "letter.whole"


class Said(NamedTuple):
    """What a letter says on its way, and of a short message the whole letter."""

    words: Words
    whole: Words | None = None


def seal(letter: Letter, recipient: Recipient, said: Said) -> None:
    """Put all into the row, each under its own name."""
    (letter.recipient,), (letter.words,), (letter.whole,) = seal_many([recipient], [said])


def seal_many(recipients: Sequence[Recipient],
              said: Sequence[Said]) -> tuple[list[bytes], list[bytes], list[bytes | None]]:
    """The three columns of many letters, sealed."""
    wholes = iter(_sealed([each.whole for each in said if each.whole], WHOLE))
    return (_sealed(recipients, RECIPIENT), _sealed([each.words for each in said], WORDS),
            [next(wholes) if each.whole else None for each in said])


def _sealed(column: Sequence[object], name: str) -> list[bytes]:
    return fields.close_many([json.dumps(each, ensure_ascii=False) for each in column], name)


def recipient(letter: Letter) -> Recipient:
    """To whom it goes."""
    *kept, asked = [*json.loads(fields.open_(bytes(letter.recipient), RECIPIENT)), ()][:6]
    return Recipient(*kept)._replace(asked=tuple(asked))


def words(letter: Letter) -> Words:
    """What it says."""
    return _words(letter.words, WORDS)


def whole(letter: Letter) -> Words | None:
    """The whole letter, of which a short message says only the heart; None for a message of before this was kept."""
    if letter.channel != "sms":
        return words(letter)
    return _words(letter.whole, WHOLE) if letter.whole else None


def _words(kept: bytes | memoryview, name: str) -> Words:
    language, title, greeting, paragraphs, office, day = json.loads(fields.open_(bytes(kept), name))
    return Words(language, title, greeting, tuple(paragraphs), office, day)
