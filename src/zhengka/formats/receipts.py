"""Receipts (回执) of what went between us and the card maker, each a signed statement.

* of a package: the card maker has it whole. `zhengka-package-receipt/1`: batch, package (its digest), cards, parts (0:
  in one piece), at.
* of results: we have taken them. `zhengka-results-receipt/1`: batch, package, result (the id of the results), digest of
  the results file, cards, good, spoiled, suspect, at.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from zhengka.formats import statement
from zhengka.formats.statement import StatementBroken
from zhengka.formats.suites import PublicKey, SigningKey

OF_PACKAGE: Final = "zhengka-package-receipt/1"
OF_RESULTS: Final = "zhengka-results-receipt/1"


class PackageReceipt(NamedTuple):
    """The card maker says that it has a package whole, with so many cards, fetched in so many parts."""

    batch: str
    package: bytes
    cards: int
    parts: int
    at: datetime


class ResultsReceipt(NamedTuple):
    """We say that results were taken: of which file (its digest), and what was counted of its cards."""

    batch: str
    package: bytes
    result: UUID
    digest: bytes
    good: int
    spoiled: int
    suspect: int
    at: datetime

    @property
    def cards(self) -> int:
        """The cards of the batch: good + spoiled + suspect."""
        return self.good + self.spoiled + self.suspect


def sign_package(told: PackageReceipt, maker: SigningKey) -> bytes:
    """The receipt of a package under the maker's key."""
    return statement.sign({"format": OF_PACKAGE, "batch": told.batch, "package": told.package.hex(),
                           "cards": told.cards, "parts": told.parts, "at": told.at.isoformat()}, maker)


def read_package(text: bytes, maker: PublicKey) -> PackageReceipt:
    """The receipt of a package, if it is the maker's. StatementBroken."""
    said = statement.read(text, maker, OF_PACKAGE)
    cards, parts = _counts(said, "cards", "parts")
    return PackageReceipt(statement.field(said, "batch", str), statement.digest_of(said, "package"), cards, parts,
                          _at(said))


def sign_results(told: ResultsReceipt, issuer: SigningKey) -> bytes:
    """The receipt of results under our batch key."""
    return statement.sign({
        "format": OF_RESULTS, "batch": told.batch, "package": told.package.hex(), "result": str(told.result),
        "digest": told.digest.hex(), "cards": told.cards, "good": told.good, "spoiled": told.spoiled,
        "suspect": told.suspect, "at": told.at.isoformat()}, issuer)


def read_results(text: bytes, issuer: PublicKey) -> ResultsReceipt:
    """The receipt of results, if it is the issuer's. StatementBroken."""
    said = statement.read(text, issuer, OF_RESULTS)
    cards, good, spoiled, suspect = _counts(said, "cards", "good", "spoiled", "suspect")
    try:
        result = UUID(statement.field(said, "result", str))
    except ValueError:
        raise StatementBroken("bad-field", "result") from None
    found = ResultsReceipt(statement.field(said, "batch", str), statement.digest_of(said, "package"), result,
                           statement.digest_of(said, "digest"), good, spoiled, suspect, _at(said))
    if found.cards != cards:
        raise StatementBroken("bad-field", "cards")
    return found


def _counts(said: dict[str, Any], *names: str) -> list[int]:
    found: list[int] = [statement.field(said, name, int) for name in names]
    for name, number in zip(names, found, strict=True):
        if number < 0:
            raise StatementBroken("bad-field", name)
    return found


def _at(said: dict[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(statement.field(said, "at", str))
    except ValueError:
        raise StatementBroken("bad-field", "at") from None
    if at.tzinfo is None:
        raise StatementBroken("bad-field", "at")
    return at
