"""Letters for tests: particulars that fit each kind, recipients, rows of the outbox, and a provider that listens."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

from django.utils import timezone

from builders import NOON, make_area, make_card, request_id
from visits import Visitor
from zhengka.areas.models import Area
from zhengka.core import signed
from zhengka.core.actors import SYSTEM, Actor
from zhengka.core.models import Stateful
from zhengka.letters import senders, services
from zhengka.letters.models import Letter
from zhengka.letters.rules import KINDS, Recipient

SECRET = "a secret of the test, never of a provider"
TO = Recipient("𠮷田明", "13800138000", "长沙市岳麓区枫林路1号")
PARTICULARS: dict[str, Any] = {
    "office": "岳麓区残疾人联合会", "phone": "0731-88888888", "number": "ZK-2026-000123", "card": "4711", "days": 60,
    "until": dt.date(2026, 12, 4), "day": dt.date(2026, 12, 1), "time": "14:30", "place": "长沙市第一医院三楼",
    "papers": "户口本复印件；照片两张", "next": "您现在不用做别的事。",
    "disability": "肢体二级", "matter": "省内跨市迁出",
    "reason": "评定的结果不到四级", "result": "言语三级", "services": "乘车、补贴", "heading": "放假通知",
    "body": "春节期间我们休息。", "city_office": "长沙市残疾人联合会", "province_office": "湖南省残疾人联合会",
    "new_area": "株洲市天元区", "freeze_day": dt.date(2027, 3, 1), "lapse_day": dt.date(2027, 9, 1)}


def slots(kind: str, **other: Any) -> dict[str, Any]:
    """Particulars for a kind of letter, some of them others."""
    return {name: PARTICULARS[name] for name in KINDS[kind].slots} | other


def message(kind: str = "acceptance", *channels: str, area: Area | None = None, subject: Stateful | None = None,
            **other: Any) -> services.Message:
    """A message about a card, by SMS unless told otherwise."""
    area = area or make_area()
    return services.Message(**{
        "kind": kind, "area": area, "subject": subject or make_card(), "recipient": TO, "slots": slots(kind),
        "channels": channels or ("sms",), **other})


def make_letter(kind: str = "acceptance", channel: str = "sms", *, by: Actor = SYSTEM, **other: Any) -> Letter:
    """A letter that waits in the outbox."""
    (letter,) = services.write(message(kind, channel, **other), by=by, request_id=request_id(), at=NOON)
    return letter


def post_report(body: bytes, *, at: dt.datetime | None = None) -> Any:
    """The answer to a provider's report that is signed now, or as of another time."""
    stamp = (at or timezone.now()).astimezone(dt.UTC).strftime(signed.TIME)
    headers = {"X-Zhengka-Time": stamp, "X-Zhengka-Signature": senders.signature(stamp, body)}
    return Visitor().post("/api/v1/letters/reports", body, content_type="application/json", headers=headers)


@contextmanager
def listening(*answers: tuple[int, Any] | str) -> Iterator[tuple[str, list[Any]]]:
    """A provider on this machine: its address, and the (headers, body) of what came in, which grows. It gives the
    answers in turn, the last one for ever: status and body (JSON unless bytes), or "hang up" without one.
    """
    heard: list[Any] = []

    class Provider(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            answer = answers[min(len(heard), len(answers)) - 1]
            if isinstance(answer, str):
                self.close_connection = True
                self.connection.close()
                return
            status, said = answer
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Provider)
    Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/messages?from=zhengka", heard
    finally:
        server.shutdown()
        server.server_close()
