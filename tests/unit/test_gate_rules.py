"""Quotas that are split, clocks that are judged, prices, and what a set of events comes to."""

import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhengka.core.dated import FileRefused
from zhengka.formats import ring
from zhengka.formats.ring import BadRing, Member
from zhengka.gates import account, clocks, folding, quota, tariffs
from zhengka.gates.account import Unpriced, Use
from zhengka.gates.clocks import Tick
from zhengka.gates.folding import Fact

AT = dt.datetime(2026, 11, 26, 8, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
RING = (b'{"format":1,"gates":[{"gate":7,"services":["bus","entry"],"venue":"north"},'
        b'{"gate":8,"services":["entry"],"venue":"north"},{"gate":9,"services":[],"venue":"south"}]}')
SHARES = json.loads((Path(__file__).parents[1] / "vectors" / "gatelog.json").read_text("utf-8"))["shares"]


# -- quotas ------------------------------------------------------------------------------------------------------------

@given(st.integers(0, 20), st.sets(st.integers(0, 2**53), min_size=1, max_size=12), st.binary(min_size=16, max_size=16))
def test_all_shares_together_are_the_quota_and_no_two_differ_by_more_than_one(limit, gates, subject):
    shares = quota.split(limit, sorted(gates), subject)
    assert sum(shares.values()) == limit
    assert max(shares.values()) - min(shares.values()) <= 1


@given(st.integers(0, 20), st.sets(st.integers(0, 2**53), min_size=1, max_size=9), st.binary(min_size=16, max_size=16),
       st.data())
def test_gates_that_are_cut_off_never_give_more_than_their_spread(limit, gates, subject, data):
    cut = data.draw(st.sets(st.sampled_from(sorted(gates))))
    shares = quota.split(limit, sorted(gates), subject)
    assert sum(shares[gate] for gate in cut) <= quota.spread(limit, len(gates), len(cut)) <= limit


@pytest.mark.parametrize("vector", SHARES, ids=lambda vector: vector["subject"][:4])
def test_every_gate_reckons_the_same_share(vector):
    for gate, share in zip(vector["gates"], vector["shares"], strict=True):
        assert quota.share(vector["quota"], vector["gates"], gate, bytes.fromhex(vector["subject"])) == share


def test_a_gate_that_is_not_among_them_has_no_share():
    assert quota.share(5, [1, 2], 3, bytes(16)) == quota.share(5, [], 3, bytes(16)) == 0


def test_what_is_given_beyond_a_quota_are_the_shares_of_those_that_were_cut_off_and_one_gate_knows_it_all():
    assert [quota.too_many(3, 4, cut) for cut in range(5)] == [0, 1, 2, 3, 3]
    assert quota.too_many(3, 1, 1) == 0


def test_different_persons_have_their_odd_unit_at_different_gates():
    places = {gate for person in range(50) for gate, share in quota.split(1, [1, 2, 3], bytes([person] * 16)).items()
              if share}
    assert places == {1, 2, 3}


@pytest.mark.parametrize(("limit", "gates", "cut", "unsplit", "split", "vouchers"), [
    (2, 4, 0, 0, 0, 0),      # everybody talks
    (2, 4, 1, 2, 1, 1),      # one is cut off
    (2, 4, 3, 6, 2, 3),
    (2, 4, 4, 6, 0, 3),      # nobody talks: the shares are the quota
    (2, 4, None, 6, 0, 3),
    (2, 1, 1, 0, 0, 0),      # one gate alone
    (quota.UNBOUNDED, 4, 2, 0, 0, 2)])
def test_the_bound_on_double_use_is_reckoned(limit, gates, cut, unsplit, split, vouchers):
    assert quota.bound(limit, gates, cut) == (unsplit, split, vouchers)


def test_what_was_used_too_often_is_counted_once_however_often_it_was_told():
    one, two, three = b"1", b"2", b"3"
    assert quota.overrun(2, {1: [one, two], 2: [two, three]}) == 1
    assert quota.overrun(3, {1: [one], 2: [two]}) == 0


def test_a_ring_is_read_as_it_was_written_and_says_who_serves_a_rule():
    members = [Member(9, "south"), Member(7, "north", ("bus", "entry")), Member(8, "north", ("entry",))]
    data = ring.to_json(members)
    assert ring.parse(data) == sorted(members)
    assert data == RING
    rules = {name: SimpleNamespace(venues=venues, service="bus") for name, venues in (("all", ()), ("one", ("north",)))}
    assert {name: ring.serving(ring.parse(data), rule) for name, rule in rules.items()} == {"all": [7, 9], "one": [7]}


@pytest.mark.parametrize(("bad", "code"), [
    (RING.replace(b'"format":1', b'"format":2'), "ring-format"), (RING.replace(b",", b", ", 1), "ring-form"),
    (RING.replace(b'"gate":8', b'"gate":7'), "ring-form"), (b"{", "ring-form"),
    (b'{"format":1,"gates":[1]}', "ring-form")])
def test_a_ring_in_another_form_is_refused(bad, code):
    with pytest.raises(BadRing) as no:
        ring.parse(bad)
    assert no.value.code == code


# -- clocks ------------------------------------------------------------------------------------------------------------

def ticks(*told):
    return [Tick(seq, AT + at, version, AT + received) for seq, (at, version, received) in enumerate(told, 1)]


NEVER = dt.timedelta(0)


def test_a_right_clock_is_called_right_however_late_its_log_comes():
    assert clocks.judge(ticks((NEVER, 1, 9 * DAY), (HOUR, 2, DAY), (2 * HOUR, 2, HOUR * 2)), {1: AT - DAY, 2: AT}) == []


def test_a_clock_that_runs_behind_is_found_by_the_list_that_the_gate_went_by():
    [fault] = clocks.judge(ticks((-3 * DAY, 1, HOUR)), {1: AT})
    assert (fault.kind, fault.seq, fault.by) == ("behind", 1, 3 * DAY)


def test_a_list_bounds_all_events_that_follow_it():
    [fault] = clocks.judge(ticks((NEVER, 2, HOUR), (HOUR, 0, HOUR)), {2: AT + 3 * HOUR})
    assert fault == ("behind", 1, 3 * HOUR)


def test_a_clock_that_runs_ahead_is_found_by_the_time_of_receipt_of_any_later_event():
    [fault] = clocks.judge(ticks((3 * DAY, 0, 9 * DAY), (3 * DAY, 0, HOUR)), {})
    assert (fault.kind, fault.seq) == ("ahead", 1)


def test_a_clock_that_was_put_back_is_found_by_the_gate_s_own_numbers():
    [fault] = clocks.judge(ticks((DAY, 0, 2 * DAY), (NEVER, 0, 2 * DAY)), {})
    assert fault == ("jumps", 2, DAY)


def test_some_minutes_are_nobody_s_business():
    assert not clocks.judge(ticks((clocks.TOLERANCE, 0, NEVER)), {})


# -- what a set comes to -----------------------------------------------------------------------------------------------

FACTS = st.builds(Fact, st.integers(0, 3).map(lambda hour: AT + hour * HOUR), st.integers(1, 3), st.integers(1, 6),
                  st.integers(0, 40).map(lambda number: bytes([number]) * 32),
                  st.sampled_from(["issue", "redeem", "cancel"]), st.sampled_from([b"a" * 10, b"b" * 10]))


@given(st.lists(FACTS, max_size=12, unique_by=lambda fact: fact.digest), st.randoms(use_true_random=False))
def test_events_that_come_one_by_one_in_any_order_come_to_what_all_of_them_come_to(facts, dice):
    order = [*facts, *facts]
    dice.shuffle(order)
    known, counted = {}, set()
    for fact in order:
        if fact.digest in known:
            continue
        related = [one for one in known.values()
                   if one.voucher == fact.voucher or (one.gate, one.seq) == (fact.gate, fact.seq)]
        out = folding.merge(related, [fact])
        known[fact.digest] = fact
        counted = counted - out.gone | out.counts
    assert counted == folding.counted(facts)


@given(st.lists(FACTS, max_size=12, unique_by=lambda fact: fact.digest))
def test_each_use_but_the_one_that_counts_is_named(facts):
    for code, standing in folding.fold_all(facts).items():
        uses = {fact.digest for fact in facts if fact.kind == "redeem" and fact.voucher == code}
        assert {standing.counted, *(double.again for double in standing.doubles)} - {b""} == uses


def test_missing_numbers_are_counted_up_to_the_highest_one():
    assert folding.gaps({1: [1, 2, 5], 2: [], 3: [3, 3]}) == {1: 2, 3: 2}


# -- prices ------------------------------------------------------------------------------------------------------------

HEAD = 'format = 1\noperator = "x"\nsource = "test"\n'
PRICE = '[[price]]\nfrom = {first}\nservice = "{service}"\ngives = "{gives}"\nfen = {fen}\n'


def tariff(tmp_path, *prices, head=HEAD):
    (tmp_path / "x.toml").write_text(head + "".join(PRICE.format(**one) for one in prices))
    return tariffs.load(tmp_path)["x"]


def test_the_price_that_names_most_holds_and_of_these_the_latest(tmp_path):
    found = tariff(tmp_path, {"first": "2020-01-01", "service": "*", "gives": "*", "fen": 1},
                   {"first": "2020-01-01", "service": "bus", "gives": "*", "fen": 2},
                   {"first": "2020-01-01", "service": "bus", "gives": "free", "fen": 3},
                   {"first": "2026-01-01", "service": "bus", "gives": "free", "fen": 4})
    assert [found.price(service, gives, dt.date.fromisoformat(on)).fen for service, gives, on in (
        ("park", "half", "2026-01-01"), ("bus", "half", "2026-01-01"), ("bus", "free", "2025-12-31"),
        ("bus", "free", "2026-01-01"))] == [1, 2, 3, 4]
    assert found.price("bus", "free", dt.date(2019, 12, 31)) is None


@pytest.mark.parametrize(("head", "price", "code"), [
    (HEAD.replace('"test"', '" "'), {}, "source-missing"), (HEAD + 'more = 1\n', {}, "field-unknown"),
    (HEAD, {"fen": -1}, "value-out-of-range"), (HEAD, {"fen": 10**8}, "value-out-of-range"),
    (HEAD, {"fen": "1.5"}, "field-missing")])
def test_a_file_of_prices_that_cannot_be_used_is_refused_by_name(tmp_path, head, price, code):
    with pytest.raises(FileRefused) as no:
        tariff(tmp_path, {"first": "2020-01-01", "service": "*", "gives": "*", "fen": 1, **price}, head=head)
    assert no.value.code == code


def test_two_files_of_one_operator_are_refused(tmp_path):
    (tmp_path / "y.toml").write_text(HEAD)
    with pytest.raises(FileRefused, match="code-twice"):
        tariff(tmp_path)


def test_the_prices_that_are_here_can_be_read():
    assert tariffs.load(Path(__file__).parents[2] / "data" / "tariffs")


def test_lines_add_up_to_the_fen_and_a_use_without_a_price_is_named(tmp_path):
    prices = tariff(tmp_path, {"first": "2020-01-01", "service": "bus", "gives": "free", "fen": 250}).prices
    day = dt.date(2026, 1, 1)
    [line] = account.reckon([Use("bus", "r", "free", 1, day), Use("bus", "r", "free", 0, day, times=2)], prices)
    assert (line.uses, line.companions, line.fen) == (3, 1, 750)
    with pytest.raises(Unpriced, match="park"):
        account.reckon([Use("park", "r", "free", 0, day)], prices)


def test_the_digest_of_a_set_knows_no_order():
    assert account.digest([b"b" * 32, b"a" * 32]) == account.digest([b"a" * 32, b"b" * 32])
