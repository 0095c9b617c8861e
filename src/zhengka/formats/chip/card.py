"""A chip card in software (软件卡): files, keys, rights and life cycle, at the level of APDUs.

The commands are those of ISO/IEC 7816-4 and 7816-9; keys are loaded and lines protected in the manner of PBOC. It knows
no profile: like a blank chip from the maker it has memory, an identifier and a transport key, and becomes what the
script makes of it.
"""

import hmac
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from zhengka.formats import sm4
from zhengka.formats.apdu import OK, ApduBroken, Command, decode_command
from zhengka.formats.chip import secure
from zhengka.formats.chip.profile import Key
from zhengka.formats.suites import Suite
from zhengka.formats.tlv import TlvBroken, decode, encode, encode_all, find

FREE: Final = 0x00
NEVER: Final = 0xFF
MASTER_FILE: Final = b"\x3f\x00"
KEK_TRIES: Final = 3
OVERHEAD: Final = 32
GET_UID: Final = bytes.fromhex("FFCA000000")
"""PC/SC part 3, 3.2.2.1.3: the reader's own question for the identifier of a contactless card."""

_HISTORY = b"ZHENGKA1"
State = Literal["blank", "personalising", "operational", "blocked"]


def _atr() -> bytes:
    """Answer to reset of a contactless card seen through PC/SC: T=0 and T=1, eight bytes, check byte (7816-3, 8.2)."""
    body = bytes([0x80 | len(_HISTORY), 0x80, 0x01]) + _HISTORY
    check = 0
    for byte in body:
        check ^= byte
    return b"\x3b" + body + bytes([check])


ATR: Final = _atr()


@lru_cache(maxsize=256)  # a maker writes the same files to every card of a batch
def _template(data: bytes) -> Mapping[int, bytes]:
    """The entries of a file's template by tag (ISO/IEC 7816-4, 7.4.3)."""
    return {tag: value for tag, value in decode(find(data, 0x62))}


class _Refused(Exception):
    """A status word other than 9000, on its way out of the card."""

    def __init__(self, sw: int) -> None:
        self.sw = sw


@dataclass(slots=True)
class _File:
    content: bytearray
    read: int
    update: int


@dataclass(slots=True)
class _Secret:
    entry: Key
    key: bytes = field(repr=False)
    left: int


@dataclass(slots=True)
class _Application:
    name: bytes
    fid: bytes
    files: dict[bytes, _File] = field(default_factory=dict)
    keys: dict[int, _Secret] = field(default_factory=dict)


class SoftCard:
    """One chip. `transmit` never raises: whatever comes in, a status word comes out."""

    def __init__(
        self,
        *,
        uid: bytes,
        kek: bytes,
        suite: Suite,
        capacity: int = 8192,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.uid = uid
        self.atr = ATR
        self.state: State = "blank"
        self._suite, self._rng = suite, rng
        self._kek, self._kek_left = kek, KEK_TRIES
        self._free = capacity
        self._applications: dict[bytes, _Application] = {}
        self._current: _Application | None = None
        self._file: _File | None = None
        self._challenge = b""
        self._proven: set[int] = set()

    def __repr__(self) -> str:
        """Identifier and state, never a key."""
        return f"<SoftCard {self.uid.hex()} {self.state}>"

    def reset(self) -> bytes:
        """Power off and on: nothing is selected, nobody is proven. Returns the answer to reset."""
        self._current = self._file = None
        self._challenge = b""
        self._proven.clear()
        return self.atr

    def transmit(self, apdu: bytes) -> bytes:
        """Carry out one command; the answer ends in its status word."""
        if apdu == GET_UID:
            return self.uid + b"\x90\x00"
        try:
            command = decode_command(apdu)
            work = _COMMANDS.get((command.cla, command.ins))
            if work is None:
                known = any(command.ins == ins for _, ins in _COMMANDS)
                raise _Refused(0x6E00 if known else 0x6D00)
            if self.state == "blocked":
                raise _Refused(0x6983)
            data = work(self, command)
        except ApduBroken:
            return b"\x67\x00"
        except _Refused as refused:
            return refused.sw.to_bytes(2)
        return data + OK.to_bytes(2)

    # Files

    def _create(self, command: Command) -> bytes:
        """CREATE FILE with an FCP template (ISO/IEC 7816-9): 82 kind, 83 identifier, 84 name, 80 size, 86 rights."""
        self._writing()
        try:
            template = _template(command.data)
        except TlvBroken:
            raise _Refused(0x6A80) from None
        match sorted(template), template.get(0x82):
            case [0x82, 0x83, 0x84], b"\x38":
                self._create_application(template[0x84], template[0x83])
            case [0x80, 0x82, 0x83, 0x86], b"\x01":
                self._create_file(template[0x83], template[0x80], template[0x86])
            case _:
                raise _Refused(0x6A80)
        return b""

    def _create_application(self, name: bytes, fid: bytes) -> None:
        if not 5 <= len(name) <= 16 or len(fid) != 2 or fid == MASTER_FILE:
            raise _Refused(0x6A80)
        if name in self._applications:
            raise _Refused(0x6A8A)
        if any(fid == other.fid for other in self._applications.values()):
            raise _Refused(0x6A89)
        self._take(0)
        self._current = self._applications[name] = _Application(name, fid)
        self._file = None
        self.state = "personalising"

    def _create_file(self, fid: bytes, size: bytes, rights: bytes) -> None:
        application = self._application()
        if len(fid) != 2 or len(size) != 2 or len(rights) != 2 or not 0 < int.from_bytes(size) <= 0x7FFF:
            raise _Refused(0x6A80)
        if fid in application.files:
            raise _Refused(0x6A89)
        self._take(int.from_bytes(size))
        self._file = application.files[fid] = _File(bytearray(int.from_bytes(size)), rights[0], rights[1])

    def _take(self, size: int) -> None:
        if self._free < size + OVERHEAD:
            raise _Refused(0x6A84)
        self._free -= size + OVERHEAD

    def _select(self, command: Command) -> bytes:
        """SELECT by DF name (P1 04) or by file identifier inside the current application (P1 00 or 02)."""
        if command.p2 not in (0x00, 0x0C):
            raise _Refused(0x6A86)
        if command.p1 == 0x04:
            return self._select_application(command)
        if command.p1 not in (0x00, 0x02):
            raise _Refused(0x6A86)
        if command.data == MASTER_FILE and command.p1 == 0x00:
            self.reset()
            return b""
        file = self._application().files.get(command.data)
        if file is None:
            raise _Refused(0x6A82)
        self._file = file
        return b""

    def _select_application(self, command: Command) -> bytes:
        application = self._applications.get(command.data)
        if application is None:
            raise _Refused(0x6A82)
        if application is not self._current:
            self._proven.clear()
        self._current, self._file = application, None
        if command.p2 == 0x0C:
            return b""
        return encode(0x6F, encode_all([(0x84, application.name), (0xA5, encode(0x88, b"\x01"))]))

    def _read(self, command: Command) -> bytes:
        """READ BINARY (ISO/IEC 7816-4, 11.2.3) at a 15-bit offset of the selected file."""
        file, offset = self._at(command)
        self._allowed(file.read)
        if command.le is None:
            raise _Refused(0x6700)
        piece = bytes(file.content[offset : offset + command.le])
        if len(piece) < command.le and command.le != 256:
            raise _Refused(0x6C00 | len(piece))
        return piece

    def _update(self, command: Command) -> bytes:
        """UPDATE BINARY (ISO/IEC 7816-4, 11.2.5), in clear."""
        file, offset = self._at(command)
        if self.state == "operational" and file.update != FREE:
            raise _Refused(0x6982 if file.update == NEVER else 0x6987)
        return self._write(file, offset, command.data)

    def _update_protected(self, command: Command) -> bytes:
        """UPDATE BINARY with line protection: the four last bytes are the MAC under the key that the file names."""
        file, offset = self._at(command)
        if self.state != "operational":
            raise _Refused(0x6985)
        if file.update in (FREE, NEVER):
            raise _Refused(0x6982)
        data = self._unprotect(command, self._secret(file.update))
        return self._write(file, offset, data)

    def _write(self, file: _File, offset: int, data: bytes) -> bytes:
        if not data:
            raise _Refused(0x6700)
        if offset + len(data) > len(file.content):
            raise _Refused(0x6A84)
        file.content[offset : offset + len(data)] = data
        return b""

    def _at(self, command: Command) -> tuple[_File, int]:
        self._application()
        if self._file is None:
            raise _Refused(0x6986)
        offset = command.p1 << 8 | command.p2
        if command.p1 & 0x80:
            raise _Refused(0x6A86)
        if offset >= len(self._file.content):
            raise _Refused(0x6B00)
        return self._file, offset

    # Keys and proofs

    def _put_key(self, command: Command) -> bytes:
        """PUT KEY: under the transport key while the chip is being made, later under its own control key."""
        application = self._application()
        if len(command.data) != secure.KEY_BLOB or not 1 <= command.p2 <= 31 or command.p1:
            raise _Refused(0x6700 if len(command.data) != secure.KEY_BLOB else 0x6A86)
        if self.state == "operational":
            wrapping, blob = self._opened_for_control(command)
        else:
            wrapping, blob = self._kek, self._checked_by_kek(command)
        try:
            entry, key = secure.read_key(
                self._suite, sm4.ecb_decrypt(wrapping, blob, cipher=self._suite.cipher), command.p2
            )
        except ValueError:
            raise _Refused(0x6A80) from None
        if command.p2 not in application.keys:
            self._take(0)
        application.keys[command.p2] = _Secret(entry, key, entry.tries)
        self._proven.discard(command.p2)
        return b""

    def _checked_by_kek(self, command: Command) -> bytes:
        blob, mac = command.data[:32], command.data[32:]
        covered = bytes([command.cla, command.ins, command.p1, command.p2, secure.KEY_BLOB]) + blob
        expected = sm4.cmac(self._kek, covered, cipher=self._suite.cipher)[: secure.MAC]
        if not hmac.compare_digest(mac, expected):
            self._kek_left -= 1
            if not self._kek_left:
                self.state = "blocked"
            raise _Refused(0x6988)
        self._kek_left = KEK_TRIES
        return blob

    def _opened_for_control(self, command: Command) -> tuple[bytes, bytes]:
        for slot, secret in self._application().keys.items():
            if secret.entry.purpose == "control":
                control = self._secret(slot)
                return control.key, self._unprotect(command, control)
        raise _Refused(0x6985)

    def _unprotect(self, command: Command, secret: _Secret) -> bytes:
        """The data of a protected command, if its MAC is right over a challenge that was asked for just before."""
        challenge = self._used_challenge()
        data, mac = command.data[: -secure.MAC], command.data[-secure.MAC :]
        covered = bytes([*command[:4], len(command.data)]) + data
        if not hmac.compare_digest(mac, secure.line_mac(self._suite, secret.key, challenge, covered)):
            secret.left -= 1
            raise _Refused(0x6988)
        secret.left = secret.entry.tries
        return data

    def _get_challenge(self, command: Command) -> bytes:
        """GET CHALLENGE (ISO/IEC 7816-4, 11.5.3), 8 bytes; good for the next command that needs one, once."""
        if command.le not in (secure.CHALLENGE, 256) or command.p1 or command.p2:
            raise _Refused(0x6700 if command.le not in (secure.CHALLENGE, 256) else 0x6A86)
        self._challenge = self._rng(secure.CHALLENGE)
        return self._challenge

    def _external_authenticate(self, command: Command) -> bytes:
        """EXTERNAL AUTHENTICATE (ISO/IEC 7816-4, 11.5.4): P2 is the slot, the data the 8-byte proof."""
        secret = self._secret(command.p2)
        if secret.entry.purpose == "internal":
            raise _Refused(0x6985)
        challenge = self._used_challenge()
        if not hmac.compare_digest(command.data, secure.answer(self._suite, secret.key, challenge)):
            secret.left -= 1
            raise _Refused(0x63C0 | secret.left)
        secret.left = secret.entry.tries
        self._proven.add(command.p2)
        return b""

    def _internal_authenticate(self, command: Command) -> bytes:
        """INTERNAL AUTHENTICATE (ISO/IEC 7816-4, 11.5.2): while being made, every slot proves that its key is there."""
        secret = self._secret(command.p2)
        if self.state == "operational" and secret.entry.purpose != "internal":
            raise _Refused(0x6985)
        if len(command.data) != secure.CHALLENGE:
            raise _Refused(0x6700)
        return secure.answer(self._suite, secret.key, command.data)

    def _close(self, _command: Command) -> bytes:
        """END PERSONALISATION (80 EA): from now on the rights of all files hold, and the transport key is gone."""
        self._writing()
        self._application()
        for application in self._applications.values():
            rights = {right for file in application.files.values() for right in (file.read, file.update)}
            if not application.keys or rights - {FREE, NEVER} - application.keys.keys():
                raise _Refused(0x6A88)
        self.state = "operational"
        self._kek = b""
        self._proven.clear()
        return b""

    def _application(self) -> _Application:
        if self._current is None:
            raise _Refused(0x6986)
        return self._current

    def _writing(self) -> None:
        if self.state == "operational":
            raise _Refused(0x6985)

    def _allowed(self, right: int) -> None:
        if self.state == "operational" and right != FREE and right not in self._proven:
            raise _Refused(0x6982)

    def _secret(self, slot: int) -> _Secret:
        secret = self._application().keys.get(slot)
        if secret is None:
            raise _Refused(0x6A88)
        if not secret.left:
            raise _Refused(0x6983)
        return secret

    def _used_challenge(self) -> bytes:
        challenge, self._challenge = self._challenge, b""
        if not challenge:
            raise _Refused(0x6984)
        return challenge


_COMMANDS: Final[dict[tuple[int, int], Callable[[SoftCard, Command], bytes]]] = {
    (0x00, 0xE0): SoftCard._create,
    (0x00, 0xA4): SoftCard._select,
    (0x00, 0xB0): SoftCard._read,
    (0x00, 0xD6): SoftCard._update,
    (0x04, 0xD6): SoftCard._update_protected,
    (0x84, 0xD4): SoftCard._put_key,
    (0x00, 0x84): SoftCard._get_challenge,
    (0x00, 0x82): SoftCard._external_authenticate,
    (0x00, 0x88): SoftCard._internal_authenticate,
    (0x80, 0xEA): SoftCard._close,
}
