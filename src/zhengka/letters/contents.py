"""What a letter's row keeps sealed: to whom, and what it says."""

import json
from collections.abc import Sequence

from zhengka.core import fields
from zhengka.letters.models import Letter
from zhengka.letters.rules import Recipient, Words

RECIPIENT, WORDS = "letter.recipient", "letter.words"


def seal(letter: Letter, recipient: Recipient, words: Words) -> None:
    """Put both into the row, each under its own name."""
    (letter.recipient,), (letter.words,) = seal_many([recipient], [words])


def seal_many(recipients: Sequence[Recipient], words: Sequence[Words]) -> tuple[list[bytes], list[bytes]]:
    """Both columns of many letters, sealed."""
    return (fields.close_many([json.dumps(each, ensure_ascii=False) for each in recipients], RECIPIENT),
            fields.close_many([json.dumps(each, ensure_ascii=False) for each in words], WORDS))


def recipient(letter: Letter) -> Recipient:
    """To whom it goes."""
    return Recipient(*json.loads(fields.open_(bytes(letter.recipient), RECIPIENT)))


def words(letter: Letter) -> Words:
    """What it says."""
    language, title, greeting, paragraphs, office, day = json.loads(fields.open_(bytes(letter.words), WORDS))
    return Words(language, title, greeting, tuple(paragraphs), office, day)
