"""The yearly activation as officers and passers-by see it: where a card stands, by which way, whose term ends."""

import datetime as dt
import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from activating import KINDS, make_active, region
from builders import make_area, make_officer
from codes import digits_of, finished
from visits import Visitor
from worker import work
from zhengka.bulk.models import Act
from zhengka.cards.models import Card
from zhengka.core import fields
from zhengka.core.models import Event

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path


def ends(days):
    """The day on which a term ends that has so many days left now."""
    return timezone.localdate() + days * DAY


def page(visitor, name, *args, **query):
    answer = visitor.get(reverse(f"staff:{name}", args=args), query)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


@pytest.mark.parametrize("days, words", [
    (200, "Activated<"), (20, "Activated; the next term is open"), (-20, "Ended; in its days of grace"),
    (-40, "Lapsed")])
def test_the_pages_of_card_and_holder_say_in_plain_words_where_the_activation_stands(days, words):
    card, clerk = make_active(ends(days)), Visitor(make_officer("clerk"))
    for shown in (page(clerk, "card", card.pk), page(clerk, "holder", card.holder_id)):
        assert words in shown and "the certificate itself stays valid" in shown
        assert ends(days).isoformat() in shown
        assert (ends(days - 90).isoformat() in shown) == (days == 200), "when the next term opens"
        assert ends(days + 30).isoformat() in shown, "the last day of grace"
        assert ("Stopped now" in shown) == (days == -40)


def test_a_clerk_chooses_the_way_with_radio_buttons_and_the_event_keeps_it():
    card, clerk = make_active(ends(20)), Visitor(make_officer("clerk"))
    shown = page(clerk, "card", card.pk)
    assert shown.count('type="radio" name="channel"') == 3
    clerk.act(reverse("staff:card-step", args=[card.pk, "activate"]), channel="home-visit", evidence=" R-12 ")
    told = Event.objects.get(subject="card", subject_id=card.pk)
    assert (told.facts["channel"], told.facts["evidence"]) == ("home-visit", "R-12")
    after = page(clerk, "card", card.pk)
    assert "Visit at home" in after and "R-12" in after and 'name="channel"' not in after


def test_no_officer_says_by_a_form_that_a_card_was_used_or_matched():
    card, clerk = make_active(ends(20)), Visitor(make_officer("clerk"))
    for url, data in ((reverse("staff:card-step", args=[card.pk, "activate"]), {}),
                      (reverse("staff:activations-renew"), {"card": [card.pk]})):
        assert clerk.act(url, channel="data-match", **data).status_code == 409
    assert Card.get(card.pk).version == 1


def test_only_the_ways_of_the_region_are_offered(settings, tmp_path):
    region(settings, tmp_path, a430104=KINDS["ningbo"]._replace(kind="rolling", opens_days_before=90))
    card = make_active(ends(20))
    shown = page(Visitor(make_officer("clerk")), "card", card.pk)
    assert 'value="home-visit"' in shown and 'value="video"' not in shown
    assert 'name="channel"' not in page(Visitor(make_officer("reviewer")), "card", card.pk)


def test_an_office_sees_whose_term_ends_and_activates_a_round_of_visits_at_once():
    soon, later, lapsed = make_active(ends(5)), make_active(ends(20)), make_active(ends(-40))
    make_active(ends(5), area=make_area(430102))
    clerk = Visitor(make_officer("clerk"))
    shown = page(clerk, "activations")
    assert f'value="{soon.pk}"' in shown and f'value="{later.pk}"' not in shown and "岳麓区" in shown
    assert f'value="{lapsed.pk}"' in page(clerk, "activations", group="over")
    assert f'value="{soon.pk}"' in page(clerk, "activations", group="nonsense")
    answer = clerk.act(reverse("staff:activations-renew"), card=[soon.pk, lapsed.pk], channel="home-visit",
                       evidence="R-7", group="over")
    assert answer["Location"].endswith("?group=over")
    assert "2 cards activated" in page(clerk, "activations", group="over")
    assert [e.facts["evidence"] for e in Event.objects.filter(action="activate")] == ["R-7", "R-7"]
    clerk.act(reverse("staff:activations-renew"), card=[soon.pk], channel="home-visit")
    assert "0 cards activated; " in page(clerk, "activations") and Card.get(soon.pk).version == 2


def test_who_may_only_read_sees_the_list_without_ticks():
    make_active(ends(5))
    shown = page(Visitor(make_officer("reviewer")), "activations")
    assert 'name="card"' not in shown and "岳麓区" in shown
    assert Visitor(make_officer("reviewer")).get(reverse("staff:activations-match")).status_code == 403


def test_a_list_of_those_alive_is_handed_in_and_carried_out_by_a_worker():
    card, clerk = make_active(ends(5)), Visitor(make_officer("clerk"))
    number = fields.open_(bytes(card.holder.id_number), "holder.id_number")
    answer = clerk.act(reverse("staff:activations-match"), source="MPS-1",
                       file=SimpleUploadedFile("alive.csv", f"{number}\n12\n".encode()))
    work()
    act = Act.objects.get()
    assert answer["Location"] == reverse("staff:act", args=[act.pk]) and (act.moved, act.left_alone) == (1, 1)
    shown = page(clerk, "act", act.pk)
    assert "Neither an ID number nor a card's serial" in shown and number not in shown


@pytest.mark.parametrize("text, source, words", [
    ("", "MPS-1", "empty"), ("姓名", "MPS-1", "holds no rows"), ("1", "公安", "letters, digits and - . / is wanted")])
def test_a_list_that_says_nothing_is_refused_at_its_field(text, source, words):
    answer = Visitor(make_officer("clerk")).act(reverse("staff:activations-match"), source=source,
                                                file=SimpleUploadedFile("alive.csv", text.encode()))
    assert answer.status_code == 200 and words in html.unescape(answer.content.decode())
    assert not Act.objects.exists()


def test_a_lapsed_card_is_shown_to_a_passer_by_as_a_proof_of_disability_and_not_as_refused():
    card = finished()
    Card.objects.filter(pk=card.pk).update(active_until=ends(-40))
    shown = html.unescape(Visitor().get(f"/V/{digits_of(card)}").content.decode())
    assert "zk-check--wait" in shown and "Accept it as a proof of disability" in shown
    assert "The disability certificate itself is in force until 2036-11-20" in shown
    assert "Do not accept" not in shown


def test_the_api_tells_a_verifier_that_identity_holds_though_services_stop():
    card = finished()
    Card.objects.filter(pk=card.pk).update(active_until=ends(-40))
    answer = Visitor().post("/api/v1/verify", {"code": digits_of(card)}, content_type="application/json").json()
    assert (answer["verdict"], answer["accepted"], answer["identity"]) == ("activation-lapsed", False, True)
