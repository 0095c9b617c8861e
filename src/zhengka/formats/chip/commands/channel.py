"""The card's end of the loading channel: INITIALIZE UPDATE, EXTERNAL AUTHENTICATE, and what comes through it."""

import hmac
from dataclasses import replace

from zhengka.formats.apdu import Command
from zhengka.formats.chip import loading
from zhengka.formats.chip.commands.run import Refused, Run
from zhengka.formats.chip.memory import CHANNEL_TRIES, KEK_TRIES
from zhengka.formats.chip.scp03 import CHALLENGE, KDD, LEVELS, MAC, OPTIONS, PROTOCOL, Channel, ChannelRefused


def initialize(run: Run, command: Command) -> bytes:
    """INITIALIZE UPDATE (80 50): P1 is the keys' version, 0 for any; ends an open channel (Amendment D, 7.1.1)."""
    run.session.asked = run.session.channel = None
    keys = run.memory.channel
    if keys is None:
        raise Refused(0x6985)
    if command.p1 not in (0, keys.version) or command.p2:
        raise Refused(0x6A88)
    if len(command.data) != CHALLENGE:
        raise Refused(0x6700)
    if not run.memory.channel_left:
        raise Refused(0x6983)
    own = run.random(CHALLENGE)
    asked = run.session.asked = Channel.begin(run.suite, keys, command.data, own)
    about = bytes([keys.version, PROTOCOL[run.suite.name], OPTIONS])
    return run.memory.uid[-KDD:].rjust(KDD, b"\0") + about + own + asked.cryptogram(of_host=False)


def authenticate(run: Run, command: Command) -> bytes:
    """EXTERNAL AUTHENTICATE (84 82): P1 is the level, the data the host's cryptogram and a MAC (Amendment D, 7.1.2)."""
    asked, run.session.asked = run.session.asked, None
    if asked is None:
        raise Refused(0x6985)
    if command.p1 not in LEVELS or command.p2:
        raise Refused(0x6A86)
    if len(command.data) != 2 * MAC:
        raise Refused(0x6700)
    shown, mac = command.data[:MAC], command.data[MAC:]
    right = hmac.compare_digest(asked.cryptogram(of_host=True), shown)
    if not hmac.compare_digest(asked.sign(command._replace(data=shown)), mac) or not right:
        raise Refused(0x6988 if right else 0x6300, replace(run.memory, channel_left=run.memory.channel_left - 1))
    if run.memory.channel_left != CHANNEL_TRIES:
        run.keep(replace(run.memory, channel_left=CHANNEL_TRIES))
    asked.level = command.p1
    run.session.channel = asked
    return b""


def put_keys(run: Run, command: Command) -> bytes:
    """PUT KEY (80 D8) for a blank chip, in the channel: its channel keys and its transport key are replaced, all four
    by one command. Of a chip into which something was loaded they are not (`loading`).
    """
    keys = run.memory.channel
    if keys is None or run.memory.state != "blank":
        raise Refused(0x6985)
    if command.p1 != keys.version or command.p2 != 0x81:
        raise Refused(0x6A86)
    try:
        new, transport = loading.read_keys(run.suite, keys, command.data)
    except ValueError:
        raise Refused(0x6A80) from None
    run.keep(replace(run.memory, channel=new, kek=transport, kek_left=KEK_TRIES, channel_left=CHANNEL_TRIES))
    return b""


def unwrapped(run: Run, command: Command) -> Command:
    """A command that came while a channel is open; whatever did not come through it is refused, and a forged one
    ends the channel.
    """
    channel = run.session.channel
    if channel is None or not command.cla & 0x04:
        raise Refused(0x6982)
    try:
        return channel.unwrap(command)
    except ChannelRefused:
        run.session.channel = None
        raise Refused(0x6988) from None
