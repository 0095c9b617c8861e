"""A gate in tests without a browser: it is paired by a code and signs what it asks, as the gate app does."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from builders import make_actor, request_id
from visits import Visitor
from zhengka.core.signed import TIME
from zhengka.devices import services
from zhengka.devices.models import Device
from zhengka.formats.reading import FORMAT
from zhengka.formats.suites import INTL, SigningKey

ORIGIN = "http://testserver"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def enter_gate(area: Any, name: str = "北门") -> Device:
    """A gate as its office enters it."""
    about = services.About("gate", name, "公园北门", "周敏")
    return services.register(area, about, by=make_actor("system", area=area), request_id=request_id(),
                             at=timezone.now())


def new_code(row: Device) -> str:
    """The code that its page shows."""
    return services.new_code(row, by=make_actor("clerk", area=row.area), at=timezone.now()).code


def pairing(key: SigningKey, code: str, *, origin: str = ORIGIN) -> dict[str, str]:
    """What a device says with this code."""
    signature = key.sign(FORMAT + b"pair" + code.encode() + b"\0" + origin.encode())
    return {"code": code, "point": key.public.point.hex(), "signature": base64url(signature),
            "request_id": str(request_id())}


class GatePhone:
    """A device with a key of its own."""

    def __init__(self) -> None:
        """Not paired yet."""
        self.key, self.number, self.late = INTL.generate(), "", timedelta()

    def pair(self, code: str, **changed: str) -> Any:
        """Send the code."""
        told = pairing(self.key, code) | changed
        answer = Visitor().post("/api/v1/gate/pair", json.dumps(told), content_type="application/json")
        if answer.status_code == 200:
            self.number = str(answer.json()["gate"])
        return answer

    def ask(self, method: str, path: str, body: bytes | dict[str, Any] = b"", **headers: str) -> Any:
        """Ask something, signed."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = (datetime.now(UTC) + self.late).strftime(TIME)
        spelled = "\n".join((method, path, stamp, hashlib.sha256(data).hexdigest())).encode()
        told = {"X-Zhengka-Gate": self.number, "X-Zhengka-Time": stamp,
                "X-Zhengka-Signature": base64url(self.key.sign(spelled))} | headers
        kind = "text/plain" if isinstance(body, bytes) else "application/json"
        return Visitor().generic(method, path, data, content_type=kind, headers=told)


def paired(area: Any, name: str = "北门") -> tuple[Device, GatePhone]:
    """A gate at work, and the device that is it."""
    phone, row = GatePhone(), enter_gate(area, name)
    assert phone.pair(new_code(row)).status_code == 200
    return Device.objects.get(pk=row.pk), phone


def answers(area: Any) -> dict[tuple[str, str], list[Any]]:
    """What the routes of gates answer to a gate that stands nowhere yet, and to a stranger, by path and method."""
    (_, phone), stranger, root = paired(area), GatePhone(), "/api/v1/gate/"
    voucher = {"line": "x", "voucher": "A" * 86}
    code = {"code": "A" * 16, "request_id": str(request_id())}
    shown = {"service": "entry", "shown": {"how": "typed", "number": "1"}}
    asked: dict[tuple[str, str], list[Any]] = {
        ("post", "get"): [b""], ("events", "post"): [b"", b"x"], ("redeem", "post"): [voucher, {}],
        ("redeem-code", "post"): [code, {}], ("companion", "post"): [code | {"voucher": ""}, {}],
        ("seen", "post"): [{"bundle": 1, "lists": {}}, {}], ("check", "post"): [shown, {}]}
    found = {(root + name, method): [who.ask(method.upper(), root + name, body) for body in bodies
                                     for who in (phone, stranger)] for (name, method), bodies in asked.items()}
    found[f"{root}pair", "post"] = [GatePhone().pair(new_code(enter_gate(area, "东门"))), stranger.pair("1" * 12),
                                    stranger.pair("1")]
    found[f"{root}bundle/{{name}}", "get"] = [who.ask("GET", f"{root}bundle/manifest.bin")
                                              for who in (phone, stranger)]
    return found
