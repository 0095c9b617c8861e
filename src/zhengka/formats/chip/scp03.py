"""The loading channel (安全通道): GlobalPlatform SCP03, the card's half and the host's half of every step.

GlobalPlatform Card Specification 2.3, Amendment D, version 1.1.2, with 16-byte keys and challenges of 8 bytes. With
AES it is SCP03 to the letter. With SM4 it is ours: the same steps, another cipher, and its own identifier so that
nobody takes it for the standard's.
"""

import hmac
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from zhengka.formats import sm4
from zhengka.formats.apdu import (
    OK,
    ApduBroken,
    Command,
    Step,
    Transport,
    decode_command,
    decode_response,
    encode_command,
    exchange,
)
from zhengka.formats.suites import Suite

C_MAC: Final = 0x01
C_ENC: Final = 0x02
R_MAC: Final = 0x10
R_ENC: Final = 0x20
LEVELS: Final = (0x01, 0x03, 0x11, 0x13, 0x33)
"""Levels of security that EXTERNAL AUTHENTICATE may ask for (Amendment D, 7.1.2.1)."""

PROTOCOL: Final = {"INTL": 0x03, "SM": 0xF3}
"""The byte that names the protocol: 03 is SCP03, F3 is ours with SM4."""

OPTIONS: Final = 0x60
"""Parameter i: random card challenge, MAC and encryption of answers are there (Amendment D, 5.1)."""

MOST_VERSION: Final = 0x7F
"""Highest version of a chip's channel keys."""

CHALLENGE: Final = 8
MAC: Final = 8
KDD: Final = 10
"""Bytes of key diversification data, in which our chips tell their identifier."""

_MOST: Final = 255
_MOST_ANSWER: Final = 239
_CARD, _HOST, _S_ENC, _S_MAC, _S_RMAC = 0x00, 0x01, 0x04, 0x06, 0x07
_BLOCK = sm4.BLOCK


class ChannelRefused(ValueError):
    """The channel is not there or not to be trusted: `code` says why in one word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class KeySet:
    """The three static keys of one chip's channel, and the number of their version (1 to 127)."""

    version: int
    enc: bytes = field(repr=False)
    mac: bytes = field(repr=False)
    dek: bytes = field(repr=False)

    def of_chip(self, suite: Suite, uid: bytes) -> "KeySet":
        """The keys of the chip with this identifier, where `self` is the set of master keys: a chip that says another
        identifier than its own does not have the keys that go with it.
        """
        factor = uid[-8:].rjust(8, b"\0")
        block = factor + bytes(byte ^ 0xFF for byte in factor)
        return KeySet(self.version, *[suite.ecb(key, block) for key in (self.enc, self.mac, self.dek)])


@dataclass(slots=True)
class Channel:
    """One open channel: session keys, the chain of MACs, the counter, and the level that was agreed on."""

    suite: Suite
    enc: sm4.AtWork
    mac: sm4.AtWork
    rmac: sm4.AtWork
    context: bytes
    chain: bytes = bytes(_BLOCK)
    counter: int = 0
    level: int = 0

    @classmethod
    def begin(cls, suite: Suite, keys: KeySet, host: bytes, card: bytes) -> "Channel":
        """The session keys that both challenges give (Amendment D, 6.2.1)."""
        context = host + card
        own, of_macs = (sm4.AtWork(key, cipher=suite.cipher) for key in (keys.enc, keys.mac))
        enc, mac, rmac = [sm4.AtWork(derive(key, constant, context, 16), cipher=suite.cipher)
                          for key, constant in ((own, _S_ENC), (of_macs, _S_MAC), (of_macs, _S_RMAC))]
        return cls(suite, enc, mac, rmac, context)

    def cryptogram(self, *, of_host: bool) -> bytes:
        """What the card, or the host, shows to prove that it has the keys (Amendment D, 6.2.2)."""
        return derive(self.mac, _HOST if of_host else _CARD, self.context, 8)

    def sign(self, command: Command) -> bytes:
        """The 8-byte MAC of a command that has its final class and data; the chain moves on (Amendment D, 6.2.4)."""
        return self._signed(command[:4], command.data)

    def wrap(self, command: Command) -> bytes:
        """The host's side of a command: data enciphered if the level says so, class bit 04, and a MAC behind."""
        self.counter += 1
        cla, ins, p1, p2, data, le = command
        if self.level & C_ENC and data:
            data = self.enc.seal(self._seed(answer=False), _padded(data))
        if len(data) + MAC > _MOST:
            raise ApduBroken("too-long")
        whole = bytes((cla | 0x04, ins, p1, p2, len(data) + MAC)) + data
        self.chain = self.mac.cmac(self.chain + whole)
        return whole + self.chain[:MAC] + (b"" if le is None else bytes((le & 0xFF,)))

    def unwrap(self, command: Command) -> Command:
        """The card's side: the command without its protection; ChannelRefused when the MAC or padding is wrong."""
        cla, ins, p1, p2, sealed, le = command
        data, mac = sealed[:-MAC], sealed[-MAC:]
        before = self.chain
        if not hmac.compare_digest(self._signed((cla, ins, p1, p2), data), mac):
            self.chain = before
            raise ChannelRefused("wrong-mac")
        self.counter += 1
        if self.level & C_ENC and data:
            data = self._opened(data, answer=False)
        return Command(cla & ~0x04, ins, p1, p2, data, le)

    def wrap_answer(self, data: bytes, sw: int) -> bytes:
        """The card's answer, enciphered and with a MAC if the level says so; refusals stay as they are, and an answer
        that gets too long by it is one (6700).
        """
        if len(data) > _MOST_ANSWER and self.level & R_MAC:
            return b"\x67\x00"
        if self.level & R_MAC and sw == OK:
            if self.level & R_ENC and data:
                data = self.enc.seal(self._seed(answer=True), _padded(data))
            data += self._answer_mac(data, sw)
        return data + sw.to_bytes(2)

    def unwrap_answer(self, answer: bytes) -> bytes:
        """The answer as the card meant it, data and status word; ChannelRefused when it was changed on the way."""
        data, sw = decode_response(answer)
        if self.level & R_MAC and sw == OK:
            data, mac = data[:-MAC], data[-MAC:]
            if not hmac.compare_digest(self._answer_mac(data, sw), mac):
                raise ChannelRefused("answer-forged")
            if self.level & R_ENC and data:
                data = self._opened(data, answer=True)
        elif self.level & R_MAC and data:
            raise ChannelRefused("answer-forged")
        return data + sw.to_bytes(2)

    def _signed(self, header: tuple[int, ...], data: bytes) -> bytes:
        self.chain = self.mac.cmac(self.chain + bytes((*header, len(data) + MAC)) + data)
        return self.chain[:MAC]

    def _answer_mac(self, data: bytes, sw: int) -> bytes:
        return self.rmac.cmac(self.chain + data + sw.to_bytes(2))[:MAC]

    def _seed(self, *, answer: bool) -> bytes:
        """A message's number, with the top bit set in an answer's; under S-ENC it is the vector (6.2.6, 6.2.7)."""
        return (self.counter | answer << 127).to_bytes(_BLOCK)

    def _opened(self, data: bytes, *, answer: bool) -> bytes:
        if len(data) % _BLOCK:
            raise ChannelRefused("wrong-padding")
        whole = self.enc.unseal(self._seed(answer=answer), data).rstrip(b"\0")
        if not whole.endswith(b"\x80"):
            raise ChannelRefused("wrong-padding")
        return whole[:-1]


class Host:
    """The host's end of a channel over any transport, and itself a transport: what goes in is clear, what goes out is
    not. `keys` are those of this chip. Whether an answer was forged is seen at every command, by ChannelRefused.
    """

    def __init__(
        self, transport: Transport, keys: KeySet, suite: Suite, *, level: int = 0x33,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        if level not in LEVELS:
            raise ValueError("no such level of security")
        self._transport, self._keys, self._suite, self._level, self._random = transport, keys, suite, level, random
        self._channel: Channel | None = None
        self.told = b""
        """The identifier that the chip told in the channel's first answer, 10 bytes with zeros before it."""

    def open(self) -> "Host":
        """INITIALIZE UPDATE and EXTERNAL AUTHENTICATE; the host itself.

        ChannelRefused: `wrong-key-version`, `no-channel`, `not-authentic` (the chip has not the keys: another chip than
        it says, or other keys), `host-refused`.
        """
        challenge = self._random(CHALLENGE)
        first = Command(0x80, 0x50, self._keys.version, 0, challenge, 256)
        data, sw = decode_response(self._transport.transmit(encode_command(first)))
        if sw != OK:
            raise ChannelRefused("wrong-key-version" if sw == 0x6A88 else "no-channel")
        if len(data) not in (29, 32) or data[11] != PROTOCOL[self._suite.name]:
            raise ChannelRefused("no-channel")
        self.told = data[:KDD]
        channel = Channel.begin(self._suite, self._keys, challenge, data[13:21])
        if not hmac.compare_digest(channel.cryptogram(of_host=False), data[21:29]):
            raise ChannelRefused("not-authentic")
        proof = Command(0x84, 0x82, self._level, 0, channel.cryptogram(of_host=True))
        proof = proof._replace(data=proof.data + channel.sign(proof))
        if decode_response(self._transport.transmit(encode_command(proof))).sw != OK:
            raise ChannelRefused("host-refused")
        channel.level = self._level
        self._channel = channel
        return self

    def transmit(self, apdu: bytes) -> bytes:
        """Send one command through the channel; the answer in clear. ApduBroken for one that gets too long by it."""
        return next(self.transmit_each([(apdu, None)]))

    def transmit_each(self, steps: Sequence[Step]) -> Iterator[bytes]:
        """The same for many commands (`apdu.exchange`): all are enciphered before the first is sent, and their answers
        deciphered behind, for the chain of MACs hangs on the commands alone. Where the answer is known, so is its MAC.
        """
        channel = self._channel
        if channel is None:
            raise ChannelRefused("no-channel")
        start, broken = (channel.chain, channel.counter), None
        ahead, places = list[Step](), list[tuple[bytes, int]]()
        for apdu, sure in steps:
            try:
                ahead.append(_wrapped(channel, apdu, sure))
            except ApduBroken as fault:
                broken = fault
                break
            places.append((channel.chain, channel.counter))
        channel.chain, channel.counter = start
        answers = exchange(self._transport, ahead)
        for place, (wrapped, known), (apdu, sure) in zip(places, ahead, steps, strict=False):
            channel.chain, channel.counter = place
            answer = next(answers)
            if sure is not None and answer == known:
                yield sure
            else:
                yield answer if wrapped is apdu else channel.unwrap_answer(answer)
        if broken:
            raise broken


def _wrapped(channel: Channel, apdu: bytes, sure: bytes | None) -> Step:
    """A command with its protection, and the answer that it is to have with its own."""
    if apdu[:1] == b"\xff":  # meant for the reader, not for the card (PC/SC part 3)
        return apdu, sure
    wrapped = channel.wrap(decode_command(apdu))
    return wrapped, None if sure is None else channel.wrap_answer(sure[:-2], int.from_bytes(sure[-2:]))


def derive(key: sm4.AtWork, constant: int, context: bytes, size: int) -> bytes:
    """So many bytes, at most 16, from a key (NIST SP 800-108 in counter mode with CMAC; Amendment D, 4.1.5)."""
    data = bytes(11) + bytes([constant, 0]) + (size * 8).to_bytes(2) + b"\x01" + context
    return key.cmac(data)[:size]


def _padded(data: bytes) -> bytes:
    return data + b"\x80" + bytes(-(len(data) + 1) % _BLOCK)
