"""What operators get for their gates: rules, and lists of who is meant by them that say nothing else."""

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, connection, transaction

from builders import NOON
from showing import code_of, gate_of, make_shown, offline
from zhengka.cards import services as cards
from zhengka.core import files
from zhengka.core.errors import Refusal
from zhengka.formats import presenting, rulebook, statuslist
from zhengka.formats.presenting import Place, Scanned
from zhengka.gates import queries, services, tasks
from zhengka.gates.models import ClaimPublication
from zhengka.keys.models import Key
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
BLIND = "d8cb024c"
"""The name of the condition: visual, of grades 1 and 2."""
METRO = Place("beijing-transit", "network", "metro")
PEOPLE = [
    {"category": 1, "grade": 1}, {"category": 1, "grade": 3}, {"category": 4, "grade": 1, "area": 430702},
    {"category": 4, "grade": 2, "area": 430302}, {"category": 5, "grade": 4, "area": 430171},
    {"category": 7, "grade": 1, "components": [(5, 3), (1, 2)]},
    {"category": 7, "grade": 2, "components": [(2, 1), (4, 2)]},
    *({"category": 2, "grade": 4, "born": dt.date(1961, 11, day)} for day in (19, 20)),
    *({"category": 3, "grade": 3, "born": dt.date(2011, 11, day)} for day in (19, 20)),
    {"category": 6, "grade": 2, "area": 500103}, {"category": 6, "grade": 3, "area": 500103},
    {"category": 2, "grade": 2, "area": 420502, "born": dt.date(1960, 2, 29)}]


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"


def publish(at=NOON):
    """Status lists first: claims are of lists that gates can see."""
    cards.publish_status_lists(at=at)
    return services.publish_claims(at=at)


def everywhere(operator):
    """Every venue and service of an operator."""
    return [Place(operator.code, venue.id, service.id)
            for venue in operator.book.venues for service in operator.book.services]


def test_a_gate_without_a_network_gives_what_the_register_gives():
    """The lists and the row, the SQL and the Python, are the same condition told twice."""
    shown = [make_shown(**person) for person in PEOPLE]
    publish()
    given = set()
    for operator in queries.operators().values():
        gate = gate_of(operator.code)
        for place in everywhere(operator):
            for card in shown:
                text = Scanned(code_of(card))
                answer = presenting.present(text, bundle=gate, place=place, at=NOON)
                assert answer.to_dict() == services.present_online(text, place, at=NOON).answer.to_dict(), (card, place)
                given.add((answer.code, answer.benefit, answer.companions))
    assert given >= {("valid", "free", 0), ("valid", "free", 1), ("valid", "half", 0), ("not-entitled", "", 0),
                     ("other-way", "", 0)}


def test_a_list_of_claims_says_one_bit_and_nothing_of_what_its_card_is():
    cards_ = [make_shown(category=1, grade=grade) for grade in (1, 2, 3)] + [make_shown(category=6, grade=1)]
    publish()
    found = gate_of("beijing-transit").claims
    assert found.keys() == {(BLIND, cards_[0].status_list)}
    listed = found[BLIND, cards_[0].status_list]
    assert [listed.told(card.status_index) for card in cards_] == [1, 1, 0, 0]
    assert sorted(set(listed.cells().tolist())) == [0, 1] and int(listed.cells().sum()) == 2


def test_a_condition_that_two_operators_ask_for_is_signed_once():
    make_shown(category=1, grade=1)
    made = publish()
    assert [row.claim for row in made].count(BLIND) == 1 and len({row.claim for row in made}) == len(made)
    wanted = {name for operator in queries.operators().values() for name in operator.book.claims}
    assert {row.claim for row in made} == wanted
    [one, other] = [list(cards.operator_folder(operator).glob(f"claim-{BLIND}-*.bin")) for operator in (
        "beijing-transit", "shanghai-metro")]
    assert one[0].read_bytes() == other[0].read_bytes()


def test_a_list_of_one_claim_is_none_of_another_and_no_status_list():
    card = make_shown(category=1, grade=1)
    publish()
    gate = gate_of("beijing-transit")
    data = (cards.operator_folder("beijing-transit") / f"claim-{BLIND}-{card.status_list}.bin").read_bytes()
    for kind in (statuslist.claim_list("00000000"), statuslist.STATUS_LIST):
        with pytest.raises(statuslist.BadStatusList):
            statuslist.parse(data, keys=gate.keys, at=NOON, kind=kind)


def test_what_says_nothing_new_is_not_published_again_until_it_grows_old():
    make_shown(category=1, grade=1)
    first = publish()
    assert first and publish(NOON + HOUR) == []
    again = publish(NOON + 12 * HOUR)
    assert {row.claim for row in again} == {row.claim for row in first}
    assert min(row.number for row in again) > max(row.number for row in first)


def test_a_change_of_a_certificate_reaches_the_lists_that_it_concerns_and_no_others():
    card = make_shown(category=4, grade=4)
    publish()
    assert offline(card, METRO).code == "not-entitled"
    Certificate.objects.filter(pk=card.certificate_id).update(category=1, grade=2)
    changed = {row.claim for row in publish(NOON + HOUR)}
    assert BLIND in changed and offline(card, METRO, at=NOON + HOUR).companions == 1
    Holder.objects.filter(pk=card.holder_id).update(birth_date=dt.date(1950, 1, 1))
    assert {row.claim for row in publish(NOON + 2 * HOUR)} == {
        name for name, who in queries.operator("xiangtan-bus").book.claims.items() if who.age_from}


def test_a_birthday_changes_a_list_on_the_day_after():
    card = make_shown(category=4, grade=4, area=430302, born=dt.date(1961, 11, 20))
    place = Place("xiangtan-bus", "network", "bus")
    publish()
    assert offline(card, place).code == "not-entitled"
    publish(NOON + DAY)
    assert offline(card, place, at=NOON + DAY).benefit == "free"


def test_a_card_that_is_made_today_is_asked_for_and_not_refused():
    card = make_shown(category=1, grade=1)
    publish()
    new = make_shown(category=1, grade=1)
    assert new.status_list == card.status_list
    gate = gate_of("chongqing-transit")
    place = Place("chongqing-transit", "network", "bus")
    for issued, code in ((NOON.date(), "ask-online"), (NOON.date() - DAY, "not-entitled")):
        text = Scanned(code_of(new, issued=issued))
        assert presenting.present(text, bundle=gate, place=place, at=NOON).code == code


def test_cards_out_of_life_are_in_no_list_of_claims():
    make_shown(category=1, grade=1)
    gone = make_shown(category=1, grade=1, state="cancelled")
    publish()
    assert gate_of("beijing-transit").claims[BLIND, gone.status_list].told(gone.status_index) == 0
    assert offline(gone, METRO).code == "revoked"


def test_a_claim_for_which_no_rule_asks_any_more_is_taken_away(settings):
    make_shown(category=1, grade=1)
    publish()
    stale = cards.operator_folder("shanghai-metro") / "claim-00000000-1.bin"
    stale.write_bytes(b"of an older rulebook")
    publish(NOON + HOUR)
    assert not stale.exists() and list(cards.operator_folder("shanghai-metro").glob(f"claim-{BLIND}-*.bin"))


def test_the_rules_are_there_before_any_card_is():
    assert services.publish_claims(at=NOON) == []
    for operator in queries.operators().values():
        assert rulebook.parse((cards.operator_folder(operator.code) / "rulebook.json").read_bytes()) == operator.book


def test_the_night_gives_operators_what_they_need():
    make_shown(category=1, grade=1)
    cards.publish_status_lists(at=NOON)
    tasks.publish_claims(int(NOON.timestamp()))
    assert ClaimPublication.objects.filter(claim=BLIND).exclude(digest="").count() == 1
    tasks.publish_claims()
    assert gate_of("beijing-transit").claims


def test_a_version_is_stored_before_it_is_signed_and_never_used_twice():
    card = make_shown(category=1, grade=1)
    cards.publish_status_lists(at=NOON)
    Key.objects.filter(purpose="status").update(state="retired")
    with pytest.raises(Refusal, match="key-retired"):
        services.publish_claims(at=NOON)
    left = ClaimPublication.objects.filter(claim=BLIND)
    assert [row.digest for row in left] == [""]
    Key.objects.filter(purpose="status").update(state="active")
    services.publish_claims(at=NOON)
    numbers = list(left.order_by("number").values_list("number", "digest"))
    assert len(numbers) == 2 and numbers[0][1] == "" and numbers[1][1] and numbers[0][0] < numbers[1][0]
    assert gate_of("beijing-transit").claims[BLIND, card.status_list].version == numbers[1][0]


def test_a_slower_signing_does_not_take_the_place_of_a_newer_list():
    card = make_shown(category=1, grade=1)
    publish()
    row = ClaimPublication.objects.get(claim=BLIND)
    older = ClaimPublication.objects.create(claim=BLIND, list_number=card.status_list, number=row.number - 1,
                                            published_at=NOON, content="x", holding=0)
    assert services.claims._store(older, b"late") is None
    older.refresh_from_db()
    assert older.digest == ""


@pytest.mark.parametrize(("changed", "name"), [
    ({"claim": "everybody"}, "claim_named"), ({"claim": ""}, "claim_named"),
    ({"digest": "ab", "size": 0}, "claim_published_whole"), ({"digest": "", "size": 7}, "claim_published_whole"),
    ({"number": 1}, "claim_version_once")])
def test_the_database_holds_what_a_publication_is(changed, name):
    whole = {"claim": BLIND, "list_number": 1, "number": 2, "published_at": NOON, "content": "x", "holding": 1}
    ClaimPublication.objects.create(**whole | {"number": 1})
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        ClaimPublication.objects.create(**whole | changed)


def test_the_web_reads_no_list_of_claims_from_the_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_any_column_privilege('zhengka_web', 'gates_claimpublication', 'SELECT')")
        assert cursor.fetchone() == (False,)


@pytest.mark.django_db(transaction=True)
def test_two_workers_publish_a_list_once():
    make_shown(category=1, grade=1)
    cards.publish_status_lists(at=NOON)
    made, start = [], threading.Barrier(2)

    def work():
        try:
            start.wait()
            made.extend(services.publish_claims(at=NOON))
        finally:
            connection.close()
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown = ClaimPublication.objects.filter(claim=BLIND).exclude(digest="")
    numbers = [row.number for row in shown]
    assert len(set(numbers)) == len(numbers) >= 1 and len(made) >= len({row.claim for row in made})
    assert gate_of("beijing-transit").claims[BLIND, shown[0].list_number].version == max(numbers)
    assert files.get(shown.order_by("-number")[0].digest)
