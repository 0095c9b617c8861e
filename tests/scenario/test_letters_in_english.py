"""Who wishes letters in English reads English in all that is worded by the platform; names, and what an officer wrote,
stay as they are written.
"""

import datetime as dt
import re
from collections.abc import Callable

import pytest

import builders
from builders import NOON, make_actor, request_id
from custody_rooms import Rooms
from stories import HAND, LEG, Story, applies, brings, card_holder, confirmed, left_behind, person, under
from zhengka.areas.models import Area
from zhengka.assessment.models import Appointment, Institution, Session
from zhengka.bulk.services import Asked
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case, Recall
from zhengka.cases.services import telling, wording
from zhengka.cases.workflow import KINDS as CASES
from zhengka.core import fields
from zhengka.custody import services as custody
from zhengka.custody.models import Keeping
from zhengka.letters import contents
from zhengka.letters.models import Letter
from zhengka.letters.rules import KINDS
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Contacts, Finding

pytestmark = pytest.mark.django_db
CHINESE = re.compile("[\u3000-\u9fff\uff00-\uffef]")


def reads_english() -> Holder:
    """Somebody with a card who wishes English on paper."""
    holder, _ = card_holder()
    wishes(holder)
    return Holder.get(holder.pk)


def wishes(holder: Holder) -> Holder:
    registry.keep_contacts({holder.pk: Contacts(wishes="paper en")}, by=make_actor("approver", area=holder.area),
                           request_id=request_id(), at=NOON)
    return Holder.get(holder.pk)


def applicant(wanted: int = 4) -> Story:
    return applies(person(phone="", wishes="paper en"), wanted=wanted)


def decided(found: Finding | None, wanted: int = 4) -> Story:
    story = applicant(wanted)
    story.take("accept")
    story.assess(found)
    if found is None:
        story.take("fail")
        return story
    story.notice()
    story.take("review", "approve")
    return story


def heard(story: Story, kind: str, found: Finding | None, last: str = "approve") -> Story:
    office = Area.objects.get(code={"dispute_city": 430100_000000, "dispute_province": 430000_000000}[kind])
    case = services.dispute(kind, Case.get(story.case.pk), by=make_actor(area=story.case.area),
                            request_id=request_id(), at=story.at)
    dispute = Story(case, at=story.at)
    dispute.take("accept", "book", by=dispute.by("clerk", office))
    dispute.assess(found, by=dispute.by("assessor", office))
    dispute.take("review", by=dispute.by("reviewer", office))
    dispute.take(last, by=dispute.by("approver", office), reason="the same as before")
    return dispute


def accepted_in_time(folder) -> None:
    with under("quick", folder):
        brings("loss", reads_english()).take("accept")


def papers_missing(_folder) -> None:
    applicant().take("return_papers", reason="two photos")


def missed(_folder) -> None:
    story = applicant()
    story.take("accept", "book")
    booked = Appointment.objects.get(case_id=story.case.pk)
    services.miss_day(booked, by=story.by("clerk"), request_id=request_id(), at=story.at)


def called_off(_folder) -> None:
    story = applicant()
    story.take("accept", "book")
    booked = Appointment.objects.get(case_id=story.case.pk)
    services.call_off_day(booked, "the doctor is ill", by=story.by("clerk"), request_id=request_id(), at=story.at)


def granted(_folder) -> None:
    decided(LEG)


def refused(_folder) -> None:
    decided(None)


def still_lost(_folder) -> None:
    story = brings("loss", reads_english())
    story.take("accept", "review", "refuse")


def frozen(_folder) -> None:
    brings("freeze", reads_english(), reason="under-inquiry").take("verify", "review", "approve")


def departs(_folder) -> None:
    story = confirmed(brings("transfer_out_nation", reads_english(), moved="2026-11-20"))
    left_behind(NOON.replace(year=2027, month=5, day=21), NOON.replace(year=2027, month=11, day=23))
    assert Case.get(story.case.pk).state == "lapsed"


def departure_granted(_folder) -> None:
    brings("transfer_out_nation", reads_english(), moved="2026-11-01").take("request", "review", "approve")


def city(_folder) -> None:
    heard(decided(None), "dispute_city", LEG)


def city_finds_nothing(_folder) -> None:
    heard(decided(None), "dispute_city", None)


def city_stays(_folder) -> None:
    heard(decided(None), "dispute_city", HAND, "refuse")


def province(_folder) -> None:
    heard(heard(decided(None), "dispute_city", None), "dispute_province", LEG)


def undone(_folder) -> None:
    for kind, reason in (("freeze", "death-reported"), ("cancellation", "death")):
        story = brings(kind, reads_english(), reason=reason)
        story.take(*(["accept"] if kind == "cancellation" else []), "verify", "review", "approve")
        services.undo(story.case, "a call", by=make_actor(area=story.case.area), request_id=request_id(), at=NOON)


def recalled(_folder) -> None:
    for certified in (True, False):
        holder = reads_english()
        if not certified:
            Card.objects.filter(holder=holder).update(state="cancelled")
            Certificate.objects.filter(holder=holder).update(state="cancelled")
        case = brings("damage", holder).take("withdraw") if certified else Case.objects.last()
        Recall.objects.create(area=holder.area, person_index=bytes(holder.id_index), holder=holder, name=holder.name,
                              case_id=case.pk, category=4, met=certified, again_on=NOON.date())
    assert services.remind_again(at=NOON) == 2


def reminded(_folder) -> None:
    for days in (7, 60):
        holder = wishes(builders.make_holder())
        builders.make_card(holder, state="active", active_until=NOON.date() + dt.timedelta(days))
    for days in (0, 38):
        cards.remind(at=NOON + dt.timedelta(days))


def desk(_folder) -> None:
    ready, active = (builders.make_card(wishes(builders.make_holder()), state=state) for state in ("ready", "active"))
    cards.tell_ready([ready.pk], at=NOON)
    Card.objects.filter(pk=active.pk).update(serial="4301040000000017")
    for step in (cards.report_lost, cards.report_found):
        step(Card.get(active.pk), by=make_actor(area=active.area), request_id=request_id(), at=NOON)


def waited_for(_folder) -> None:
    rooms = Rooms()
    cards = rooms.cards(1)
    wishes(cards[0].holder)
    rooms.unpack(rooms.brought(cards), cards)
    custody.remind(at=Keeping.objects.get().waits_since + dt.timedelta(days=7))


def invited(_folder) -> None:
    holder = builders.make_holder()
    builders.make_certificate(holder)
    Holder.objects.filter(pk=holder.pk).update(address=fields.close("麓山路 1 号", "holder.address"))
    wishes(holder)
    services.open_exchange(holder.area, 1, by=make_actor(area=holder.area), request_id=request_id(), at=NOON)


TOLD: dict[Callable[..., None], set[str]] = {
    accepted_in_time: {"acceptance"}, papers_missing: {"papers-missing"},
    missed: {"acceptance-undated", "appointment", "appointment-missed"},
    called_off: {"acceptance-undated", "appointment", "appointment-called-off"},
    granted: {"acceptance-undated", "appointment", "decision-approved", "ways-to-dispute"},
    refused: {"acceptance-undated", "appointment", "decision-refused", "ways-to-dispute"},
    still_lost: {"decision-refused", "generic"}, frozen: {"case-done"},
    departs: {"freeze-warning", "lapse-warning"}, departure_granted: {"departure-confirmed"},
    city: {"dispute-result"}, city_finds_nothing: {"dispute-result"}, city_stays: {"dispute-result"},
    province: {"dispute-final"}, undone: {"report-undone", "restored"},
    recalled: {"assessment-again", "apply-again"}, reminded: {"activation-reminder", "activation-lapsed"},
    desk: {"card-ready", "card-blocked", "card-found"}, invited: {"exchange-opened"},
    waited_for: {"card-waiting"}}
"""What happens → letters that it writes."""


@pytest.mark.parametrize("happens", TOLD, ids=lambda each: each.__name__)
def test_every_letter_to_who_wishes_english_is_english(happens, tmp_path):
    happens(tmp_path)
    letters = list(Letter.objects.filter(language="en"))
    assert TOLD[happens] <= {letter.template for letter in letters}
    for letter in letters:
        said = contents.whole(letter)
        text = "\n".join((said.title, *said.paragraphs))
        assert not CHINESE.search(without_names(text)), text


def without_names(text: str) -> str:
    """A text without the names of offices and places, which are what they are."""
    names = [f"{name}残联" for name in Area.objects.values_list("name", flat=True)]
    names += [*Area.objects.values_list("name", flat=True), *Institution.objects.values_list("name", flat=True),
              *Session.objects.values_list("place", flat=True)]
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, "")
    return text


def test_every_kind_of_letter_is_among_them():
    assert set().union(*TOLD.values()) | {"activation-ahead"} == set(KINDS), "the one ahead says what a reminder says"


def test_what_an_officer_wrote_stays_as_it_was_written():
    applicant().take("return_papers", reason="户口簿；照片")
    text = "\n".join(contents.words(Letter.objects.get(template="papers-missing", channel="print")).paragraphs)
    assert "户口簿；照片" in text and text.startswith("Some papers are missing")


def test_every_kind_of_case_has_a_name_that_fits_a_letter_in_each_language():
    assert set(wording.MATTERS) == set(CASES)
    for matter in wording.MATTERS.values():
        assert not CHINESE.search(matter.en) and CHINESE.search(matter.zh) and max(map(len, matter)) <= 40


def test_the_guardian_of_who_wishes_english_is_called_so_in_english():
    story = applies(person(guardian_name="石山", phone="", wishes="paper en"), wanted=5)
    story.take("accept")
    assert contents.recipient(Letter.objects.get()).name == "石山 (guardian of 石榴)"


def test_the_reason_of_a_dispute_that_changed_nothing_is_as_long_as_any_other():
    story = decided(None)
    case = heard(story, "dispute_city", HAND, "refuse").case
    to = telling.recipients([case])[0]
    asked = Asked(make_actor(area=case.area), request_id(), NOON)
    said = telling._of_the_city(case, telling.Occasion([case], "refuse", asked, "国" * 300))
    for language in ("zh", "en"):
        message = telling._message(case, to._replace(language=language), "dispute-result", said, f"x{language}", asked)
        assert telling.letters.write_many([message], **vars(asked)).left == {}
