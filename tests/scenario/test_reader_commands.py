"""A card's way at the command line of a machine that is server and desk in one, over real PC/SC."""

import pytest
from django.utils import timezone
from typer.testing import CliRunner

import batches
from builders import make_area, make_officer
from made_cards import UID
from readers import SLOTS
from zhengka.cards.models import Card
from zhengka.cli.app import app
from zhengka.core.errors import Refusal
from zhengka.devices.models import Device, Psam, Reading
from zhengka.formats.chip import ATR, SoftCard
from zhengka.formats.suites import SM
from zhengka.keys import services as keys

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pcsc")]


def said(*words: str) -> list[str]:
    """The lines that a command prints; its refusal is raised."""
    done = CliRunner().invoke(app, ["reader", *words])
    if isinstance(done.exception, Refusal):
        raise done.exception
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output.splitlines()


@pytest.fixture
def area(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"
    area = make_area()
    keys.ensure(area.code, "SM", at=timezone.now())
    return area


def test_a_card_is_made_read_activated_blocked_and_found_again_by_commands_alone(room, area, tmp_path):
    names = {role: make_officer(role, area=area).username for role in ("system", "clerk", "security", "producer")}
    sender = make_officer("producer", area=area).username
    home = ["--home", str(tmp_path / "reader")]
    [entered] = said("enter", "一号窗口", "--unit", area.unit6, *home, "--officers",
                     f"{names['system']},{names['clerk']},{names['security']}")
    device = Device.objects.get(name="一号窗口")
    assert (device.state, Psam.objects.get(reader=device).state) == ("active", "bound")
    maker = entered.split("card maker ")[1]
    batches.make_ordered(area=area)
    done = CliRunner().invoke(app, ["batch", "open", "--unit", area.unit6, "--maker", maker, "--as", names["producer"]])
    assert done.exit_code == 0, (done.output, done.exception)
    number = done.output.split(":")[0]

    now = timezone.now()
    chip = SoftCard(uid=UID, kek=keys.blank_card_key(area.code, "SM", at=now), suite=SM,
                    channel=keys.channel_keys(area.code, "SM", at=now).of_chip(SM, UID))
    room.lay(chip)
    assert said("list", "--as", names["system"])[:2] == [f"here: {SLOTS[0]}: card", f"here: {SLOTS[1]}: empty"]
    assert said("show") == [f"{SLOTS[0]}: answer to reset {ATR.hex().upper()}, identifier {UID.hex().upper()}"]
    shown = CliRunner().invoke(app, ["card", "show"])
    assert shown.exit_code == 0 and UID.hex().upper() in shown.output.upper(), shown.output
    with pytest.raises(Refusal, match="same-person"):
        said("issue", number, *home, "--as", names["producer"])
    assert chip.state == "blank", "nothing is written before the batch is released"
    assert said("issue", number, *home, "--as", sender) == [f"{number}: good"]
    card = Card.objects.get()
    assert said("read", *home, "--as", names["clerk"]) == [f"{card.serial}: ready, card {card.pk}"]
    hand_over = ["card", "hand-over", card.serial, "--list", "QL-7", "--as", names["clerk"]]
    assert getattr(CliRunner().invoke(app, hand_over).exception, "code", "") == "card-unseen"
    assert CliRunner().invoke(app, [*hand_over, "--looked"]).exit_code == 0
    [line] = said("activate", *home, "--as", names["clerk"])
    card.refresh_from_db()
    assert line == f"{card.serial}: active until {card.active_until}"
    assert said("block", *home, "--as", names["clerk"]) == [f"{card.serial}: suspended, chip locked"]
    with pytest.raises(Refusal) as locked:
        said("read", *home, "--as", names["clerk"])
    assert (locked.value.code, locked.value.facts) == ("reading-ended", {"outcome": "locked"})
    assert said("unblock", card.serial, *home, "--as", names["clerk"]) == [f"{card.serial}: active, chip unlocked"]
    assert said("unblock", card.serial, *home, "--as", names["clerk"]) == [
        f"{card.serial}: active, its chip vouched for that before"]
    assert said("update", *home, "--as", names["clerk"]) == [f"{card.serial}: chip told update"]
    assert said("update", "--upgrade", *home, "--as", names["clerk"]) == [f"{card.serial}: chip told upgrade"]
    room.empty()
    with pytest.raises(Refusal) as none:
        said("read", *home, "--as", names["clerk"])
    assert none.value.facts == {"outcome": "no-card"}
    assert set(Reading.objects.values_list("outcome", flat=True)) == {"good", "locked", "no-card"}
