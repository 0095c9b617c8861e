"""What is fuzzed of vouchers, logs of gates and statements. As in `targets`."""

import json
from collections.abc import Callable
from pathlib import Path

from zhengka.formats import gatelog, voucher
from zhengka.formats.gatelog import BadEvent
from zhengka.formats.issuers import SUITE_OF_PROFILE
from zhengka.formats.voucher import BadVoucher
from zhengka.gates import account
from zhengka.gates.account import BadStatement

_VECTORS = Path(__file__).parents[1] / "vectors"
_VOUCHERS = json.loads((_VECTORS / "voucher.json").read_text("utf-8"))["vectors"]
_LOG = json.loads((_VECTORS / "gatelog.json").read_text("utf-8"))["vectors"]
_HEAD = account.head({"operator": "x", "month": "2026-11", "events": 0, "counted": 0, "fen": 0, "lines": [],
                      "digest": account.digest([]).hex(), "prices": [], "doubles": [], "struck": [], "forked": []})


def read_voucher(data: bytes) -> None:
    """Vouchers: what is read is written back alike; texts as a scanner brings them."""
    try:
        sealed = voucher.decode(data)
    except BadVoucher:
        pass
    else:
        assert SUITE_OF_PROFILE[data[0]] == sealed.suite
        again = voucher.encode(sealed.voucher, suite=sealed.suite, key_id=sealed.key_id,
                               sign=lambda _: sealed.signature)
        assert again == data
    try:
        voucher.decode(voucher.from_text(data.decode("utf-8", "replace")))
    except BadVoucher:
        return


def read_log(data: bytes) -> None:
    """Uploads: each line that is read is written back alike, and text and event are one."""
    try:
        lines = gatelog.from_lines(data)
    except BadEvent:
        return
    for line in filter(None, lines):
        assert gatelog.from_lines(line.to_line().encode()) == [line]
        try:
            event = gatelog.read(line.text)
        except BadEvent:
            continue
        assert gatelog.write(event) == line.text


def read_statement(data: bytes) -> None:
    """Statements: refused by name, or reckoned."""
    try:
        found = account.check(data)
    except BadStatement:
        return
    assert found.fen == sum(line.fen for line in found.lines)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "voucher": read_voucher, "gatelog": read_log, "statement": read_statement}
SEEDS: dict[str, list[bytes]] = {
    "voucher": [*(bytes.fromhex(one["payload"]) for one in _VOUCHERS), _VOUCHERS[0]["text"].encode(), b""],
    "gatelog": ["\n".join(one["line"] for one in _LOG).encode(), _LOG[0]["line"].encode(), b"\n\n", b""],
    "statement": [account.to_file(_HEAD, None, {}, []), b"{}", b"[]", b""],
}
