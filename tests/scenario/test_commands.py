"""What an operator does by the `zhengka` command alone."""

import pytest
from typer.testing import CliRunner

import batches
import builders
from zhengka.areas.models import Area
from zhengka.areas.services import load as load_areas
from zhengka.cards.models import Card
from zhengka.cases.models import Case
from zhengka.cli.app import app
from zhengka.cli.files import keep_public_url
from zhengka.config.env import PROJECT
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.production.models import Batch
from zhengka.programme.services import load as load_programme

pytestmark = pytest.mark.django_db


def said(*words: str) -> list[str]:
    """The lines that a command prints; its refusal is raised."""
    done = CliRunner().invoke(app, words)
    if isinstance(done.exception, Refusal):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


@pytest.fixture
def area(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"
    return builders.make_area()


@pytest.fixture
def maker(area, tmp_path):
    return batches.make_maker(tmp_path / "maker", area)


def officer(role: str, area: Area) -> str:
    return builders.make_officer(role, area=area).username


# ---- held cards and cancelled batches ------------------------------------------------------------------------------


def test_held_cards_are_listed_with_their_reason_and_released_by_id(area, maker):
    card = batches.make_ordered(area=area, name="赵无照", photo=None)
    batches.make_ordered(area=area)
    batches.prepare(batches.open_batch(area, maker))
    producer = officer("producer", area)
    assert said("card", "held", "--as", producer) == said("card", "held", "--unit", "430104", "--as", producer) == [
        f"{card.pk} 430104 holder {card.holder_id}: photo-missing 缺照片"]
    assert said("card", "release", str(card.pk), "--as", producer) == [f"{card.pk}: ordered"]
    card = Card.get(card.pk)
    assert (card.state, card.hold_reason) == ("ordered", "") and said("card", "held", "--as", producer) == []
    event = Event.objects.get(subject="card", subject_id=card.pk, action="release")
    assert event.facts == {"reason": "photo-missing"}


def test_held_cards_of_another_unit_are_neither_listed_nor_released(area, maker):
    card = builders.make_card(state="held")
    theirs = officer("producer", builders.make_area(430102))
    assert said("card", "held", "--as", theirs) == []
    for words in (["card", "release", str(card.pk)], ["card", "held", "--unit", "430104"]):
        with pytest.raises(Refusal, match="not-found"):
            said(*words, "--as", theirs)


def test_a_city_lists_the_held_cards_of_one_of_its_units(area):
    card = builders.make_card(state="held")
    other = builders.make_card(builders.make_holder(area=builders.make_area(430102)), state="held")
    city = officer("producer", Area.objects.get(code=430100_000000))
    listed = {words: [row.split()[0] for row in said("card", "held", *words, "--as", city)]
              for words in ((), ("--unit", "430104"))}
    assert listed == {(): [str(other.pk), str(card.pk)], ("--unit", "430104"): [str(card.pk)]}


def test_a_card_that_has_its_serial_is_released_by_it_and_a_clerk_releases_none(area):
    card = builders.make_card(state="held")
    Card.objects.filter(pk=card.pk).update(serial="4301040000000017")
    with pytest.raises(Refusal, match="not-permitted"):
        said("card", "release", "4301040000000017", "--as", officer("clerk", area))
    said("card", "release", "4301040000000017", "--as", officer("producer", area))
    assert Card.get(card.pk).state == "ordered"


def test_a_batch_is_cancelled_and_its_cards_wait_for_another(area, maker):
    card = batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    producer = officer("producer", area)
    assert said("batch", "cancel", batch.number, "--as", producer) == [f"{batch.number}: cancelled"]
    assert Batch.get(batch.pk).state == "cancelled" and Card.get(card.pk).state == "ordered"
    prepared = batches.prepare(batches.open_batch(area, maker))
    with pytest.raises(Refusal, match="batch-has-cards"):
        said("batch", "cancel", prepared.number, "--as", producer)


# ---- the exchange --------------------------------------------------------------------------------------------------


@pytest.fixture
def pilot():
    """The 25 units of the plan; 岳麓区 and 芙蓉区 of phase one and 浏阳市 of phase two have a holder each, of whom
    neither phone nor address is known.
    """
    load_areas(PROJECT / "data/areas/hunan-2018.toml")
    load_programme(PROJECT / "data/programmes/hunan-2018.toml")
    for code in (430104, 430702, 430181):
        builders.make_certificate(builders.make_holder(
            area=Area.objects.get(code=code * 10**6), address=""))
    return Area.objects.get(code=430000 * 10**6)


def opened() -> list[tuple[int, int]]:
    return sorted((area // 10**6, phase) for area, phase in Case.objects.values_list("area", "phase"))


def test_a_unit_is_opened_in_the_phase_that_the_plan_gives_it(pilot):
    clerk = officer("clerk", pilot)
    planned = dict(_plan())
    assert said("exchange", "open", "--unit", "430181", "--as", clerk) == [
        f"430181 浏阳市, phase {planned[430181]}: 1 cases opened",
        "not written to: 1 (add phones or addresses, then: zhengka exchange invite)"]
    assert opened() == [(430181, planned[430181])]


def test_all_units_of_a_phase_are_opened_at_once_each_by_the_plan(pilot):
    clerk, planned = officer("clerk", pilot), dict(_plan())
    for phase in (1, 2):
        lines = said("exchange", "open", "--phase", str(phase), "--as", clerk)
        units = sum(each == phase for each in planned.values())
        holders = sum(planned[code] == phase for code in (430104, 430702, 430181))
        assert lines[units] == f"{units} units: {holders} cases opened"
        assert lines[units + 1:] == [
            f"not written to: {holders} (add phones or addresses, then: zhengka exchange invite)"]
    assert opened() == sorted((code, planned[code]) for code in (430104, 430702, 430181))


def test_an_area_and_a_phase_together_are_opened_and_nothing_beside(pilot):
    planned = dict(_plan())
    said("exchange", "open", "--unit", "430100", "--phase", str(planned[430104]), "--as", officer("clerk", pilot))
    assert opened() == [(code, planned[code]) for code in (430104, 430181) if planned[code] == planned[430104]]


def test_an_area_without_such_units_is_refused_by_name(pilot):
    clerk, planned = officer("clerk", pilot), dict(_plan())
    for words in (["--unit", "999999"], ["--phase", "9"], ["--unit", "x"],
                  ["--unit", "430104", "--phase", str(3 - planned[430104])]):
        with pytest.raises(Refusal, match="unit-not-listed"):
            said("exchange", "open", *words, "--as", clerk)
    assert CliRunner().invoke(app, ["exchange", "open", "--as", clerk]).exit_code == 2 and not opened()


def _plan() -> list[tuple[int, int]]:
    from zhengka.programme.models import Target

    return [(area // 10**6, phase) for area, phase in Target.objects.values_list("area", "phase")]


def test_a_software_card_of_nobody_is_made_and_shown_and_never_overwritten(area, tmp_path):
    card, key = str(tmp_path / "card"), str(tmp_path / "key")
    [told] = said("card", "sample", card, "--key", key)
    assert "profile disability-one-card" in told and (tmp_path / "key").stat().st_mode & 0o77 == 0
    shown = said("card", "show", card, "--key", key)
    assert any("残疾人证号 certificate number: 99000019000101001X43" in line for line in shown)
    assert any("应用有效日期 last day: 2026-12-31" in line for line in shown)
    with pytest.raises(Refusal, match="chip-file-unusable"):
        said("card", "sample", card, "--key", key)
    for other in ("00", "no key", "11" * 16):
        (tmp_path / "other").write_text(other)
        with pytest.raises(Refusal, match="chip-file-unusable"):
            said("card", "show", card, "--key", str(tmp_path / "other"))
    with pytest.raises(Refusal, match="chip-file-unusable"):
        said("card", "show", str(tmp_path / "none"), "--key", key)


def test_the_script_of_a_profile_names_keys_and_values_and_tells_none():
    lines = said("card", "script", "disability-one-card")
    assert "PUT KEY        slot 2 ← transit-t-union/maintenance v1" in lines
    with pytest.raises(Refusal, match="profile-missing"):
        said("card", "script", "no-such-profile")


# ---- plain refusals -------------------------------------------------------------------------------------------------


def test_a_unit_that_is_not_there_is_refused_without_advice_about_files(pilot):
    clerk = officer("clerk", pilot)
    with pytest.raises(Refusal, match="unit-not-listed") as no:
        said("exchange", "open", "--unit", "999999", "--as", clerk)
    assert "plan show" in no.value.problem.next and "file" not in no.value.problem.next


def test_a_code_is_not_written_into_a_folder_that_is_not_there(area, maker, tmp_path):
    card = batches.make_ordered(area=area)
    batches.prepare(batches.open_batch(area, maker))
    serial, clerk = Card.get(card.pk).serial, officer("clerk", area)
    with pytest.raises(Refusal, match="file-unwritable"):
        said("card", "qr", serial, "--out", str(tmp_path / "nowhere" / "card.png"), "--as", clerk)
    said("card", "qr", serial, "--out", str(tmp_path / "card.png"), "--as", clerk)
    assert (tmp_path / "card.png").read_bytes().startswith(b"\x89PNG")


def test_cards_of_a_state_that_no_card_has_are_refused_and_of_one_that_none_is_in_that_is_said(area):
    clerk = officer("clerk", area)
    with pytest.raises(Refusal, match="card-state-unknown") as no:
        said("card", "some", "nonsense", "--as", clerk)
    assert "ready" in no.value.facts["states"]
    assert said("card", "some", "ready", "--as", clerk) == ["no card is ready"]


def test_the_address_in_a_code_is_kept_when_its_batch_is_opened(area, maker, settings, tmp_path):
    settings.PUBLIC_URL = "https://card.example"
    batches.make_ordered(area=area)
    said("batch", "open", "--unit", "430104", "--maker", maker.name, "--as", officer("producer", area))
    assert (tmp_path / "public-url").read_text() == "https://card.example\n"
    for url in ("https://new.example", "https://card.example", "https://new.example"):  # the site moves, and back
        settings.PUBLIC_URL = url
        keep_public_url()
    assert (tmp_path / "code-hosts").read_text() == "card.example\nnew.example\n"
