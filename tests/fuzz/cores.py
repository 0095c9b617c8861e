"""The verdict core in Python and the one in JavaScript, in a real Chromium, are given the same bytes: `cores` of `make
fuzz`. Neither is told what the other says; whatever they say otherwise is printed with the input, and is a fault.

Inputs are the seeds of `gates` and `vouchers`, changed at random. A rulebook is validated in full by Python alone, so
of one this holds: what Python takes JavaScript takes.
"""

import base64
import functools
import http.server
import json
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fuzz import gates, vouchers
from zhengka.formats import presenting, rulebook, voucher
from zhengka.formats.presenting import Scanned, Tapped, Typed
from zhengka.formats.rulebook import BadRulebook
from zhengka.formats.voucher import BadVoucher

BUILT = Path(__file__).resolve().parents[2] / "src/zhengka/web/ui/static/ui/gate"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
BATCH, MOST = 200, 400
ANSWER = ("code", "colour", "proof", "benefit", "companions", "rule", "vouchers", "minutes", "ways", "subject")
"""What both say of whatever is shown."""
SEEDS = {"presenting": gates.SEEDS["presenting"], "voucher": vouchers.SEEDS["voucher"],
         "rulebook": gates.SEEDS["rulebook"]}
RUN = """async ({ inputs, held }) => {
  const core = await import("/core.js")
  const at = Date.parse(held.at)
  globalThis.zkHeld ??= await (async () => {
    const keys = await core.KeySet.fromJson(core.fromUtf8(core.fromBase64(held.keys)))
    const list = await core.statuslist.parse(core.fromBase64(held.list), { keys, at })
    return { keys, lists: new Map([[0, list]]), claims: new Map(), issuedAt: at, maxAge: 72 * 3600e3,
      rulebook: core.rulebook.parse(core.fromBase64(held.book)) }
  })()
  const said = async (work) => {
    try {
      return await work()
    } catch (bad) {
      return bad instanceof core.Refused ? bad.code : `FAULT ${bad.stack}`
    }
  }
  const text = (data) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(data)
  const read = (data) => said(() => {
    const { voucher, suite, keyId } = core.voucher.decode(data)
    const { code, begins, ends, ...told } = voucher
    return { ...told, code: core.toHex(code), begins: begins / 1000, ends: ends / 1000, suite, keyId }
  })
  const kinds = {
    presenting: async (data) => {
      const fields = { credential: core.toHex(data) }
      const ways = [{ how: "scanned", text: text(data) }, { how: "typed", number: text(data) },
        { how: "tapped", fields, proven: true }, { how: "tapped", fields, proven: false }]
      const found = []
      for (const shown of ways) {
        found.push(await said(async () => {
          const answer = await core.present(shown, { bundle: zkHeld, place: held.place, at })
          return Object.fromEntries(held.answer.map((name) => [name, answer[name]]))
        }))
      }
      return found
    },
    voucher: async (data) => [await read(data), await said(async () => read(core.voucher.fromText(text(data))))],
    rulebook: async (data) => said(() => (core.rulebook.parse(data), "taken")),
  }
  const found = []
  for (const [kind, data] of inputs) found.push(await kinds[kind](core.fromBase64(data)))
  return found
}"""


def main(seconds: int) -> bool:
    """Compare for so many seconds; whether they differed."""
    seed = random.SystemRandom().randrange(2**32)
    dice, done, end = random.Random(seed), 0, time.monotonic() + seconds
    with page() as asked:
        while time.monotonic() < end:
            inputs = [changed(dice) for _ in range(BATCH)]
            told = asked.evaluate(RUN, {"held": _HELD, "inputs": [(kind, _text(data)) for kind, data in inputs]})
            for (kind, data), there in zip(inputs, told, strict=True):
                if not alike(kind, here := answered(kind, data), there):
                    print(f"cores    differ, seed {seed}: {kind} {data.hex()}",
                          f"  Python     {here}", f"  JavaScript {there}", sep="\n")
                    return True
            done += BATCH
    print(f"cores    {seconds} s, {done:,} inputs before both, seed {seed}", flush=True)
    return False


def answered(kind: str, data: bytes) -> Any:
    """What the core in Python says."""
    if kind == "presenting":
        text = data.decode("utf-8", "replace")
        ways = (Scanned(text), Typed(text), Tapped({"credential": data}, True), Tapped({"credential": data}, False))
        answers = [presenting.present(shown, bundle=gates.GATE, place=gates.PLACE, at=gates.AT) for shown in ways]
        return [{name: answer.to_dict()[name] for name in ANSWER} for answer in answers]
    if kind == "voucher":
        return [_voucher(data), _voucher_of(data.decode("utf-8", "replace"))]
    try:
        rulebook.parse(data)
    except BadRulebook as bad:
        return bad.code
    return "taken"


def alike(kind: str, here: Any, there: Any) -> bool:
    """Whether both said the same; of a rulebook, whether JavaScript takes what Python takes, and never breaks."""
    if kind == "rulebook":
        return there == "taken" if here == "taken" else not str(there).startswith("FAULT")
    return json.loads(json.dumps(here)) == there


def changed(dice: random.Random) -> tuple[str, bytes]:
    """A seed with some changes, and of what kind it is."""
    kind = dice.choices(("presenting", "voucher", "rulebook"), (5, 4, 1))[0]
    data = bytearray(dice.choice(SEEDS[kind]))
    for _ in range(dice.choice((0, 1, 1, 1, 2, 4, 16))):
        at, end = sorted((dice.randrange(len(data) + 1), dice.randrange(len(data) + 1)))
        what = dice.randrange(7)
        if what == 0 and at < len(data):
            data[at] ^= 1 << dice.randrange(8)
        elif what == 1 and at < len(data):
            data[at] = dice.choice(b"0123456789ABX \t-/\x00\x17\x18\x19\x1a\x7f\xff")
        elif what == 2:
            data[at:at] = dice.randbytes(dice.randrange(1, 4))
        elif what == 3:
            del data[at : at + dice.randrange(1, 4)]
        elif what == 4:
            data[at:at] = data[at:end][:MOST]
        elif what == 5 and at < len(data) and data[at] & 31 < 24:  # a number of CBOR in more bytes than it needs
            data[at : at + 1] = (data[at] & 0xE0 | 24, data[at] & 31)
        elif what == 6 and not dice.randrange(8):
            del data[at:]
    return kind, bytes(data[: 5 * MOST]) if kind != "rulebook" else bytes(data)


@contextmanager
def page() -> Iterator[Any]:
    """A page of a site that has the core's files and nothing else."""
    from playwright.sync_api import sync_playwright

    handler = functools.partial(_Quiet, directory=str(BUILT))
    server = http.server.ThreadingHTTPServer(("localhost", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        asked = browser.new_page()
        asked.goto(f"http://localhost:{server.server_address[1]}/icon.svg")
        yield asked
        browser.close()
    server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def _voucher(data: bytes) -> Any:
    try:
        sealed = voucher.decode(data)
    except BadVoucher as bad:
        return bad.code
    told = sealed.voucher
    return {"operator": told.operator, "venue": told.venue, "service": told.service, "rule": told.rule,
            "gives": told.gives, "companions": told.companions, "code": told.code.hex(),
            "begins": int(told.begins.timestamp()), "ends": int(told.ends.timestamp()), "suite": sealed.suite,
            "keyId": sealed.key_id.hex()}


def _voucher_of(text: str) -> Any:
    try:
        return _voucher(voucher.from_text(text))
    except BadVoucher as bad:
        return bad.code


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


_HELD = {"at": gates.AT.isoformat(), "keys": _text(gates.KEYS.to_json().encode()), "list": _text(gates.LIST_FILE),
         "book": _text(gates.BOOK), "place": gates.PLACE._asdict(), "answer": ANSWER}
