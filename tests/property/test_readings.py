"""Whatever is sent in the place of a signed step, or of a gate's plan: it is taken as one, or refused by name."""

import contextlib
import json

from hypothesis import example, given
from hypothesis import strategies as st

from made_cards import make_profile
from zhengka.formats.chip.plan import GatePlan, PlanBroken, plan_of
from zhengka.formats.reading import NONCE, Exchange, ReadingBroken, Step, step_of
from zhengka.formats.suites import SM

KEY = SM.private_key((7).to_bytes(32))
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("\ud800")
JSON = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
                    max_leaves=12)
ANSWERS = st.lists(st.sampled_from(["9000", "zz"]))
PAIRS = st.lists(st.tuples(st.binary(min_size=4, max_size=40), st.binary(min_size=2, max_size=40)), min_size=1,
                 max_size=4)
TOLD = st.fixed_dictionaries({}, optional={
    "number": JSON, "reader": JSON, "uid": JSON, "atr": JSON, "answers": JSON | ANSWERS,
    "signature": JSON | st.just("00" * 64)})


@given(JSON | TOLD)
@example({"number": 1e999, "reader": "", "uid": "", "atr": "", "answers": ["9000"], "signature": "00" * 64})
def test_what_is_no_step_is_named_and_never_crashes(told):
    try:
        step, signature = step_of(told, bytes(NONCE), [b"\x00\x84\x00\x00\x08"])
    except ReadingBroken as broken:
        assert broken.code == "garbled"
    else:
        assert not step.is_of(KEY.public, signature)


@given(st.binary(min_size=NONCE, max_size=NONCE), st.integers(0, 99), st.text(max_size=40), st.binary(max_size=10),
       PAIRS)
def test_a_step_comes_through_json_as_it_was_signed_and_any_other_is_not_believed(nonce, number, reader, uid, pairs):
    step = Step(nonce, number, reader, uid, b"\x3b\x00", tuple(Exchange(*pair) for pair in pairs))
    told = step.told() | {"signature": step.sign(KEY).hex()}
    read, signature = step_of(told, nonce, [command for command, _ in pairs])
    assert read == step and read.is_of(KEY.public, signature)
    for other in (read._replace(number=number + 1), read._replace(uid=uid + b"\0"),
                  read._replace(reader=reader + "x"),
                  read._replace(nonce=bytes([nonce[0] ^ 1]) + nonce[1:]),
                  read._replace(exchanges=(*read.exchanges, Exchange(b"\0" * 4, b"\x90\x00")))):
        assert not other.is_of(KEY.public, signature)


PLAN = GatePlan((make_profile(),), {"4301040000000001": ("SM", frozenset({("reader", 1), ("internal", 1)}))}).told()


@given(st.lists(st.sampled_from(["profiles", "modules", "4301040000000001", "reads", "reader", "suite", "keys", "files",
                                 "applications", "id", 0]), min_size=1, max_size=4), JSON)
def test_a_plan_with_anything_in_any_place_is_a_plan_or_refused(way, value):
    told = json.loads(json.dumps(PLAN))
    inside = told
    for name in way[:-1]:
        if (isinstance(inside, list) and name == 0) or (isinstance(inside, dict) and name in inside):
            inside = inside[name]
    if isinstance(inside, dict):
        inside[str(way[-1])] = value
    elif isinstance(inside, list):
        inside.append(value)
    with contextlib.suppress(PlanBroken):
        assert plan_of(told).profiles
