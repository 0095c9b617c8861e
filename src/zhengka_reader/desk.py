"""What a page may ask of the reader (桌面读卡): look for a card, carry commands to it, make one, let it prove itself to
a gate. Nothing else.

A reading is carried on the card with which it began: taken away, or another one laid down, it ends with a name, and the
next one begins with power off and on. What the reader saw it signs; what it means the server says.

Messages are JSON objects, a question and its answer in turn. `{"no": code, "detail": …}` is the answer no, with a code
of CODES; bytes are in hexadecimal digits.

    {"do": "hello"} → {"reader": "zhengka-reader/1", "key": id of the reader's key, "paired": true, "printer": queue}
    {"do": "wait", "seconds": 20} → {"readers": [{"name", "card": true, "what": "empty" | "card" | "module"}]}
        when something changed, or after so long; {"do": "list"}: the same at once
    {"do": "gate-read", "plan": plan, "nonce": 16 bytes, "needed": [field, …], "reader": slot, "again": true}
        → {"fields": {"serial": "4301040000000017", "issuer": "430104000000", "issued": "2026-11-22", "valid_until": …,
                      "activation_until": …, "category": 4, "grade": 2, "credential": bytes}, "proven": true,
           "commands": 8, "uid", "module": {"number", "region", "allowed", "uses"}, "key", "signature"}
        One read by the module in the second slot, which needs no network. `plan` is what the server told
        (`formats.chip.plan`), as it is. May be left out: `needed`, for fewer of these fields; `reader`, for the only
        card that lies there; `again`, to ask a card once more that did not accept our keys before, since the agent
        was started (`tried-before`: it loses a try each time). `signature` is over {"fields", "uid", "module"}
        (`formats.reading.is_gate`). `no-module` where there is no module of chip kind: then the server answers, by
        `carry`, for a reading with purpose `gate`.
    {"do": "carry", "nonce", "number": step, "commands": [command, …], "slot": "" | "module"}
        → {"number", "reader", "uid", "atr", "answers": [answer, …], "signature"}
    {"do": "let-go"} → {}; {"do": "pair", …}, {"do": "make", …}: see there
"""

import base64
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from zhengka.formats.apdu import OK, ApduBroken, Transport, decode_response
from zhengka.formats.chip import gate
from zhengka.formats.chip.plan import plan_of
from zhengka.formats.package import CardOrder, PackageBroken, PackageReader
from zhengka.formats.reading import MOST_EXCHANGES, NONCE, Exchange, Step, sign_gate, sign_pairing, spelled
from zhengka.formats.results import CardResult, ResultsInfo, ResultWriter
from zhengka.formats.suites import SUITES
from zhengka_reader import gating, printing
from zhengka_reader import home as homes
from zhengka_reader.ledger import Ledger
from zhengka_reader.pcsc import PATIENCE, Card, PcscFault, Readers, TwoCards
from zhengka_reader.printing import Printer, PrintFault
from zhengka_reader.slots import CARD, MODULE, Slots

FORMAT: Final = "zhengka-reader/1"
CODES: Final = (
    "pcsc-missing", "no-reader", "reader-gone", "no-card", "card-removed", "card-mute", "card-in-use", "reader-fails",
    "two-cards", "another-card", "not-blank", "not-paired", "code-wrong", "not-trusted", "package-broken",
    "one-card-only", "no-printer", "no-module", "garbled", "not-understood", *gating.CODES)
"""Every no that a page can get; the pages have a sentence for each."""


_MAKING: Final = threading.Lock()
"""Two pages with the same package do not make two cards of it."""


class No(ValueError):
    """The reader says no: `code` is one of CODES, `detail` what a technician would want to know."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail


class Desk:
    """The reader as one page sees it, whose site is `origin`: a conversation, and the card that lies there now."""

    def __init__(self, home: Path, origin: str, *, printer: Printer | None = None, patience: float = PATIENCE,
                 refused: set[bytes] | None = None) -> None:
        """`patience`: seconds in which a card answers a command. `refused`: identifiers of the chips that did not
        accept a gate's key, which the pages share.
        """
        self._home, self._origin, self._printer, self._patience = home, origin, printer, patience
        self._readers: Readers | None = None
        self._card: Card | None = None
        self._chip: tuple[bytes, bytes, bytes] = (b"", b"", b"")
        self._print_job = ""
        self._slots = Slots()
        self._module: Card | None = None
        self._refused_us = set() if refused is None else refused

    def close(self) -> None:
        """The page is gone: let go of the card and of the service."""
        self._release()
        if self._readers:
            self._readers.close()
            self._readers = None

    def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Do what was asked, and say what came of it: `no` names why not. Never raises for what a page may send."""
        try:
            do = asked["do"]
            if do not in ("hello", "pair") and self._origin not in homes.origins(self._home):
                raise No("not-paired")
            return _DOES[do](self, asked)
        except No as no:
            return {"no": no.code, "detail": no.detail}
        except TwoCards as two:
            return {"no": "two-cards", "detail": ", ".join(two.readers)}
        except PcscFault as fault:
            self._release()
            if self._readers and (self._readers.lost or fault.code in ("pcsc-missing", "reader-fails")):
                self._readers.close()
                self._readers = None
            return {"no": fault.code, "detail": str(fault)}
        except ApduBroken as fault:
            self._release()
            return {"no": "garbled", "detail": str(fault)}
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as fault:
            return {"no": "not-understood", "detail": type(fault).__name__}

    def _hello(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        public = homes.private_key(self._home).public
        return {"reader": FORMAT, "key": public.key_id.hex(), "paired": self._origin in homes.origins(self._home),
                "printer": self._printer.queue if self._printer else ""}

    def _pair(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        key, code, nonce = homes.private_key(self._home), str(asked["code"]), _nonce(asked)
        if not homes.pair(self._home, self._origin, code):
            raise No("code-wrong")
        signature = sign_pairing(key, nonce, code, self._origin)
        return {"suite": key.public.suite, "point": key.public.point.hex(), "signature": signature.hex()}

    def _list(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        told = self._slots.told(self._service(), ours=self._card)
        return {"readers": [{"name": name, "card": what == CARD, "what": what} for name, what in told.items()]}

    def _wait(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Until something changes, for a minute at most; what there is then."""
        self._service().wait(min(60.0, max(0.0, float(asked.get("seconds", 20)))))
        return self._list(asked)

    def _carry(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Carry commands to the card, until it refuses one; each step of a reading is signed."""
        nonce, number = _nonce(asked), int(asked["number"])
        commands = [bytes.fromhex(command) for command in asked["commands"]]
        if not 1 <= len(commands) <= MOST_EXCHANGES or not all(4 <= len(each) <= 261 for each in commands):
            raise No("not-understood", "commands")
        card, uid, atr = self._card_of(nonce, first=number == 0, reader=str(asked.get("reader", "")))
        if asked.get("slot") == MODULE:
            return self._carry_to_module(nonce, number, commands)
        step = Step(nonce, number, card.reader, uid, atr, tuple(_carried(card, commands)))
        if card.uid != uid:
            self._release()
            raise No("another-card")
        return step.told() | {"signature": step.sign(homes.private_key(self._home)).hex()}

    def _carry_to_module(self, nonce: bytes, number: int, commands: Sequence[bytes]) -> dict[str, Any]:
        """The same for the security module in another slot; it stays open as long as the card does."""
        module = self._module_there()
        step = Step(nonce, number, module.reader, b"", module.atr, tuple(_carried(module, commands)))
        return step.told() | {"signature": step.sign(homes.private_key(self._home)).hex()}

    def _module_there(self) -> Card:
        if self._module is None:
            service, ours = self._service(), self._card
            there = [name for name, what in self._slots.told(service, ours=ours).items() if what == MODULE]
            if len(there) != 1:
                raise No("no-module", ", ".join(there))
            self._module = service.connect(there[0])
        return self._module

    def _gate_read(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Read what a gate needs by the module in the second slot; the card is let go of, whatever came of it."""
        nonce, plan, needed = _nonce(asked), plan_of(asked["plan"]), tuple(asked.get("needed", gate.TOLD))
        if not set(needed) <= set(gate.TOLD):
            raise No("not-understood", "needed")
        try:
            card, uid, _ = self._card_of(nonce, first=True, reader=str(asked.get("reader", "")))
            module = self._module_there()
            if uid in self._refused_us and asked.get("again") is not True:
                raise No("tried-before")
            found = gating.read(card, module, plan, needed)
            if card.uid != uid:
                raise No("another-card")
        except gating.GateRefused as refused:
            if refused.code == "gate-refused":
                self._refused_us.update({uid} - {b""})
            raise No(refused.code) from None
        finally:
            self._release()
        self._refused_us.discard(uid)
        told = {"fields": spelled(found.fields), "uid": uid.hex(), "module": found.module._asdict()}
        key = homes.private_key(self._home)
        return told | {"proven": True, "commands": found.commands, "key": key.public.key_id.hex(),
                       "signature": sign_gate(key, nonce, told).hex()}

    def _make(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Make the one card of a package on the blank chip that lies there, and print it; the signed results.

        A repeat gives what came of it the first time, and touches no chip; a face that was given to no printer yet,
        because the program was ended before, is printed now. The site must have asked for the printer's queue by name:
        it asks its registry first, so that a printer that was stopped there prints nothing. `blank`: the serial on the
        blank card, as the officer read it; the results name it.
        """
        self._release()
        if asked.get("printer", "") != (self._printer.queue if self._printer else ""):
            raise No("not-understood", "printer")
        key = homes.private_key(self._home)
        try:
            issuer = homes.issuer_key(self._home, self._origin)
        except homes.NoHome as none:
            raise No("not-trusted", str(none)) from None
        with tempfile.TemporaryDirectory(dir=self._home) as folder:
            path = Path(folder) / "package.zip"
            path.write_bytes(base64.b64decode(asked["package"], validate=True))
            try:
                reader = PackageReader(path, key, issuer)
            except (PackageBroken, OSError) as broken:
                raise No("package-broken", str(broken)) from None
            with reader:
                with _MAKING:
                    result = self._made(reader, str(asked.get("reader", "")), _blank(asked))
                out, run = Path(folder) / "results.jsonl", SUITES[key.public.suite].digest(reader.digest + result.uid)
                info = ResultsInfo(UUID(bytes=run[:16], version=4), reader.info.batch, reader.digest)
            with ResultWriter(out, info, key) as writer:
                writer.add(result)
            return {"results": out.read_text(), "outcome": result.outcome, "reason": result.reason,
                    "printed": self._print_job}

    def _made(self, reader: PackageReader, slot: str, blank: int | None) -> CardResult:
        order, pdf = _only_order(reader)
        self._print_job = ""
        ledger = Ledger(self._home / "made" / f"{reader.digest.hex()}.jsonl")
        result = ledger.result(order.serial)
        if result is None:
            with self._laid(self._service(), slot) as card:
                made = ledger.make(card, order, reader.info.plan, reader.channel, face=self._printer is not None,
                                   blank=blank)
            result = ledger.result(order.serial)
            if result is None:  # the chip is as it was before
                raise No("not-blank" if made.code == "not-blank" else "card-removed", made.reason)
        if not ledger.face_due(order.serial):
            return result
        if self._printer is None:  # the program was started anew without it
            raise No("no-printer")
        ledger.face_sent(order.serial)
        result = _printed(result, self._printer, order, pdf)
        self._print_job = "printed" if result.outcome == "good" else "not-printed"
        ledger.end(result)
        return result

    def _let_go(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        self._release()
        return {}

    def _service(self) -> Readers:
        if self._readers is None:
            self._readers = Readers(self._patience)
        return self._readers

    def _answering(self) -> Readers:
        """The service, anew where it went and came back since the last card."""
        try:
            self._service().names()
        except PcscFault:
            if self._readers:
                self._readers.close()
            self._readers = None
        return self._service()

    def _card_of(self, nonce: bytes, *, first: bool, reader: str) -> tuple[Card, bytes, bytes]:
        """The card on which this reading goes on; the first step takes the one that lies there, powered off before."""
        if first:
            self._release()
            service = self._answering()
            self._card = self._laid(service, reader)
            self._chip = (nonce, self._card.uid, self._card.atr)
        if self._card is None or self._chip[0] != nonce:
            raise No("card-removed")
        return self._card, *self._chip[1:]

    def _laid(self, service: Readers, reader: str) -> Card:
        """The card on a reader, or the only one that lies somewhere and is no security module."""
        if reader:
            return service.connect(reader)
        told = self._slots.told(service, ours=None)
        if MODULE not in told.values():
            return service.only()
        found = [name for name, what in told.items() if what == CARD]
        if not found:
            raise PcscFault("no-card")
        if len(found) > 1:
            raise TwoCards(found)
        return service.connect(found[0])

    def _release(self) -> None:
        for each in (self._card, self._module):
            if each:
                each.close()
        self._module = None
        self._card, self._chip = None, (b"", b"", b"")


def _carried(card: Transport, commands: Sequence[bytes]) -> list[Exchange]:
    """Commands and answers, ending with the first that is refused."""
    done = []
    for command in commands:
        done.append(Exchange(command, card.transmit(command)))
        if decode_response(done[-1].answer).sw != OK:
            break
    return done


def _printed(result: CardResult, printer: Printer, order: CardOrder, pdf: bytes) -> CardResult:
    """The face goes to the printer once the chip is good: a card with a spoiled chip is not printed at all."""
    try:
        printing.put(printer, printing.face(pdf, int(order.face["page"])), title=order.serial)
    except (PrintFault, ValueError, KeyError) as fault:
        return result._replace(outcome="spoiled", reason=f"not printed: {fault}"[:200])
    return result


def _only_order(reader: PackageReader) -> tuple[CardOrder, bytes]:
    members = {member.name: member for member in reader.members}
    cards = [member for name, member in sorted(members.items()) if name.startswith("cards")]
    orders = [order for member in cards for order in reader.orders(member)] if reader.cards == 1 else []
    if len(orders) != 1:
        raise No("one-card-only")
    faces = members.get(str(orders[0].face.get("faces", "")))
    return orders[0], reader.plain(faces) if faces else b""


def _blank(asked: Mapping[str, Any]) -> int | None:
    """The serial of the blank card, where one is told."""
    text = str(asked.get("blank", ""))
    if text and not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text)):
        raise No("not-understood", "blank")
    return int(text) if text else None


def _nonce(asked: Mapping[str, Any]) -> bytes:
    nonce = bytes.fromhex(asked["nonce"])
    if len(nonce) != NONCE:
        raise No("not-understood", "nonce")
    return nonce


_DOES: Final[dict[str, Callable[[Desk, Mapping[str, Any]], dict[str, Any]]]] = {
    "hello": Desk._hello, "pair": Desk._pair, "list": Desk._list, "wait": Desk._wait, "carry": Desk._carry,
    "make": Desk._make, "let-go": Desk._let_go, "gate-read": Desk._gate_read}
"""Everything that a page can ask for."""
