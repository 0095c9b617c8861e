"""Keys of cards: diversification against the raw cipher, and a whole pilot's keys drawn inside a token (SoftHSM)."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import ROUNDS, ratio, tell

import tokens
from zhengka.formats import sm4
from zhengka.formats.suites import SUITES
from zhengka.keys.services import CARD_SLOTS
from zhengka.keys.store import KeyStore, SoftwareStore, Usage

CARDS = 300_000
SIGNED = 30_000
CHUNK = 1_000
REGION = bytes.fromhex("4301040043010400")


def main(cards: int = CARDS, rounds: int = ROUNDS) -> None:
    """Print the ratio to the raw cipher, and rates and seconds for `cards` in chunks as batches are made."""
    factors = [number.to_bytes(8) for number in range(cards)]
    with tempfile.TemporaryDirectory() as folder:
        tokens.begin(Path(folder))
        stores = {"file": SoftwareStore(Path(folder) / "keys", "bench"),
                  "token": tokens.open_token(tokens.make_token(), Path(folder))}
        for store in stores.values():
            _fill(store)
        _ratios(stores["file"], factors, rounds)
        for name, store in stores.items():
            for suite in SUITES:
                kept = store.describe(f"{suite}/control").kept
                _whole(store, suite, factors, f"{suite}, {name}" if name == kept else f"{suite}, {name} ({kept})")


def _fill(store: KeyStore) -> None:
    for suite in SUITES:
        store.generate(f"{suite}/sign", suite=suite, usage=Usage.SIGN)
        for slot in CARD_SLOTS:
            store.generate(f"{suite}/{slot}", suite=suite, usage=Usage.DIVERSIFY)


def _ratios(store: KeyStore, factors: list[bytes], rounds: int) -> None:
    """One master, all cards, region between; the floor is the bare cipher over as many blocks in one call."""
    key, blocks = os.urandom(16), os.urandom(16 * len(factors))
    found = ratio(lambda: store.diversify("SM/control", factors, through=[REGION]),
                  lambda: sm4.ecb_encrypt(key, blocks), rounds=rounds)
    tell("raw SM4, one key, one call", f"{len(factors) / found.floor:,.0f} blocks/s")
    tell("keys of cards from one SM4 master, region between", f"{len(factors) / found.ours:,.0f} keys/s")
    tell("… its rate ÷ raw SM4's", f"{1 / found.value:.2f} × [{1 / found.high:.2f}, {1 / found.low:.2f}]",
         bar="≥ 0.3 ×")


def _whole(store: KeyStore, suite: str, factors: list[bytes], title: str) -> None:
    """Every slot's keys for each card, and a signature for each of the first ones, in chunks."""
    chunks = [factors[start:start + CHUNK] for start in range(0, len(factors), CHUNK)]
    drawn = _seconds(lambda: [store.diversify(f"{suite}/{slot}", chunk, through=[REGION])
                              for chunk in chunks for slot in CARD_SLOTS])
    some = chunks[:SIGNED // CHUNK]
    signed = _seconds(lambda: [store.sign(f"{suite}/sign", chunk) for chunk in some])
    tell(f"{title}: {len(CARD_SLOTS)} keys for each of {len(factors):,} cards",
         f"{drawn:.1f} s, {len(CARD_SLOTS) * len(factors) / drawn:,.0f} keys/s", bar="≤ 600 s")
    rate = sum(map(len, some)) / signed
    tell(f"{title}: a signature for each", f"{rate:,.0f}/s, so {len(factors) / rate:.0f} s",
         bar="≤ 600 s with the keys")


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
