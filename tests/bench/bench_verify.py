"""Offline verify of one QR, status list of 300,000 cards included, against one raw SM2 check."""

import secrets
from dataclasses import replace
from datetime import timedelta

import numpy as np
from measure import ratio, tell

from issued import BASE_URL, CARD, NOON, Issuer
from zhengka.formats import credential, qr, statuslist, verdict

CARDS = 300_000
CHECKS = 300


def main() -> None:
    """Print the ratio (bar: 1.5)."""
    issuer, places = Issuer(), secrets.token_bytes(32)
    _, index = statuslist.indexes_for(np.arange(CARDS), places)
    changed = [(int(place), 1) for place in index[:: 100]]
    header = statuslist.Header(0, 7, NOON, NOON + timedelta(hours=1))
    data = statuslist.build(header, changed, suite="SM", key_id=issuer.key.public.key_id, sign=issuer.key.sign)
    lists = {0: statuslist.parse(data, keys=issuer.keys, at=NOON)}
    cards = [replace(CARD, token=secrets.token_bytes(12), status_index=int(index[n * 100 + 1])) for n in range(CHECKS)]
    payloads = credential.encode_many(cards, suite="SM", key_id=issuer.key.public.key_id,
                                      sign_many=issuer.key.sign_many)
    texts = [qr.to_text(payload, BASE_URL) for payload in payloads]
    raw = [(sealed.signed, sealed.signature) for sealed in map(credential.decode, payloads)]
    public, keys = issuer.key.public, issuer.keys

    def ours() -> None:
        for text in texts:
            found = verdict.decide(text, keys=keys, lists=lists, at=NOON, max_age=timedelta(hours=72))
            assert found.ok, found.code

    def floor() -> None:
        for message, signature in raw:
            assert public.verify(message, signature)

    found = ratio(ours, floor)
    tell(f"offline verify ÷ raw SM2 check, list of {CARDS:,} cards", found, bar="≤ 1.5 ×")
    tell("  one offline verify", f"{found.ours / CHECKS * 1e6:.0f} µs")
    tell(f"  status list of {CARDS:,} cards, 1 % changed", f"{len(data):,} bytes")
