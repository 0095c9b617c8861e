"""Cards of several applications go the whole way: ordered, prepared, made by the maker's program, accepted."""

import pytest
from typer.testing import CliRunner

import batches
import builders
from builders import NOON
from zhengka.cards.models import Card
from zhengka.cli.app import app
from zhengka.cli.verify import REFUSED
from zhengka.core.errors import Refusal
from zhengka.formats import qr
from zhengka.formats.chip import SoftCard, agreement, readback
from zhengka.formats.package import PackageReader
from zhengka.formats.suites import SM
from zhengka.production import services
from zhengka_maker import home as homes

pytestmark = pytest.mark.django_db
PROFILE = "disability-one-card"


def made_again(batch, home):
    """The chips of a batch by serial, each as its maker made it: from the package, with the same identifier."""
    found = {}
    with PackageReader(batches.package_path(batch), homes.private_key(home), homes.issuer_key(home)) as package:
        for member in package.members:
            for order in package.orders(member) if member.name.startswith("cards") else ():
                card = Card.objects.get(serial=order.serial)
                made = SoftCard(uid=bytes(card.uid), kek=package.kek, suite=SM, capacity=package.info.capacity)
                assert {made.transmit(command) for command in order.commands} == {b"\x90\x00"}
                readback(made, package.info.plan, order.serial)
                found[order.serial] = made
    return found


def looked_at(card, made, code):
    wanted = services.inspection(card, at=NOON)
    seen = agreement.Seen({"serial": card.serial}, bytes(code))
    return agreement.differences(made, wanted.profile, wanted.known, seen, wanted.keys)


def test_a_card_in_use_is_not_inspected_as_a_new_one():
    with pytest.raises(Refusal, match="step-not-open"):
        services.inspection(builders.make_card(state="active"), at=NOON)


def run(words):
    return CliRunner().invoke(app, words)


def opened(area, maker):
    return services.open_batch(area, PROFILE, maker, by=batches.producer(area), request_id=builders.request_id(),
                               at=NOON)


def test_cards_for_everything_are_made_and_accepted_and_one_that_does_not_fit_is_held(tmp_path):
    area, home = builders.make_area(), tmp_path / "home"
    maker = batches.make_maker(home, area)
    fits = [batches.make_ordered(area=area, name=name) for name in ("田野", "阿依古丽·买买提艾力·阿不都热依木")]
    rare = batches.make_ordered(area=area, name="𠮷" * 8)  # 32 bytes in a record for 30
    Card.objects.update(profile=PROFILE)
    batch = opened(area, maker)
    batch = batches.prepare(batch)
    assert (batch.prepared, batch.held) == (2, 1)
    assert Card.get(rare.pk).hold_reason == "chip-refused social_name wrong-length"
    with PackageReader(batches.package_path(batch), homes.private_key(home), homes.issuer_key(home)) as package:
        assert package.info.capacity == 32768 and len(package.info.plan.steps) > 60
    batch = batches.send(batch)
    batches.receive(batch, batches.make_cards(batch, home))
    one, other = [Card.get(card.pk) for card in fits]
    assert (one.state, other.state) == ("ready", "ready")
    chips = made_again(batch, home)
    assert looked_at(one, chips[one.serial], one.credential) == []
    assert looked_at(one, chips[one.serial], other.credential) == [("qr-differs", "credential")]
    swapped = looked_at(one, chips[other.serial], one.credential)
    assert {code for code, _ in swapped} == {"uid-differs", "keys-differ"} and len(swapped) == 4
    sealed, key = tmp_path / "chip", tmp_path / "key"
    key.write_text("00" * 16)
    chips[one.serial].save(sealed, bytes(16))
    code = qr.to_text(bytes(one.credential), "https://zk.example.cn")
    asked = ["card", "check", one.serial, str(sealed), "--key", str(key), "--as",
             builders.make_officer("producer", area=area).username, "--code"]
    assert run([*asked, code]).exit_code == 0
    spoiled = run([*asked, qr.to_text(bytes(other.credential), "https://zk.example.cn")])
    assert spoiled.exit_code == REFUSED and spoiled.output == "qr-differs: credential\n"
    assert run([*asked, "no code"]).exit_code == REFUSED


def test_a_card_whose_chip_reads_back_wrong_in_any_application_is_not_accepted(tmp_path):
    area, home = builders.make_area(), tmp_path / "home"
    maker = batches.make_maker(home, area)
    for name in ("田野", "林木"):
        batches.make_ordered(area=area, name=name)
    Card.objects.update(profile=PROFILE)
    batch = opened(area, maker)
    batch = batches.send(batches.prepare(batch))
    batches.receive(batch, batches.make_cards(batch, home, plant=("wrong-readback",)))
    assert batches.states(batch) == {"ready": 1, "suspect": 1}
