"""A signed statement (签名声明): one line of JSON, and one line with the signature over it.

    {"format": …, …, "signer": key id, "suite": …}
    {"signature": …}

The signature is over `zhengka statement` and the first line as it stands. What is said stands under its `format`, so
that a statement of one kind is never taken for one of another. Receipts and lists of parts are such statements.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from zhengka.formats.suites import MalformedSignature, PublicKey, SigningKey

MOST: Final = 8 << 20
"""Most bytes in a statement."""

_START: Final = b"zhengka statement\n"


class StatementBroken(ValueError):
    """A statement that is not taken: `code` says why, `field` what in it is wrong, where that is known."""

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code, field)
        self.code, self.field = code, field

    def __str__(self) -> str:
        """The code, and the field if it is known."""
        return f"the statement is not taken: {self.code} {self.field}".rstrip()


def sign(data: Mapping[str, Any], key: SigningKey) -> bytes:
    """The statement of `data`, which names its `format`, under the key of who says it."""
    line = _json({**data, "signer": key.public.key_id.hex(), "suite": key.public.suite})
    return line + _json({"signature": key.sign(_START + line).hex()})


def read(text: bytes, signer: PublicKey, kind: str) -> dict[str, Any]:
    """What a statement of format `kind` says, once its signature is right. StatementBroken."""
    if len(text) > MOST:
        raise StatementBroken("too-large")
    first, end, rest = text.partition(b"\n")
    line = first + end
    said, signature = _object(line), _object(rest)
    try:
        right = signer.verify(_START + line, bytes.fromhex(signature["signature"]))
    except (KeyError, TypeError, ValueError, MalformedSignature):
        right = False
    if not right:
        raise StatementBroken("wrong-signature")
    if said.get("format") != kind:
        raise StatementBroken("unknown-format")
    if (said.get("signer"), said.get("suite")) != (signer.key_id.hex(), signer.suite):
        raise StatementBroken("wrong-signer")
    return said


def said(text: bytes, kind: str) -> dict[str, Any]:
    """What a statement of format `kind` says, whoever says it: nothing vouches for it. StatementBroken."""
    found = _object(text[:MOST].partition(b"\n")[0])
    if found.get("format") != kind:
        raise StatementBroken("unknown-format")
    return found


def field(said: Mapping[str, Any], name: str, kind: type) -> Any:
    """The field `name`, which is a `kind`; StatementBroken("bad-field")."""
    value = said.get(name)
    if type(value) is not kind:
        raise StatementBroken("bad-field", name)
    return value


def digest_of(said: Mapping[str, Any], name: str) -> bytes:
    """The field `name`, a digest of 32 bytes in hexadecimal digits; StatementBroken("bad-field")."""
    return as_digest(field(said, name, str), name)


def as_digest(text: Any, name: str) -> bytes:
    """A digest of 32 bytes; StatementBroken("bad-field")."""
    try:
        value = bytes.fromhex(text)
    except (TypeError, ValueError):
        value = b""
    if len(value) != 32:
        raise StatementBroken("bad-field", name)
    return value


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise StatementBroken("no-statement") from None
    if not isinstance(data, dict):
        raise StatementBroken("no-statement")
    return data


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"
