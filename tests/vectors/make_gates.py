"""Makes voucher.json and gatelog.json: fixed keys, stored signatures. Run once; what is stored is checked for ever.

    PYTHONPATH=src python tests/vectors/make_gates.py
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from zhengka.formats import gatelog, voucher
from zhengka.formats.gatelog import Event, Signed
from zhengka.formats.suites import SUITES
from zhengka.formats.voucher import Voucher
from zhengka.gates import quota

HERE = Path(__file__).parent
AT = datetime(2026, 11, 26, 8, 15, 30, tzinfo=UTC)
SCALAR = bytes(range(1, 33))


def vouchers() -> list[dict[str, object]]:
    found = []
    for suite, venue, companions, gives in (
            ("INTL", "wuyi-square", 0, "free"), ("INTL", "", 1, "free"), ("SM", "wuyi-square", 9, "free"),
            ("INTL", "wuyi-square", 0, "fixed:250")):
        key = SUITES[suite].private_key(SCALAR)
        made = Voucher(bytes(range(10)), "changsha-metro", venue, "metro", "metro-free", gives, companions, AT,
                       AT + timedelta(hours=2))
        payload = voucher.encode(made, suite=suite, key_id=key.public.key_id, sign=key.sign)
        sealed = voucher.decode(payload)
        found.append({
            "suite": suite, "point": key.public.point.hex(), "key_id": key.public.key_id.hex(),
            "code": made.code.hex(), "base32": voucher.to_base32(made.code), "operator": made.operator, "venue": venue,
            "service": made.service, "rule": made.rule, "gives": made.gives, "companions": companions,
            "from": "2026-11-26T08:15:30Z", "until": "2026-11-26T10:15:30Z", "signed": sealed.signed.hex(),
            "payload": payload.hex(), "base_url": "https://card.example.org",
            "text": voucher.to_text(payload, "https://card.example.org")})
    return found


def bad_vouchers(good: dict[str, object]) -> list[dict[str, str]]:
    payload = bytes.fromhex(str(good["payload"]))
    body = slice(9, len(payload) - 64)

    def changed(place: int, value: int) -> bytes:
        return payload[:place] + bytes([value]) + payload[place + 1:]

    longer = payload[body]
    return [{"why": why, "payload": data.hex(), "code": code} for why, data, code in (
        ("cut short", payload[:40], "voucher-length"),
        ("another profile", changed(0, 0x13), "voucher-profile"),
        ("an array of eight", changed(9, 0x88), "voucher-shape"),
        ("a number in a longer form", payload[:9] + longer.replace(b"\x00\x1a", b"\x18\x00\x1a", 1) + payload[-64:],
         "voucher-form"),
        ("a byte too many", payload[:-64] + b"\x00" + payload[-64:], "voucher-trailing"),
        ("a venue of another alphabet", payload.replace(b"wuyi", b"wu/i"), "voucher-value"),
    )]


def events() -> list[dict[str, object]]:
    key = SUITES["INTL"].private_key(SCALAR)
    place = ("changsha-metro", "wuyi-square", "metro")
    given = {"rule": "metro-free", "gives": "free"}
    code, subject = bytes(range(10)), bytes(range(16))
    found = []
    for event in (
            Event(430000000000007, 1, "visit", AT, *place, **given, companions=1, subject=subject, proof="qr",
                  list_version=41),
            Event(430000000000007, 2, "issue", AT, *place, **given, subject=subject, voucher=code, begins=AT,
                  ends=AT + timedelta(hours=2), proof="tap", list_version=41),
            Event(430000000000007, 3, "redeem", AT, *place, **given, voucher=code, proof="voucher", list_version=41),
            Event(430000000000007, 4, "cancel", AT, *place, voucher=code, code="cancelled"),
            Event(430000000000007, 5, "refusal", AT, *place, proof="number", code="revoked", list_version=41),
            Event(430000000000007, 6, "visit", AT, *place, rule="metro-fixed", gives="fixed:250", proof="tap")):
        text = gatelog.write(event)
        line = Signed(text, key.sign(text.encode()))
        found.append({"text": text, "digest": line.digest.hex(), "line": line.to_line(),
                      "point": key.public.point.hex(), "kind": event.kind, "seq": event.seq})
    return found


def bad_events(good: dict[str, object]) -> list[dict[str, str]]:
    text = str(good["text"])
    return [{"why": why, "text": changed, "code": code} for why, changed, code in (
        ("a space", text.replace(",", ", ", 1), "event-shape"),
        ("a member too many", text[:-1] + ',"name":"x"}', "event-shape"),
        ("another order", text.replace('"v":1,', "").replace("}", ',"v":1}'), "event-shape"),
        ("a number with a zero before it", text.replace('"seq":1', '"seq":01'), "event-shape"),
        ("parts of a second", text.replace("30Z", "30.5Z"), "event-shape"),
        ("no day of the calendar", text.replace("2026-11-26", "2026-02-30"), "event-value"),
        ("number nought", text.replace('"seq":1', '"seq":0'), "event-value"),
        ("a visit with a voucher", text.replace('"voucher":""', '"voucher":"AAAQEAYEAUDAOCAJ"'), "event-value"),
        ("a visit by no rule", text.replace('"rule":"metro-free"', '"rule":""'), "event-value"),
        ("a sum that is none", text.replace('"gives":"free"', '"gives":"fixed:0"'), "event-shape"),
    )]


def shares() -> list[dict[str, object]]:
    """What each gate may give of a quota while it is cut off (`gates.quota`)."""
    gates = [430000000000007, 430000000000008, 430000000000012]
    return [{"quota": limit, "gates": gates, "subject": subject.hex(),
             "shares": [quota.share(limit, gates, gate, subject) for gate in gates]}
            for limit, subject in ((1, bytes(16)), (1, bytes(range(16))), (5, b"\xff" * 16), (3, bytes(16)))]


def main() -> None:
    """Write both files."""
    told = vouchers()
    log = events()
    for name, content in (("voucher", {"vectors": told, "bad": bad_vouchers(told[0])}),
                          ("gatelog", {"vectors": log, "bad": bad_events(log[0]), "shares": shares()})):
        (HERE / f"{name}.json").write_text(json.dumps({
            "source": "our own format; signatures made once by tests/vectors/make_gates.py", **content},
            indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
