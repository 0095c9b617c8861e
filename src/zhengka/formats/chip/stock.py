"""Blank chips made ours (空白卡初始化): the maker's keys out, our transport key and channel keys in, by one command.

PUT KEY (80 D8, GlobalPlatform 11.8) through the channel that the maker's keys open. It brings four keys, each with a
check value, all or none of them: the three of the loading channel, drawn by the chip's identifier, and the transport
key. So the chip itself says how far it is, by the version of its channel keys: the maker's, ours, or another's. To ask
costs it no try, and a repeat is harmless.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from zhengka.formats.apdu import OK, ApduBroken, Command, Transport, decode_response, encode_command
from zhengka.formats.chip.card import GET_UID
from zhengka.formats.chip.loading import put_keys
from zhengka.formats.chip.scp03 import ChannelRefused, Host, KeySet
from zhengka.formats.suites import SUITES

CODES: Final = {
    "no-uid": "the chip tells no identifier",
    "not-blank": "the chip is not a blank one: it is finished, or something was loaded into it",
    "another-stock": "the chip has channel keys of another stock or version",
    "not-authentic": "the chip has not the keys that its version says",
    "no-channel": "the chip opens no loading channel",
    "refused": "the chip refused its new keys",
    "cut": "the chip stopped answering",
}
"""Every name that a chip which was not made ours can get."""
FACTORY: Final = 0xFF
"""Version of the channel keys with which chips leave their maker (GlobalPlatform)."""


class StockRefused(ValueError):
    """The chip does not become one of ours: `code` is one of CODES."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Stock(NamedTuple):
    """The keys of a stock of chips: of the channel, and the transport key. `channel` are the maker's, the same for all
    chips, or our masters, from which each chip's own are drawn.
    """

    channel: KeySet
    transport: bytes

    def __repr__(self) -> str:
        """The version only."""
        return f"<Stock version {self.channel.version}>"


class Told(NamedTuple):
    """What became of a chip: its identifier, and whether it was ours before."""

    uid: bytes
    before: bool


def initialise(
    card: Transport, factory: Stock, ours: Stock, suite: str, *, earlier: Sequence[KeySet] = ()
) -> Told:
    """Make one chip ours. `earlier`: masters of our channel before a rotation; a chip that has its keys from one of
    them gets the present ones. StockRefused; whatever came of it, it may be laid down again.
    """
    try:
        uid, sw = decode_response(card.transmit(GET_UID))
        if sw != OK or not 4 <= len(uid) <= 10:
            raise StockRefused("no-uid")
        own = ours.channel.of_chip(SUITES[suite], uid)
        version = _version(card)
        if version == own.version:
            Host(card, own, SUITES[suite]).open()
            return Told(uid, before=True)
        known = {each.version: each.of_chip(SUITES[suite], uid) for each in earlier} | {FACTORY: factory.channel}
        if version not in known:
            raise StockRefused("not-blank" if version is None else "another-stock")
        old = known[version]
        line = Host(card, old, SUITES[suite]).open()
        sw = decode_response(line.transmit(put_keys(SUITES[suite], old, own, ours.transport))).sw
        if sw != OK:
            raise StockRefused("not-blank" if sw == 0x6985 else "refused")
        Host(card, own, SUITES[suite]).open()  # the chip proves that it has them
    except ChannelRefused as refused:
        raise StockRefused(refused.code if refused.code in CODES else "not-authentic") from None
    except ApduBroken:
        raise StockRefused("refused") from None
    except OSError:
        raise StockRefused("cut") from None
    return Told(uid, before=False)


def _version(card: Transport) -> int | None:
    """Version of the channel keys that the chip has; None where it has none any more: it is finished."""
    first = encode_command(Command(0x80, 0x50, 0, 0, bytes(8), 256))
    data, sw = decode_response(card.transmit(first))
    return data[10] if sw == OK and len(data) in (29, 32) else None
