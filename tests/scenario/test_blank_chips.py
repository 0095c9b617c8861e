"""Blank chips of a stock become the province's, one after another on a reader, at the command line, over real PC/SC."""

import json
import threading
import time

import pytest
from django.utils import timezone
from typer.testing import CliRunner

from builders import make_actor, make_area, make_officer
from ceremonies import Hall
from readers import SLOTS
from zhengka.cli.app import app
from zhengka.core.errors import Refusal
from zhengka.formats.chip import SoftCard
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.chip.stock import FACTORY, Stock
from zhengka.formats.suites import SM
from zhengka.keys import services as keys
from zhengka.keys.models import Key
from zhengka.production.services import initialise_blank

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pcsc")]
CHANNEL, TRANSPORT = KeySet(FACTORY, b"1" * 16, b"2" * 16, b"3" * 16), b"4" * 16


@pytest.fixture
def area(settings, tmp_path):
    settings.HOME = tmp_path
    area = make_area()
    keys.ensure(area.code, "SM", at=timezone.now())
    lines = zip(("enc", "mac", "dek", "transport"), (CHANNEL.enc, CHANNEL.mac, CHANNEL.dek, TRANSPORT), strict=True)
    (tmp_path / "factory").write_text("".join(f"{name} {key.hex()}\n" for name, key in lines))
    return area


def chips(number):
    return [SoftCard(uid=bytes([4, 0, 0, 0, 0, 0, place]), kek=TRANSPORT, suite=SM, channel=CHANNEL)
            for place in range(1, number + 1)]


def init(area, tmp_path, count, *, role="producer", patience="0.1", slot=""):
    done = CliRunner().invoke(app, ["card", "init", "--unit", area.unit6, "--factory", str(tmp_path / "factory"),
                                    "--count", str(count), "--patience", patience, "--slot", slot,
                                    "--as", make_officer(role, area=area).username])
    return done.exception, done.output.splitlines()


def lay_one_by_one(room, laid):
    """A person who lays each chip down, waits until it is done, and takes it away."""
    for chip in laid:
        room.lay(chip)
        time.sleep(1.2)
        room.empty()


def test_chips_are_made_ours_one_after_another_and_a_stopped_run_goes_on(room, area, tmp_path):
    first, second = chips(2)
    room.lay(first)
    stopped, lines = init(area, tmp_path, 2)
    assert isinstance(stopped, Refusal) and stopped.code == "no-blank-chip"
    assert lines == ["0 of 2 done before", f"1 of 2: {first.uid.hex().upper()} is ours now; take the chip away"]
    now = timezone.now()
    own = keys.channel_keys(area.code, "SM", at=now)
    assert first.memory.channel == own.of_chip(SM, first.uid)
    assert first.memory.kek == keys.blank_card_key(area.code, "SM", at=now)
    room.empty()
    person = threading.Thread(target=lay_one_by_one, args=(room, [first, second]))
    person.start()
    fault, lines = init(area, tmp_path, 2, patience="20")
    person.join()
    assert fault is None and lines == [
        "1 of 2 done before", f"1 of 2: {first.uid.hex().upper()} was ours before; take the chip away",
        f"2 of 2: {second.uid.hex().upper()} is ours now; take the chip away", "2 of 2 done"]
    assert second.memory.channel == own.of_chip(SM, second.uid)
    [log] = (tmp_path / "blanks").glob("*.jsonl")
    assert [json.loads(line)["uid"] for line in log.read_text().splitlines()] == [first.uid.hex(), second.uid.hex()]
    for key in (own.enc, own.mac, own.dek, TRANSPORT, first.memory.kek):
        assert key.hex() not in log.read_text() + "".join(lines)


def test_two_provinces_that_share_a_file_of_keys_count_their_chips_apart(room, area, tmp_path):
    first, _ = chips(2)
    room.lay(first)
    init(area, tmp_path, 2)
    other = make_area(420104)
    keys.ensure(other.code, "SM", at=timezone.now())
    _, lines = init(other, tmp_path, 2)
    assert lines[0] == "0 of 2 done before"


def test_chips_in_store_are_brought_to_the_keys_of_a_rotation_while_the_old_ones_are_in_their_overlap(area):
    hall, by, at, [chip] = Hall(), make_actor("producer", area=area), timezone.now(), chips(1)
    factory = Stock(CHANNEL, TRANSPORT)
    initialise_blank(chip, factory, area, "SM", by=by, at=at)
    first = chip.memory
    hall.hold("rotate", Key.objects.get(purpose="channel", suite="SM"), at=at)
    hall.hold("rotate", Key.objects.get(purpose="blank_card", suite="SM"), at=at)
    told = initialise_blank(chip, factory, area, "SM", by=by, at=at)
    assert not told.before and (first.channel.version, chip.memory.channel.version) == (1, 2)
    assert chip.memory.kek == keys.blank_card_key(area.code, "SM", at=at) != first.kek
    assert initialise_blank(chip, factory, area, "SM", by=by, at=at).before


def test_chips_on_two_readers_and_a_reader_that_is_not_there_are_told_not_waited_for_in_silence(room, area, tmp_path):
    first, second = chips(2)
    room.lay(first, 0)
    room.lay(second, 1)
    stopped, lines = init(area, tmp_path, 1)
    assert isinstance(stopped, Refusal) and stopped.code == "no-blank-chip"
    assert lines == ["0 of 1 done before", f"chips lie on {SLOTS[0]} and {SLOTS[1]}: leave one, or name its reader "
                     "with --slot"]
    assert first.memory.channel == second.memory.channel == CHANNEL, "neither was touched"
    _, lines = init(area, tmp_path, 1, slot="another")
    assert lines[1] == f"no reader is named another; there are: {SLOTS[0]}, {SLOTS[1]}"
    fault, lines = init(area, tmp_path, 1, slot=SLOTS[1])
    assert fault is None and lines[1].startswith(f"1 of 1: {second.uid.hex().upper()} is ours now")


def test_a_chip_that_is_not_blank_is_refused_by_name_and_not_counted(room, area, tmp_path):
    [chip] = chips(1)
    used = SoftCard(uid=chip.uid, kek=TRANSPORT, suite=SM)
    memory = used.memory
    room.lay(used)
    stopped, lines = init(area, tmp_path, 1)
    assert isinstance(stopped, Refusal) and stopped.code == "no-blank-chip"
    assert lines[1].startswith("0 of 1: refused, not-blank") and used.memory == memory


def test_keys_of_the_maker_that_cannot_be_used_and_officers_without_the_right_are_refused(room, area, tmp_path):
    [chip] = chips(1)
    room.lay(chip)
    fault, _ = init(area, tmp_path, 1, role="clerk")
    assert isinstance(fault, Refusal) and fault.code == "not-permitted"
    (tmp_path / "factory").write_text("enc 00\n")
    fault, _ = init(area, tmp_path, 1)
    assert isinstance(fault, Refusal) and fault.code == "factory-keys-unusable"
    assert chip.memory.channel == CHANNEL
