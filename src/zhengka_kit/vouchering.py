"""Vouchers of the sandbox (凭证): a good one passes once and never again; late, early, elsewhere, forged."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from zhengka.formats import voucher
from zhengka.formats.voucher import Voucher
from zhengka_kit.cases import Case, Step
from zhengka_kit.making import DAY, HOST, NOON, OPERATOR, Keys

GOOD: Final = Voucher(b"\x00test code", OPERATOR, "north", "park", "park", "free", 0, NOON - DAY, NOON + DAY)
FIRST: Final = "bundles/first"


def cases(keys: Keys) -> list[Case]:
    """Each voucher at the north gate of the park."""
    good = seal(keys, GOOD)
    other = seal(keys, replace(GOOD, code=b"\x01test code"))
    single = {
        "voucher-expired": seal(keys, replace(GOOD, ends=NOON)),
        "voucher-not-yet": seal(keys, replace(GOOD, begins=NOON + timedelta(seconds=1))),
        "voucher-elsewhere": seal(keys, replace(GOOD, venue="south")),
        "key-unknown": seal(keys, GOOD, "stranger"), "key-purpose": seal(keys, GOOD, "sm"),
        "signature-wrong": good[:-1] + bytes((good[-1] ^ 1,))}
    words = {
        "voucher-expired": ("A voucher whose time is over", "凭证已过期"),
        "voucher-not-yet": ("A voucher whose time has not come", "凭证未到时间"),
        "voucher-elsewhere": ("A voucher for another gate", "别处的凭证"),
        "key-unknown": ("A voucher that a stranger signed", "陌生密钥签发的凭证"),
        "key-purpose": ("A voucher signed by a key of cards", "密钥用途不符的凭证"),
        "signature-wrong": ("A forged voucher", "伪造凭证")}
    return [
        _case("voucher-once", ("A voucher is shown twice (replay)", "凭证重复使用"), (
            _shown(good, "valid"), _shown(good, "voucher-used", NOON + timedelta(minutes=1)), _shown(other, "valid"),
            _shown(good, "voucher-used", NOON + timedelta(minutes=2)))),
        _case("voucher-any-venue", ("A voucher for every gate of the operator", "全网通用凭证"), (
            _shown(seal(keys, replace(GOOD, venue="")), "valid"),)),
        _case("voucher-bits", ("Every bit of a voucher flipped", "逐位改动凭证"), [
            Step({"do": "voucher", "text": _text(good[:place] + bytes((good[place] ^ (1 << bit),)) + good[place + 1:]),
                  "at": _stamp(NOON)}, passes=False, code="") for place in range(len(good)) for bit in range(8)]),
        *(_case(f"voucher-{code.removeprefix('voucher-')}", words[code], (_shown(data, code),))
          for code, data in single.items()),
        _case("voucher-card", ("A card's code in a voucher's place", "把证卡二维码当凭证"), (
            Step({"do": "voucher", "text": f"{HOST.upper()}/V/123456", "at": _stamp(NOON)}, passes=False, code=""),)),
    ]


def seal(keys: Keys, told: Voucher, key: str = "gate") -> bytes:
    """The signed bytes of a voucher."""
    pair = keys.pairs[key]
    return voucher.encode(told, suite=pair.public.suite, key_id=pair.public.key_id, sign=pair.sign)


def _case(name: str, words: tuple[str, str], steps: "tuple[Step, ...] | list[Step]") -> Case:
    take = Step({"do": "take", "folder": FIRST, "at": _stamp(NOON)}, passes=True, code="taken")
    return Case(name, *words, {"operator": OPERATOR, "venue": "north", "service": "park"}, (take, *steps))


def _shown(data: bytes, code: str, at: datetime = NOON) -> Step:
    return Step({"do": "voucher", "text": _text(data), "at": _stamp(at)}, code == "valid", code)


def _text(data: bytes) -> str:
    return voucher.to_text(data, HOST)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
