"""One command on its way through the chip: what it sees, what it may, and how it says no."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from zhengka.formats import sm4
from zhengka.formats.apdu import Command
from zhengka.formats.chip import secure
from zhengka.formats.chip.memory import CIPHERED, FREE, NEVER, Application, File, Memory, NoRoom, Secret
from zhengka.formats.chip.scp03 import Channel
from zhengka.formats.suites import SUITES, Suite

PROVEN_BY: Final = ("reader", "pin")
"""Purposes of keys that open a file once they are proven. Under the others each write has a MAC of its own."""

PROTECTED: Final = 0x04
"""Bit of the class byte: the command comes with line protection."""


class Refused(Exception):
    """A status word other than 9000, on its way out of the chip.

    What the command had changed is forgotten, but for `memory`, if that is given: a wrong try counts all the same.
    """

    def __init__(self, sw: int, memory: Memory | None = None) -> None:
        self.sw, self.memory = sw, memory


@dataclass(slots=True)
class Session:
    """What the chip knows until the power goes: what is selected, who is proven, which challenge is open."""

    name: bytes = b""
    fid: bytes = b""
    challenge: bytes = b""
    proven: set[int] = field(default_factory=set)
    asked: Channel | None = None
    channel: Channel | None = None
    inside: bool = False
    """Whether the command at work came through the channel."""
    transport: tuple[bytes, sm4.AtWork] | None = None
    """The transport key, and itself at work."""


@dataclass(slots=True)
class Run:
    """The chip's memory as the command will leave it, and its session. `on_write` is called before each change."""

    memory: Memory
    session: Session
    random: Callable[[int], bytes]
    on_write: Callable[[], None]

    @property
    def suite(self) -> Suite:
        """The chip's algorithms."""
        return SUITES[self.memory.suite]

    @property
    def operational(self) -> bool:
        """Whether the chip is finished, so that rights hold."""
        return self.memory.state == "operational"

    @property
    def application(self) -> Application:
        """The current application."""
        if not self.session.name:
            raise Refused(0x6986)
        return self.memory.applications[self.session.name]

    @property
    def locked(self) -> bool:
        """Whether there is a current application and it is locked."""
        return bool(self.session.name) and self.application.locked

    def keep(self, memory: Memory) -> None:
        """Change what the chip will keep."""
        self.on_write()
        self.memory = memory

    def keep_file(self, file: File) -> None:
        """Change one file of the current application."""
        self.keep(self.memory.with_application(self.application.with_file(file)))

    def keep_key(self, secret: Secret) -> None:
        """Change one key of the current application."""
        self.keep(self.with_key(secret))

    def with_key(self, secret: Secret) -> Memory:
        """The memory with one key of the current application changed."""
        return self.memory.with_application(self.application.with_key(secret))

    @property
    def transport(self) -> sm4.AtWork:
        """The transport key, which most often comes many times one after another."""
        kek, known = self.memory.kek, self.session.transport
        if known is None or known[0] != kek:
            known = self.session.transport = kek, sm4.AtWork(kek, cipher=self.suite.cipher)
        return known[1]

    def take(self, size: int) -> None:
        """Reserve so many bytes of the chip's memory."""
        try:
            self.keep(self.memory.taken(size))
        except NoRoom:
            raise Refused(0x6A84) from None

    def file(self, sfi: int) -> File:
        """The file with this short identifier, or the selected one where it is 0."""
        application = self.application
        if not sfi:
            if not self.session.fid:
                raise Refused(0x6986)
            return application.files[self.session.fid]
        if sfi == 31:
            raise Refused(0x6A86)
        file = application.by_sfi(sfi)
        if file is None:
            raise Refused(0x6A82)
        return file

    def making(self) -> None:
        """Refuse what is only for the chip's making, and what must come through the channel and did not."""
        if self.operational:
            raise Refused(0x6985)
        if self.memory.channel and not self.session.inside:
            raise Refused(0x6982)

    def may_read(self, file: File) -> None:
        """Refuse where the file must not be read now; while the chip is made, its maker reads everything."""
        if not self.operational:
            self.making()
        elif file.read != FREE and file.read not in self.session.proven:
            raise Refused(0x6982)

    def to_write(self, file: File, command: Command) -> bytes:
        """What the command would write into the file, if it may: in clear, after a proof, or with line protection."""
        if command.cla & PROTECTED:
            return self._protected(file, command)
        if not self.operational:
            self.making()
        elif file.update == NEVER:
            raise Refused(0x6982)
        elif file.update != FREE:
            slot = file.update & ~CIPHERED
            if self.secret(slot).entry.purpose not in PROVEN_BY:
                raise Refused(0x6987)
            if slot not in self.session.proven:
                raise Refused(0x6982)
        return command.data

    def _protected(self, file: File, command: Command) -> bytes:
        if not self.operational:
            raise Refused(0x6985)
        if file.update in (FREE, NEVER):
            raise Refused(0x6982)
        secret = self.secret(file.update & ~CIPHERED)
        if secret.entry.purpose in PROVEN_BY:
            raise Refused(0x6982)
        return self.unprotected(command, secret, ciphered=bool(file.update & CIPHERED))

    def secret(self, slot: int) -> Secret:
        """The key in a slot of the current application, if it is there and not blocked."""
        secret = self.application.keys.get(slot)
        if secret is None:
            raise Refused(0x6A88)
        if not secret.left:
            raise Refused(0x6983)
        return secret

    def secret_for(self, purpose: str) -> Secret:
        """The key of the current application with this purpose."""
        for slot, secret in self.application.keys.items():
            if secret.entry.purpose == purpose:
                return self.secret(slot)
        raise Refused(0x6985)

    def unprotected(self, command: Command, secret: Secret, *, ciphered: bool = False) -> bytes:
        """The data of a protected command, if its MAC is right over a challenge that was asked for just before."""
        challenge = self.used_challenge()
        data, mac = command.data[: -secure.MAC], command.data[-secure.MAC :]
        covered = bytes([*command[:4], len(command.data)]) + data
        published = self.application.published
        expected = secure.line_mac(self.suite, secret.key, challenge, covered, published=published)
        self.judge(secret, hmac.compare_digest(mac, expected), 0x6988)
        if not ciphered:
            return data
        try:
            return secure.deciphered(self.suite, secret.key, challenge, data)
        except ValueError:
            raise Refused(0x6988) from None

    def judge(self, secret: Secret, right: bool, sw: int) -> None:
        """Count a try: a right one gives all tries back, a wrong one is refused with `sw` (63C0: and what is left).

        The count is kept before the answer leaves, so pulling the card away early wins no try.
        """
        if not right:
            left = secret.left - 1
            raise Refused(sw | left if sw == 0x63C0 else sw, self.with_key(replace(secret, left=left)))
        if secret.left != secret.entry.tries:
            self.keep_key(replace(secret, left=secret.entry.tries))

    def used_challenge(self) -> bytes:
        """The challenge that was given out, which is thereby used up."""
        challenge, self.session.challenge = self.session.challenge, b""
        if not challenge:
            raise Refused(0x6984)
        return challenge
