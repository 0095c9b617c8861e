"""People are told what came of a dispute, of a report that was wrong, of a card that was found, and of a lapse."""

import datetime as dt

import pytest

import builders
from builders import NOON
from stories import HAND, LEG, Story, applies, brings, card_holder
from zhengka.areas.models import Area
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.letters import contents
from zhengka.letters.models import Letter

pytestmark = pytest.mark.django_db
OFFICE = {"dispute_city": 430100_000000, "dispute_province": 430000_000000}


def words(case_or_card, template: str, channel: str = "print") -> str:
    """What a letter says, all of it."""
    letter = Letter.objects.get(subject_id=case_or_card.pk, template=template, channel=channel)
    said = contents.words(letter)
    return "\n".join((said.title, *said.paragraphs, said.office))


def kinds(case_or_card) -> list[tuple[str, str]]:
    return sorted(Letter.objects.filter(subject_id=case_or_card.pk).values_list("template", "channel"))


def refused() -> Story:
    story = applies()
    story.take("accept", "book")
    story.assess(None)
    story.take("fail")
    return story


def heard(story: Story, kind: str, found, *last: str) -> Story:
    """A dispute of a decided case, heard by its office to the end."""
    office = Area.objects.get(code=OFFICE[kind])
    case = services.dispute(kind, Case.get(story.case.pk), by=builders.make_actor(area=story.case.area),
                            request_id=builders.request_id(), at=story.at)
    dispute = Story(case, at=story.at)
    dispute.take("accept", "book", by=dispute.by("clerk", office))
    dispute.assess(found, by=dispute.by("assessor", office))
    dispute.take("review", by=dispute.by("reviewer", office))
    for action in last or ("approve",):
        dispute.take(action, by=dispute.by("approver", office), reason="新的检查与原来的一样")
    return dispute


def test_the_citys_result_is_told_on_paper_too_with_the_day_until_which_the_province_may_be_asked():
    dispute = heard(refused(), "dispute_city", LEG)
    assert kinds(dispute.case)[-2:] == [("dispute-result", "print"), ("dispute-result", "sms")]
    text = words(dispute.case, "dispute-result")
    assert "肢体二级" in text and text.endswith("某市残联") and "湖南省残联" in text
    assert "2026年12月4日" in text, "ten working days after 20 November"
    assert "肢体" not in words(dispute.case, "dispute-result", "sms").split("\n")[1]


def test_a_dispute_in_which_nothing_else_is_found_or_that_is_refused_says_so():
    assert "没有达到残疾标准" in words(heard(refused(), "dispute_city", None).case, "dispute-result")
    dispute = heard(refused(), "dispute_city", HAND, "refuse")
    assert "维持原来的结果。原因：新的检查与原来的一样" in words(dispute.case, "dispute-result")
    assert ("ways-to-dispute", "print") not in kinds(dispute.case), "the first way was this one"


def test_the_provinces_result_is_the_last_word():
    city = heard(refused(), "dispute_city", None)
    text = words(heard(city, "dispute_province", LEG).case, "dispute-final")
    assert "这是最后的结果。" in text and text.endswith("湖南省残联") and "提出。" not in text


def test_what_is_decided_against_somebody_is_on_paper_for_who_has_a_phone_too():
    story = refused()
    assert kinds(story.case)[-4:] == [("decision-refused", "print"), ("decision-refused", "sms"),
                                      ("ways-to-dispute", "print"), ("ways-to-dispute", "sms")]
    assert ("acceptance", "print") not in kinds(story.case)


@pytest.mark.parametrize(("kind", "reason", "letter", "says"), [
    ("freeze", "death-reported", "report-undone", "您的证件和卡，现在照旧能用。"),
    ("cancellation", "death", "restored", "旧卡不能再用")])
def test_who_was_wrongly_reported_dead_hears_that_all_holds_again(kind, reason, letter, says):
    holder, _ = card_holder()
    story = brings(kind, holder, reason=reason)
    if kind == "cancellation":
        story.take("accept")
    story.take("verify", "review", "approve")
    clerk = builders.make_actor(area=holder.area)
    services.undo(story.case, "本人接听电话", by=clerk, request_id=builders.request_id(), at=NOON)
    assert says in words(story.case, letter) and "死" not in words(story.case, letter)


def test_whose_certificate_two_persons_restored_hears_it_in_words_of_its_own():
    holder, _ = card_holder()
    wish = brings("cancellation", holder, reason="own-wish")
    wish.take("accept", "verify", "review", "approve")
    back = brings("restoration", holder)
    back.take("accept", "verify", "review", "approve")
    assert kinds(back.case)[-1:] == [("restored", "print")] and ("case-done", "print") not in kinds(back.case)


def lost_and_found(*steps) -> Card:
    card = builders.make_card(state="active")
    Card.objects.filter(pk=card.pk).update(serial="4301040000000017")
    for at, step in enumerate(steps):
        step(Card.get(card.pk), by=builders.make_actor(area=card.area), request_id=builders.request_id(),
             at=NOON + dt.timedelta(at))
    return card


def test_a_holder_hears_each_time_that_the_card_is_blocked_and_that_it_works_again():
    card = lost_and_found(cards.report_lost, cards.report_found, cards.report_lost, cards.report_found)
    assert kinds(card) == [("card-blocked", "print")] * 2 + [("card-found", "print")] * 2
    found = [contents.words(letter) for letter in Letter.objects.filter(template="card-found").order_by("pk")]
    assert Card.get(card.pk).serial[-4:] in found[0].paragraphs[1]
    assert "2026年11月21日" in found[0].paragraphs[0] and "2026年11月23日" in found[1].paragraphs[0]


def test_whose_activation_lapsed_is_told_once_on_the_day_after_the_days_of_grace():
    end = NOON.date() + dt.timedelta(7)
    card = builders.make_card(state="active", active_until=end)
    card.holder.phone = fields.close("13900000001", "holder.phone")
    card.holder.save()
    told = [cards.remind(at=NOON + dt.timedelta(7 + days)) for days in (1, 30, 31, 31, 32, 40)]
    assert told == [0, 0, 1, 0, 0, 0]
    assert kinds(card) == [("activation-lapsed", "sms")]
    text = words(card, "activation-lapsed", "sms")
    assert "乘车、补贴已停" in text and "2026年11月27日到期" in text


def test_a_run_that_was_missed_is_made_good_and_nobody_is_told_of_a_lapse_long_ago():
    ended = [NOON.date() - dt.timedelta(days) for days in (33, 60)]
    fresh, old = (builders.make_card(state="active", active_until=day) for day in ended)
    assert cards.remind(at=NOON) == 1
    assert kinds(fresh) == [("activation-lapsed", "print")] and not kinds(old)


def test_where_nothing_stops_and_of_a_card_that_is_not_in_use_nobody_is_told_of_a_lapse(monkeypatch):
    card = builders.make_card(state="active", active_until=NOON.date() - dt.timedelta(31))
    Card.objects.filter(pk=card.pk).update(state="suspended")
    assert cards.remind(at=NOON) == 0
    Card.objects.filter(pk=card.pk).update(state="active")
    [(lo, _hi, policy), *_] = card_queries.policy_ranges(NOON.date())
    stops = policy.activation
    for stopped, told in (((), 0), (("subsidies",), 1)):
        ranges = ((lo, 999_999_999_999, policy._replace(activation=stops._replace(stops=stopped))),)
        monkeypatch.setattr(card_queries, "policy_ranges", lambda _on, found=ranges: found)
        assert cards.remind(at=NOON) == told
