"""A city's gates for some hours, drawn from one seed: a virtual clock, cuts, wrong clocks, repeats, shuffles, a gate
that is lost, one that was copied, blocks of cards, one of very many.

The decisions are the product's own: `gates.merging`, `gates.folding`, `gates.clocks`, `gates.quota` over the ring that
`formats.ring` writes, status lists and what of them is held back. What is invented here is only what people, networks
and clocks do. After each event the simulation looks whether I11, I12 and I13 hold, and raises `Broken` where one does
not.
"""

import datetime as dt
import heapq
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from zhengka.cards import holding
from zhengka.formats import gatelog, issuers, ring, statuslist
from zhengka.formats.gatelog import Event, Signed
from zhengka.formats.issuers import KeySet, issuer_key
from zhengka.formats.ring import Member
from zhengka.formats.statuslist import Header, RollBack, Status, StatusList
from zhengka.formats.suites import INTL, SigningKey
from zhengka.gates import clocks, folding, merging, quota
from zhengka.gates.clocks import Tick
from zhengka.gates.folding import Double, Fact
from zhengka.gates.merging import Gate, New

START = dt.datetime(2026, 11, 25, 22, tzinfo=dt.UTC)  # six in the morning in China
SECOND, MINUTE, DAY = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(days=1)
CARDS = 4_096
PLACE = ("test-bus", "line-1", "bus")
GIVEN = {"rule": "free-for-all", "gives": "free"}
QUOTA = 3
POLL, PUBLISH = 240 * SECOND, 60 * SECOND
DELTA_BY, GATE_BY = 60 * SECOND, 5 * MINUTE


class Broken(AssertionError):
    """An invariant that does not hold, with the seed and the moment."""


@cache
def keys(number: int) -> SigningKey:
    """The key of the gate with this number; 0 is the issuer's."""
    return INTL.private_key((number + 7).to_bytes(32))


@cache
def trusted() -> KeySet:
    """What gates trust."""
    return KeySet([issuer_key("INTL", keys(0).public.point, not_before=START - DAY, not_after=START + 400 * DAY,
                              purposes=[issuers.STATUS])])


@dataclass
class Device:
    """One gate: its log, its clock, whether it can talk, what it knows."""

    number: int
    offset: dt.timedelta
    honest: bool = True
    connected: bool = True
    since: dt.datetime = START
    log: list[Signed] = field(default_factory=list)
    seq: int = 0
    used: set[bytes] = field(default_factory=set)
    lists: StatusList | None = None
    lost: bool = False

    def sign(self, kind: str, now: dt.datetime, seq: int = 0, **told: object) -> Signed:
        """The next line of the log, by its own clock."""
        self.seq += not seq
        version = self.lists.header.version if self.lists else 0
        text = gatelog.write(Event(self.number, seq or self.seq, kind, (now + self.offset).replace(microsecond=0),
                                   *PLACE, **GIVEN, list_version=version, **told))  # type: ignore[arg-type]
        return Signed(text, keys(self.number).sign(text.encode()))


class Centre:
    """What the register knows of gates' logs, kept in memory by the product's own pure core."""

    def __init__(self, devices: Sequence[Device]) -> None:
        """Nothing yet."""
        self.events: dict[bytes, New] = {}
        self.received: dict[bytes, dt.datetime] = {}
        self.counted: set[bytes] = set()
        self.states: dict[bytes, str] = {}
        self.doubles: set[Double] = set()
        self.gates = {one.number: Gate(keys(one.number).public, frozenset({PLACE[:2]})) for one in devices}

    def shut_out(self, gate: Device) -> None:
        """Believe nothing of it any more."""
        self.gates[gate.number] = Gate(None, frozenset(), "gate-shut-out")

    def take(self, lines: Sequence[Signed], carrier: Device, at: dt.datetime) -> None:
        """An upload."""
        if self.gates[carrier.number].no:
            return
        found = merging.sort_out(lines, set(self.events), self.gates)
        self._keep(found.fresh, at)

    def redeem(self, line: Signed, at: dt.datetime) -> bool:
        """A gate asks at that moment."""
        found = merging.sort_out([line], set(self.events), self.gates)
        if not found.fresh or self.states.get(found.fresh[0].event.voucher) not in ("issued",):
            return False
        self._keep(found.fresh, at)
        return True

    def used(self, subject: bytes) -> int:
        """How often it was served, as far as is known."""
        return sum(new.event.subject == subject and new.event.kind == "visit" for new in self.events.values())

    def facts(self) -> list[Fact]:
        """All that is known."""
        return [new.fact for new in self.events.values()]

    def _keep(self, fresh: Sequence[New], at: dt.datetime) -> None:
        codes = {new.event.voucher for new in fresh if new.event.voucher}
        numbers = {(new.event.gate, new.event.seq) for new in fresh}
        known = [new.fact for new in self.events.values()
                 if new.event.voucher in codes or (new.event.gate, new.event.seq) in numbers]
        out = folding.merge(known, [new.fact for new in fresh])
        for new in fresh:
            self.events[new.digest], self.received[new.digest] = new, at
        self.counted = self.counted - out.gone | out.counts
        self.states |= {code: one.state for code, one in out.standing.items()}
        self.doubles = {double for double in self.doubles if double.voucher not in codes}.union(
            *(one.doubles for one in out.standing.values()))


class Lists:
    """The status list, published with what is held back, as the product's publisher decides."""

    def __init__(self, now: dt.datetime) -> None:
        """A first empty list."""
        self.blocked: dict[int, tuple[dt.datetime, str]] = {}
        self.told: set[int] = set()
        self.released: set[str] = set()
        self.askers: dict[str, str] = {}
        self.spent: defaultdict[str, int] = defaultdict(int)
        self.held: set[str] = set()
        self.issued: dict[int, dt.datetime] = {}
        self.files: list[bytes] = []
        self.newly = 0
        self.publish(now)

    def block(self, cards: Sequence[int], cause: str, now: dt.datetime) -> None:
        """Blocked in the register, at this moment."""
        for card in cards:
            self.blocked.setdefault(card, (now, cause))

    def release(self, cause: str, person: str) -> None:
        """One person's word; two different persons release."""
        if self.askers.setdefault(cause, person) != person:
            self.released.add(cause)

    def publish(self, now: dt.datetime) -> None:
        """The next version: what is blocked, without the causes that wait."""
        newly: defaultdict[str, int] = defaultdict(int)
        for card, (_, cause) in self.blocked.items():
            if card not in self.told and cause not in self.released:
                newly[cause] += 1
        self.held = holding.held_back(newly, self.spent, holding.most_blocked(CARDS))
        tell = {card for card, (_, cause) in self.blocked.items() if cause not in self.held or card in self.told}
        self.newly = sum(self.blocked[card][1] not in self.released for card in tell - self.told)
        for cause, cards in newly.items():
            self.spent[cause] += cards if cause not in self.held else 0
        self.told = tell
        version = len(self.files) + 1
        self.issued[version] = now.replace(microsecond=0)
        self.files.append(statuslist.build(
            Header(0, version, self.issued[version], self.issued[version] + DAY, CARDS),
            [(card, Status.SUSPENDED) for card in sorted(tell)], suite="INTL", key_id=keys(0).public.key_id,
            sign=keys(0).sign))


class City:
    """One seed's world."""

    def __init__(self, seed: int, make: Callable[[Sequence[Device]], Centre] = Centre) -> None:
        """`make`: what keeps the logs; it may give the gates other numbers."""
        self.seed, self.dice, self.now = seed, random.Random(seed), START
        offsets = [dt.timedelta(0)] * 4 + [3 * DAY, -3 * DAY, 90 * SECOND]
        self.devices = [Device(1 + number, self.dice.choice(offsets))
                        for number in range(self.dice.randrange(2, 6))]
        self.centre, self.lists = make(self.devices), Lists(START)
        self.codes: list[bytes] = []
        self.online: defaultdict[bytes, int] = defaultdict(int)
        self.served: defaultdict[bytes, int] = defaultdict(int)
        self.ever_cut: set[int] = set()
        self.queue: list[tuple[dt.datetime, int, Callable[[], None]]] = []
        self.count = 0
        for device in self.devices:
            self._fetch(device)

    def run(self, events: int = 60) -> "City":
        """Let so many things happen, then let everybody talk, and look at the whole."""
        acts = [self._visit, self._visit, self._issue, self._issue, self._redeem, self._redeem, self._redeem,
                self._cut, self._upload, self._upload, self._block, self._cancel, self._roll_back]
        for _ in range(events):
            self._later(self.dice.randrange(1, 1200) * SECOND, self.dice.choice(acts))
        rare = [self._lose, self._copy, self._mass_block]
        for act in rare:
            if self.dice.random() < 0.4:
                self._later(self.dice.randrange(1, 18_000) * SECOND, act)
        while self.queue:
            self.now, _, act = heapq.heappop(self.queue)
            act()
            self.check()
        self._settle()
        return self

    # -- what happens --------------------------------------------------------------------------------------------------

    def _later(self, wait: dt.timedelta, act: Callable[[], None]) -> None:
        self.count += 1
        heapq.heappush(self.queue, (self.now + wait * self.dice.randrange(1, 16), self.count, act))

    def _gate(self) -> Device:
        return self.dice.choice(self.devices)

    def _talks(self, device: Device) -> bool:
        return device.connected and not device.lost

    def _visit(self) -> None:
        """Somebody goes through: the quota is asked of the centre, or of the gate's own share."""
        device, subject = self._gate(), bytes([self.dice.randrange(3)]) * 16
        if device.offset or device.lost:
            subject = b""  # a rule without a quota
        elif not self._may(device, subject):
            return
        device.log.append(device.sign("visit", self.now, subject=subject, proof="qr"))
        self.served[subject] += 1
        if self._talks(device):
            self.centre.take(device.log[-1:], device, self.now)

    def _may(self, device: Device, subject: bytes) -> bool:
        if self._talks(device):
            return self.centre.used(subject) < QUOTA
        members = ring.parse(ring.to_json([Member(one.number, PLACE[1]) for one in self.devices]))
        given = sum(event.subject == subject and event.kind == "visit"
                    for event in (gatelog.read(line.text) for line in device.log))
        return given < quota.share(QUOTA, [one.gate for one in members], device.number, subject)

    def _issue(self) -> None:
        device, code = self._gate(), self.dice.randbytes(10)
        at = (self.now + device.offset).replace(microsecond=0)
        device.log.append(device.sign("issue", self.now, voucher=code, begins=at, ends=at + DAY))
        self.codes.append(code)
        if self._talks(device):
            self.centre.take(device.log[-1:], device, self.now)

    def _redeem(self) -> None:
        """Somebody shows a voucher: online it is asked for, offline a gate lets in whom it did not let in before."""
        if not self.codes:
            return
        device, code = self._gate(), self.dice.choice(self.codes[-6:])
        if code in device.used:
            return
        line = device.sign("redeem", self.now, voucher=code, proof="voucher")
        if self._talks(device):
            if not self.centre.redeem(line, self.now):
                device.seq -= 1  # it was told no, and writes nothing down
                return
            self.online[code] += 1
        device.used.add(code)
        device.log.append(line)

    def _cancel(self) -> None:
        if self.codes:
            device = self._gate()
            device.log.append(device.sign("cancel", self.now, voucher=self.dice.choice(self.codes[-6:])))

    def _cut(self) -> None:
        device = self._gate()
        device.connected, device.since = not device.connected, self.now
        if not device.connected:
            self.ever_cut.add(device.number)
        else:
            self._fetch(device)

    def _upload(self) -> None:
        """Some lines of a log, in any order, some of them twice, perhaps carried by another gate."""
        device, carrier = self._gate(), self._gate()
        if self._talks(carrier) and device.log:
            lines = self.dice.choices(device.log, k=self.dice.randrange(1, len(device.log) + 3))
            self.centre.take(lines, carrier, self.now)

    def _block(self) -> None:
        """A card is reported lost: the register refuses it at once, a list tells of it within a minute."""
        self.lists.block([self.dice.randrange(CARDS)], f"report {self.count}", self.now)
        self._soon(self.dice.randrange(1, 60) * SECOND, self._publish)

    def _mass_block(self) -> None:
        """One act blocks very many: it waits for two persons."""
        cause = f"mass {self.count}"
        self.lists.block(self.dice.sample(range(CARDS), self.dice.randrange(400, 700)), cause, self.now)
        self._soon(30 * SECOND, self._publish)
        for wait, person in ((600, "甲"), (700, "甲"), (self.dice.randrange(800, 4000), "乙")):
            self._soon(wait * SECOND, lambda person=person: self.lists.release(cause, person))
            self._soon(wait * SECOND + SECOND, self._publish)

    def _soon(self, wait: dt.timedelta, act: Callable[[], None]) -> None:
        self.count += 1
        heapq.heappush(self.queue, (self.now + wait, self.count, act))

    def _publish(self) -> None:
        self.lists.publish(self.now)
        for device in self.devices:
            self._soon(self.dice.randrange(1, 240) * SECOND, lambda device=device: self._fetch(device))

    def _fetch(self, device: Device) -> None:
        if device.connected:
            device.lists = statuslist.parse(self.lists.files[-1], keys=trusted(), at=self.now, known=device.lists)

    def _roll_back(self) -> None:
        """Somebody offers a gate an older list."""
        device = self._gate()
        if device.lists is None or device.lists.header.version < 2:
            return
        try:
            statuslist.parse(self.lists.files[0], keys=trusted(), at=self.now, known=device.lists)
        except RollBack:
            return
        self._say("I12", "an older list was taken")

    def _lose(self) -> None:
        device = self._gate()
        if len(self.devices) > 2:
            device.lost = True
            self.centre.shut_out(device)

    def _copy(self) -> None:
        """A gate's key is used twice: two things under one number."""
        device = self._gate()
        if device.log:
            device.honest = False
            device.log.append(device.sign("visit", self.now + SECOND, seq=self.dice.randrange(1, device.seq + 1)))

    # -- what must hold ------------------------------------------------------------------------------------------------

    def _say(self, number: str, what: str) -> None:
        raise Broken(f"{number}: {what} (seed {self.seed}, at {self.now:%d %H:%M:%S})")

    def check(self) -> None:
        """I11, I12 and I13 at this moment."""
        self._check_vouchers()
        self._check_lists()

    def _check_vouchers(self) -> None:
        facts = self.centre.facts()
        standing = folding.fold_all(sorted(facts))
        if self.centre.counted != folding.counted(facts):
            self._say("I11", "what counts depends on the order in which it came")
        if any(self.centre.states[code] != one.state for code, one in standing.items()):
            self._say("I11", "a voucher's state depends on the order in which it was told")
        uses: defaultdict[bytes, list[Fact]] = defaultdict(list)
        for fact in facts:
            if fact.kind == "redeem":
                uses[fact.voucher].append(fact)
        for code, of_code in uses.items():
            if sum(fact.digest in self.centre.counted for fact in of_code) > 1:
                self._say("I11", "a voucher was counted twice")
            if sum(double.voucher == code for double in self.centre.doubles) != len(of_code) - 1:
                self._say("I11", "a double use was not found")
            if self.online[code] > 1:
                self._say("I11", "a voucher was redeemed twice online")
            if len({fact.gate for fact in of_code}) != len(of_code):
                self._say("I11", "a voucher was redeemed twice at one gate")

    def _check_lists(self) -> None:
        lists = self.lists
        if lists.newly > holding.most_blocked(CARDS):
            self._say("I13", "very many were blocked without two persons")
        for card, (since, cause) in lists.blocked.items():
            if cause in lists.held or cause in lists.released or cause.startswith("mass"):
                continue
            if self.now > since + DELTA_BY and card not in lists.told:
                self._say("I12", "a block is in no list after a minute")
            for device in self.devices:
                long = device.connected and max(device.since, since) + GATE_BY < self.now
                if long and device.lists is not None and device.lists.status(card) is Status.VALID:
                    self._say("I12", "a connected gate lets a blocked card pass after five minutes")

    def _settle(self) -> None:
        """Everybody talks, in any order: nothing is missing, every double use is known, wrong clocks are named."""
        self.now += MINUTE
        present = [device for device in self.devices if not device.lost]
        lines = [line for device in present for line in device.log] * 2
        self.dice.shuffle(lines)
        for device in present:
            device.connected, device.since = True, self.now
            self._fetch(device)
            size = len(lines) if device is present[-1] else len(lines) // 2
            self.centre.take(lines[:size], device, self.now)
            del lines[:size]
        self.check()
        if missing := {line.digest for device in present for line in device.log} - {
                fact.digest for fact in self.centre.facts()}:
            self._say("I11", f"{len(missing)} events were lost")
        self._check_clocks(present)
        allowed = QUOTA + quota.too_many(QUOTA, len(self.devices), len(self.ever_cut))
        if any(times > allowed for subject, times in self.served.items() if subject):
            self._say("I11", "a quota was exceeded beyond its bound")

    def _check_clocks(self, present: Sequence[Device]) -> None:
        for device in present:
            mine = [new for new in self.centre.events.values() if new.event.gate == device.number]
            faults = clocks.judge([Tick(new.event.seq, new.event.at, new.event.list_version,
                                        self.centre.received[new.digest]) for new in mine], self.lists.issued)
            wrong = abs(device.offset) > clocks.TOLERANCE
            if wrong and mine and not faults:
                self._say("I11", "a wrong clock was not found")
            if not wrong and device.honest and faults:
                self._say("I11", "a right clock was called wrong")
