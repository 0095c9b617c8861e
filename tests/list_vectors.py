"""Makes the known answers for status lists and deltas, which every language that reads them runs.

    python tests/list_vectors.py

writes `lists`, `deltas` and `bad` into `tests/vectors/statuslist.json` and leaves the rest of that file, which is
older, as it is. Signatures differ from run to run, so do it only when a case is added.
"""

import json
import struct
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from issued import NOON, Issuer
from zhengka.formats import issuers, statusdelta, statuslist
from zhengka.formats.issuers import KeySet
from zhengka.formats.statuslist import STATUS_LIST, Kind, StatusList

PATH = Path(__file__).parent / "vectors" / "statuslist.json"
CHANCE = np.random.default_rng(6)
SIGNERS = {"SM": Issuer("SM"), "INTL": Issuer("INTL"), "other": Issuer("SM", 2), "revoked": Issuer("SM", 3,
                                                                                            revoked_at=NOON)}
TRUSTED = KeySet([SIGNERS["SM"].trusted, SIGNERS["INTL"].trusted, SIGNERS["revoked"].trusted])


def numbers(share: dict[int, float], size: int) -> str:
    """A row of numbers by chance, each with its share."""
    drawn = CHANCE.choice([0, *share], size, p=[1 - sum(share.values()), *share.values()])
    return "".join(map(str, drawn.tolist()))


LISTS: dict[str, tuple[str, int, int, str, str]] = {
    #  name          suite  list version numbers                                             claim
    "empty": ("SM", 0, 1, "0" * 64, ""),
    "one card": ("SM", 0, 1, "2", ""),
    "five cards": ("SM", 0, 1, "01203", ""),
    "all revoked": ("SM", 1, 7, "1" * 37, ""),
    "first": ("SM", 3, 100, numbers({1: .02, 2: .01, 3: .2}, 2000), ""),
    "second": ("SM", 3, 101, "", ""),
    "much later": ("SM", 3, 2**40, numbers({1: .1, 2: .01, 3: .7}, 2000), ""),
    "few of many": ("INTL", 4, 5, numbers({1: .001, 2: .0005}, 20_000), ""),
    "few of many, next": ("INTL", 4, 6, "", ""),
    "claim": ("INTL", 4, 9, numbers({1: .6}, 1000), "metro.free-1"),
    "claim, next": ("INTL", 4, 10, numbers({1: .61}, 1000), "metro.free-1"),
}
STEPS = [("first", "second"), ("second", "much later"), ("first", "much later"),
         ("few of many", "few of many, next"), ("claim", "claim, next")]


def kind_of(claim: str) -> Kind:
    """Status lists, or the claim's."""
    return statuslist.claim_list(claim) if claim else STATUS_LIST


def seal(suite: str, content_type: str, signed: bytes, signer: Issuer | None = None) -> bytes:
    """Anything, well signed."""
    key = (signer or SIGNERS[suite]).key
    return signed + key.public.key_id + key.sign(issuers.sig_structure(suite, key.public.key_id, content_type, signed))


def made(name: str) -> tuple[bytes, StatusList]:
    """A list of the table, and what it says."""
    suite, number, version, told, claim = LISTS[name]
    key, kind = SIGNERS[suite].key, kind_of(claim)
    header = statuslist.Header(number, version, NOON, NOON + timedelta(hours=24), len(told))
    pairs = [(place, int(digit)) for place, digit in enumerate(told) if digit != "0"]
    data = statuslist.build(header, pairs, suite=suite, key_id=key.public.key_id, sign=key.sign, kind=kind)
    return data, statuslist.parse(data, keys=TRUSTED, at=NOON, kind=kind)


def list_vectors() -> list[dict[str, Any]]:
    """Every list of the table, and one in the format of the first years."""
    found = []
    for name, (suite, *_, told, claim) in LISTS.items():
        data, known = made(name)
        found.append({"name": name, "suite": suite, "claim": claim, "data": data.hex(), "number": known.number,
                      "version": known.version, "capacity": known.header.capacity, "numbers": told,
                      "digest": known.digest.hex()})
    _, known = made("first")
    body = zlib.compress(known.bits, 9, -15)
    signed = struct.pack(">4sBBIQQQII", b"ZKSL", 1, 0x11, 3, 100, int(NOON.timestamp()),
                         int(NOON.timestamp()) + 86400, 2000, len(body)) + body
    return [*found, found[4] | {"name": "first, format 1",
                                "data": seal("SM", STATUS_LIST.content_type, signed).hex()}]


def delta_vectors() -> list[dict[str, Any]]:
    """From which list to which."""
    found = []
    for before, after in STEPS:
        suite, key = LISTS[after][0], SIGNERS[LISTS[after][0]].key
        data = statusdelta.build(made(before)[1], made(after)[1], suite=suite, key_id=key.public.key_id, sign=key.sign)
        found.append({"before": before, "after": after, "data": data.hex()})
    return found


def section(count: int, how: int, unary: str, remainders: str = "") -> bytes:
    """A section spelled out by hand."""
    return struct.pack(">IBI", count, how, len(unary)) + b"".join(
        bytes(int(bits[at: at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8)) for bits in (unary, remainders))


NOTHING = section(0, 0, "")
BODIES = {
    "a place past the end": section(1, 0, "0" * 63 + "01") + NOTHING * 2,
    "a place past the end by its remainder": section(1, 6, "01", "000000") + NOTHING * 2,
    "a place past those that are free": section(63, 0, "1" * 63) + section(1, 1, "1", "1") + NOTHING,
    "more places than cards": section(65, 0, "1" * 65) + NOTHING * 2,
    "fewer ones than it counts": section(2, 0, "01") + NOTHING * 2,
    "more ones than it counts": section(1, 0, "0101") + NOTHING * 2,
    "zeros after the last one": section(1, 0, "010") + NOTHING * 2,
    "a bit that fills up is set": section(1, 0, "01")[:-1] + b"\x41" + NOTHING * 2,
    "a remainder's bit that fills up is set": section(1, 1, "1", "01") + NOTHING * 2,
    "k is too large": section(1, 21, "1", "0" * 21) + NOTHING * 2,
    "k without a place": section(0, 1, "") + NOTHING * 2,
    "an unknown bit": section(1, 0x20, "1") + NOTHING * 2,
    "two sections": NOTHING * 2,
    "four sections": NOTHING * 4,
    "a section cut short": NOTHING * 2 + NOTHING[:-1],
    "unary bits cut short": NOTHING * 2 + section(1, 0, "0" * 20 + "1")[:-1],
    "nothing": b"",
}


def bad_lists() -> list[tuple[str, str, bytes, str]]:
    """Name, the list known before, data, the code of the refusal."""
    good, _ = made("first")
    small = made("empty")[0][:38]
    kept = len(good) - 72
    cases = [
        ("another magic", "", b"ZKSX" + good[4:], "list-format"),
        ("a format to come", "", good[:4] + b"\x03" + good[5:], "list-format"),
        ("a delta for a list", "", bytes.fromhex(delta_vectors()[0]["data"]), "list-format"),
        ("an unknown algorithm", "", good[:5] + b"\x13" + good[6:], "list-format"),
        ("another algorithm than its key's", "", good[:5] + b"\x12" + good[6:], "algorithm-mismatch"),
        ("cut short", "", good[:-1], "list-truncated"),
        ("cut to its header", "", good[:42], "list-truncated"),
        ("with a byte more", "", good + b"\0", "list-truncated"),
        ("another version in its header", "", good[:17] + b"\x65" + good[18:], "signature-wrong"),
        ("a bit of its body", "", good[:60] + bytes((good[60] ^ 1,)) + good[61:], "signature-wrong"),
        ("signed by a stranger", "", seal("SM", STATUS_LIST.content_type, good[:kept], SIGNERS["other"]),
         "key-unknown"),
        ("signed by a key that was revoked", "", seal("SM", STATUS_LIST.content_type, good[:kept],
                                                      SIGNERS["revoked"]), "key-revoked"),
        ("signed for another purpose", "", seal("SM", "application/cose", good[:kept]), "signature-wrong"),
        ("a claim's list for a status list", "", made("claim")[0], "list-format"),
        ("older than the one known", "much later", good, "list-rollback"),
        ("another of the version known", "first", _other_of_the_same_version(), "list-rollback"),
        ("no card at all", "", seal("SM", STATUS_LIST.content_type, small[:34] + bytes(8) + NOTHING[:0]),
         "list-value"),
    ]
    return cases + [(name, "", seal("SM", STATUS_LIST.content_type, small + struct.pack(">I", len(body)) + body),
                     "list-truncated") for name, body in BODIES.items()]


def _other_of_the_same_version() -> bytes:
    LISTS["twin"] = (*LISTS["first"][:3], LISTS["second"][3], "")
    try:
        return made("twin")[0]
    finally:
        del LISTS["twin"]


def bad_deltas() -> list[tuple[str, str, bytes, str]]:
    """Name, the list in hand, data, the code of the refusal."""
    good = bytes.fromhex(delta_vectors()[0]["data"])
    signed, kind = good[:-72], STATUS_LIST.delta_content_type
    claim = bytes.fromhex(delta_vectors()[4]["data"])
    return [
        ("for an older version", "second", good, "list-rollback"),
        ("for a newer version", "first", bytes.fromhex(delta_vectors()[1]["data"]), "delta-other-list"),
        ("for another list", "few of many", good, "delta-other-list"),
        ("for a claim", "first", claim, "list-format"),
        ("cut short", "first", good[:-1], "list-truncated"),
        ("a bit of its body", "first", good[:120] + bytes((good[120] ^ 1,)) + good[121:], "signature-wrong"),
        ("signed as a list", "first", seal("SM", STATUS_LIST.content_type, signed), "signature-wrong"),
        ("signed by a stranger", "first", seal("SM", kind, signed, SIGNERS["other"]), "key-unknown"),
        ("made from another list of that version", "first", seal("SM", kind, signed[:50] + bytes(32) + signed[82:]),
         "delta-other-list"),
        ("with another result than it promises", "first", seal("SM", kind, signed[:82] + bytes(32) + signed[114:]),
         "delta-result"),
        ("to a version not above its own", "first", seal("SM", kind, signed[:18] + signed[10:18] + signed[26:]),
         "list-value"),
        ("with a section too many", "first", seal("SM", kind, signed[:46] + struct.pack(
            ">I", len(signed) - 114 + 9) + signed[50:] + NOTHING), "list-truncated"),
        ("a list for a delta", "first", made("second")[0], "list-format"),
    ]


def main() -> None:
    """Write them."""
    told = list(LISTS["first"][3])
    told[5], told[100], told[1999] = "2", "0", "3"
    LISTS["second"] = (*LISTS["second"][:3], "".join(told), "")
    few = list(LISTS["few of many"][3])
    few[777] = "2" if few[777] == "0" else "0"
    LISTS["few of many, next"] = (*LISTS["few of many, next"][:3], "".join(few), "")
    content = json.loads(PATH.read_text("utf-8"))
    content |= {"at": NOON.isoformat(), "trusted": json.loads(TRUSTED.to_json()), "lists": list_vectors(),
                "deltas": delta_vectors(), "bad": [
        {"name": name, "what": what, "known": known, "data": data.hex(), "code": code}
        for what, cases in (("list", bad_lists()), ("delta", bad_deltas())) for name, known, data, code in cases]}
    PATH.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
