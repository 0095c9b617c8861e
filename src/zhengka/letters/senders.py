"""Who carries a letter out of the house (发送通道): the file store, a folder, or a provider of short messages.

A sender is called once the intent is written down. It answers with a reference, or says by `NotSent` that nothing left
the house; whatever else it raises means that nobody knows (`unknown`), and nothing is sent again blindly.
"""

import http.client
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from zhengka.core import files, signed

TIMEOUT: Final = 10
"""Seconds that a provider has for each answer."""
ANSWER_LIMIT: Final = 64 << 10
STORE: Final = "letter.file"
"""Context of what is sealed into the file store."""

REASONS: Final[dict[str, tuple[str, str]]] = {
    "provider-away": ("无法连接短信平台", "The provider could not be reached"),
    "provider-busy": ("短信平台暂不受理", "The provider takes nothing at the moment"),
    "provider-refused": ("短信平台拒绝发送", "The provider refused the message"),
    "folder-full": ("无法写入消息文件夹", "The folder of messages could not be written"),
    "came-back": ("已退回", "It came back"),
    "no-answer": ("短信平台没有回音", "The provider did not answer"),
    "answer-unclear": ("短信平台的答复不明", "The provider's answer cannot be understood"),
    "sender-fault": ("发送时程序出错", "The sender failed by a fault of its own"),
    "worker-lost": ("发送进程中断", "The worker that was sending it died"),
}
"""Why a letter failed, or its outcome is unknown: code → Chinese, English. No text of a provider: it may repeat what
was sent."""


class Parcel(NamedTuple):
    """What a sender gets: the letter's id, by which a repeat is known, its channel, to whom, and its bytes."""

    letter_id: int
    channel: str
    to: str
    data: bytes
    suffix: str


class Receipt(NamedTuple):
    """Who took the letter, and under which reference."""

    sender: str
    reference: str


class NotSent(Exception):
    """Nothing left the house, for certain; `again`: another try may go better."""

    def __init__(self, code: str, *, again: bool) -> None:
        super().__init__(code)
        self.code, self.again = code, again


class Unsure(Exception):
    """Nobody knows whether the letter went out; `code` says where the trace was lost."""


Sender = Callable[[Parcel, datetime], Receipt]


def for_channel(channel: str) -> Sender:
    """The sender that the settings name for a channel."""
    if channel == "sms" and settings.SMS_URL:
        return provider
    return folder if settings.OUTBOX else store


def store(parcel: Parcel, _at: datetime) -> Receipt:
    """Keep the letter sealed in the file store: where no provider is set, nothing leaves the house."""
    return Receipt("store", files.put_sealed(parcel.data, STORE))


def folder(parcel: Parcel, _at: datetime) -> Receipt:
    """Write the letter into the folder from which another system takes it, each file whole or not at all.

    A short message is JSON with `to` and `text`; another letter is the file itself.
    """
    data, suffix = parcel.data, parcel.suffix
    if parcel.channel == "sms":
        data, suffix = _message(parcel), "json"
    name = f"letter-{parcel.letter_id}.{suffix}"
    place = Path(settings.OUTBOX)
    draft = place / f".{name}.part"
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(draft, "wb", opener=_only_ours) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(place / name)
    except OSError as full:
        raise NotSent("folder-full", again=True) from full
    return Receipt("folder", name)


def _only_ours(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def provider(parcel: Parcel, at: datetime) -> Receipt:
    """Hand a short message to the provider (短信平台) by HTTP: a signed JSON body, answered with `reference`.

    The signature is HMAC-SHA256 (RFC 2104) over time, a dot, and the body. `Idempotency-Key` is the letter's id and
    stays the same for each try, so that a provider that heeds it sends no message twice.
    """
    body, stamp = _message(parcel), at.astimezone(UTC).strftime(signed.TIME)
    connection, path = _connect(settings.SMS_URL)
    try:
        connection.request("POST", path, body, {
            "Content-Type": "application/json", "Idempotency-Key": str(parcel.letter_id),
            "X-Zhengka-Time": stamp, "X-Zhengka-Signature": signature(stamp, body)})
        answer = connection.getresponse()
        return _receipt(answer.status, answer.read(ANSWER_LIMIT))
    except (OSError, http.client.HTTPException) as lost:
        raise Unsure("no-answer") from lost
    finally:
        connection.close()


def signature(stamp: str, body: bytes) -> str:
    """The signature under what goes to the provider and what comes from it, in hexadecimal digits."""
    return signed.signature(settings.SMS_SECRET, stamp, body)


def _connect(url: str) -> tuple[http.client.HTTPConnection, str]:
    """A connection that stands, and the path to ask for: until then nothing was sent."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.connect()
    except OSError as away:
        connection.close()
        raise NotSent("provider-away", again=True) from away
    return connection, parts.path + (f"?{parts.query}" if parts.query else "") or "/"


def _receipt(status: int, answer: bytes) -> Receipt:
    if status in (429, 503):
        raise NotSent("provider-busy", again=True)
    if 300 <= status < 500:
        raise NotSent("provider-refused", again=False)
    try:
        reference = json.loads(answer)["reference"] if status < 300 else None
    except (ValueError, TypeError, LookupError):
        reference = None
    if type(reference) is not str or not 0 < len(reference) <= 100 or not reference.isprintable():
        raise Unsure("answer-unclear")
    return Receipt("provider", reference)


def _message(parcel: Parcel) -> bytes:
    return json.dumps({"id": str(parcel.letter_id), "to": parcel.to, "text": parcel.data.decode()},
                      ensure_ascii=False).encode()
