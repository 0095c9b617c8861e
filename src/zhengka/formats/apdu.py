"""Command and response pairs in short form (ISO/IEC 7816-4:2020, clause 5) and the status words (5.6)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

STATUS = {
    0x9000: "done",
    0x6200: "state of the memory unchanged, no information",
    0x6281: "part of the returned data may be corrupted",
    0x6282: "end of file reached before Le bytes were read",
    0x6283: "selected file is deactivated",
    0x6300: "authentication failed",
    0x6400: "execution error, memory unchanged",
    0x6581: "memory failure",
    0x6700: "wrong length",
    0x6881: "logical channel not supported",
    0x6882: "secure messaging not supported",
    0x6981: "command does not fit the file structure",
    0x6982: "security status not satisfied",
    0x6983: "authentication method blocked",
    0x6984: "reference data not usable, or no challenge was asked for",
    0x6985: "conditions of use not satisfied",
    0x6986: "command not allowed, no file selected",
    0x6987: "secure messaging data objects missing",
    0x6988: "secure messaging data objects incorrect",
    0x6A80: "incorrect data field",
    0x6A81: "function not supported",
    0x6A82: "file or application not found",
    0x6A83: "record not found",
    0x6A84: "not enough memory space in the file",
    0x6A86: "incorrect parameters P1-P2",
    0x6A88: "referenced data or key not found",
    0x6A89: "file already exists",
    0x6A8A: "DF name already exists",
    0x6B00: "offset outside the file",
    0x6D00: "instruction not supported",
    0x6E00: "class not supported",
    0x6F00: "no precise diagnosis",
}
OK = 0x9000
DONE = b"\x90\x00"
"""The whole answer of a command that is carried out and has nothing to tell."""

Step = tuple[bytes, bytes | None]
"""A command, and the answer behind which the next one may be sent at once: None for any."""



class ApduBroken(ValueError):
    """The bytes are not a short command or response; `code` says why in one word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Command(NamedTuple):
    """One command: header, data field, and `le`, the number of bytes wanted back (1 to 256), or None for none."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None


class Response(NamedTuple):
    """One response: data field and status word SW1-SW2."""

    data: bytes
    sw: int


class Transport(Protocol):
    """Anything that carries a command to a card and its answer back: a card in this process, a reader, a test."""

    def transmit(self, apdu: bytes) -> bytes:
        """Send one command APDU; return the response APDU, status word last."""
        ...


@runtime_checkable
class Ahead(Protocol):
    """A transport that is quicker with many commands at once."""

    def transmit_each(self, steps: Sequence[Step]) -> Iterator[bytes]:
        """See `exchange`."""
        ...


def exchange(transport: Transport, steps: Sequence[Step]) -> Iterator[bytes]:
    """The answers to many commands, in order. One that is not as its step says is given before the next command is
    sent: who takes no more answers sends no more commands. What `transmit` raises for a command comes in its place.
    """
    if isinstance(transport, Ahead):
        return transport.transmit_each(steps)
    return (transport.transmit(apdu) for apdu, _ in steps)


def encode_command(command: Command) -> bytes:
    """The command as bytes, cases 1 to 4 in short form (ISO/IEC 7816-4, 5.2)."""
    cla, ins, p1, p2, data, le = command
    if max(cla, ins, p1, p2) > 0xFF or min(cla, ins, p1, p2) < 0:
        raise ApduBroken("bad-header")
    if len(data) > 255:
        raise ApduBroken("too-long")
    if le is not None and not 1 <= le <= 256:
        raise ApduBroken("bad-le")
    body = bytes([len(data)]) + data if data else b""
    tail = b"" if le is None else bytes([le & 0xFF])
    return bytes([cla, ins, p1, p2]) + body + tail


def decode_command(apdu: bytes) -> Command:
    """Read cases 1 to 4 in short form; extended length and everything else raises ApduBroken."""
    size = len(apdu)
    if size < 4 or apdu[0] == 0xFF:
        raise ApduBroken("bad-header")
    cla, ins, p1, p2 = apdu[:4]
    if size == 4:
        return Command(cla, ins, p1, p2)
    if size == 5:
        return Command(cla, ins, p1, p2, b"", apdu[4] or 256)
    lc = apdu[4]
    if lc == 0 or size not in (5 + lc, 6 + lc):
        raise ApduBroken("bad-length")
    le = None if size == 5 + lc else apdu[-1] or 256
    return Command(cla, ins, p1, p2, apdu[5 : 5 + lc], le)


def encode_response(response: Response) -> bytes:
    """Data field and status word as bytes (ISO/IEC 7816-4, 5.3)."""
    if len(response.data) > 256:
        raise ApduBroken("too-long")
    if not _is_status(response.sw):
        raise ApduBroken("bad-status")
    return response.data + response.sw.to_bytes(2)


def decode_response(apdu: bytes) -> Response:
    """Split an answer into data field and status word; a SW1 other than 61 to 6F or 9X raises ApduBroken (5.6)."""
    if not 2 <= len(apdu) <= 258:
        raise ApduBroken("bad-length")
    sw = int.from_bytes(apdu[-2:])
    if not _is_status(sw):
        raise ApduBroken("bad-status")
    return Response(apdu[:-2], sw)


def status_text(sw: int) -> str:
    """What a status word says, in plain words; an unknown one is shown as its four digits."""
    if sw >> 8 == 0x61:
        return f"done, {sw & 0xFF or 256} more bytes to fetch"
    if sw >> 8 == 0x6C:
        return f"wrong Le, {sw & 0xFF or 256} bytes are there"
    if sw >> 4 == 0x63C:
        return f"authentication failed, {sw & 0x0F} tries left"
    return STATUS.get(sw, f"status {sw:04X}")


def _is_status(sw: int) -> bool:
    return 0x6100 <= sw <= 0x6FFF or 0x9000 <= sw <= 0x9FFF
