#!/usr/bin/env python3
"""A sample reader for an operator's engineer: JSON lines come in, JSON lines go out (see `zhengka-kit reader`).

It knows the formats of the platform and nothing else of it, takes signed bundles, decides without a network, and keeps
only pseudonyms. Take it as it is, or read here in which order a reader must ask.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from zhengka.formats import bundle, presenting, rulebook, voucher
from zhengka.formats.bundle import BadBundle, Held
from zhengka.formats.issuers import KeyRefused, KeySet
from zhengka.formats.judging import Used
from zhengka.formats.presenting import Bundle, Place, Scanned
from zhengka.formats.voucher import BadVoucher


class SampleReader:
    """One gate at one place."""

    def __init__(self, told: dict[str, Any]) -> None:
        """Begin with a place and the keys that are trusted first: here those of a sandbox, asked for by name."""
        self.place = Place(told["operator"], told["venue"], told["service"])
        self.trusted = KeySet.from_json(Path(told["keys"]).read_bytes(), test=True)
        self.held: Held | None = None
        self.redeemed: set[bytes] = set()
        self.uses: Counter[tuple[bytes, str, str]] = Counter()

    def take(self, told: dict[str, Any]) -> dict[str, Any]:
        """Take a bundle whole, or keep what is held."""
        folder = Path(told["folder"])

        def fetch(name: str) -> bytes | None:
            path = folder / name
            return path.read_bytes() if path.is_file() else None
        try:
            self.held = bundle.take(fetch, trusted=self.trusted, at=_time(told), bundle=self.place.operator,
                                    held=self.held)
        except BadBundle as bad:
            return {"pass": False, "code": bad.code}
        return {"pass": True, "code": "taken"}

    def show(self, told: dict[str, Any]) -> dict[str, Any]:
        """Decide on a code."""
        if self.held is None:
            return {"pass": False, "code": "list-missing"}
        at = _time(told)
        held = Bundle.of(self.held)
        scanned = Scanned(told["text"])
        answer = presenting.present(scanned, bundle=held, place=self.place, at=at)
        if answer.subject:  # genuine: how often was it here
            used = {rule.id: self._used(answer.subject, rule.id, at) for rule in held.rulebook.rules}
            answer = presenting.present(scanned, bundle=held, place=self.place, at=at, used=used)
        if answer.ok and answer.rule:
            self.uses[answer.subject, answer.rule.id, _day(at)] += 1
        return {"pass": answer.ok, "code": answer.code, "benefit": answer.benefit, "companions": answer.companions}

    def voucher(self, told: dict[str, Any]) -> dict[str, Any]:
        """Redeem a voucher: a genuine one, here, now, and once."""
        at = _time(told)
        try:
            sealed = voucher.decode(voucher.from_text(told["text"]))
            sealed.check_signature(self.held.keys if self.held else self.trusted, at)
            found = sealed.voucher
            found.check(operator=self.place.operator, venue=self.place.venue, service=self.place.service, at=at)
        except (BadVoucher, KeyRefused) as bad:
            return {"pass": False, "code": bad.code}
        if found.code in self.redeemed:
            return {"pass": False, "code": "voucher-used"}
        self.redeemed.add(found.code)
        return {"pass": True, "code": "valid", "benefit": found.gives, "companions": found.companions}

    def _used(self, subject: bytes, rule: str, at: datetime) -> Used:
        month = sum(count for (who, what, day), count in self.uses.items()
                    if (who, what) == (subject, rule) and day[:7] == _day(at)[:7])
        return Used(self.uses[subject, rule, _day(at)], month)


def _day(at: datetime) -> str:
    return at.astimezone(rulebook.CHINA).strftime("%Y-%m-%d")


def _time(told: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(told["at"])


def main(reader: Callable[[dict[str, Any]], SampleReader] = SampleReader) -> None:
    """Answer line by line until the input ends."""
    now: SampleReader | None = None
    for line in sys.stdin:
        told = json.loads(line)
        if told["do"] == "begin":
            now, answer = reader(told), {"ok": True}
        else:
            answer = getattr(now, told["do"])(told)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
