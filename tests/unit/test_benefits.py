"""A benefit has one spelling, from the rule to the voucher, the log of a gate and the statement."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import translation

from zhengka.formats import gatelog, voucher
from zhengka.formats.gatelog import BadEvent, Event
from zhengka.formats.rulebook import Rule
from zhengka.formats.suites import INTL
from zhengka.formats.voucher import BadVoucher, Voucher
from zhengka.web.staff.settlements import gives_word

AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


def promise(gives: str) -> Voucher:
    return Voucher(bytes(10), "bus", "line-1", "ride", "r", gives, 0, AT, AT + timedelta(hours=1))


@pytest.mark.parametrize(("price", "fen"), [("free", 0), ("half", 0), ("fixed", 1), ("fixed", 250), ("fixed", 10**7)])
def test_what_a_rule_gives_is_written_as_it_is_in_vouchers_and_logs(price, fen):
    gives, key = Rule.benefit.fget(SimpleNamespace(price=price, fen=fen)), INTL.generate()
    sealed = voucher.encode(promise(gives), suite="INTL", key_id=key.public.key_id, sign=key.sign)
    assert voucher.decode(sealed).voucher.gives == gives
    event = Event(1, 1, "visit", AT, "bus", "line-1", "ride", rule="r", gives=gives, proof="tap")
    assert gatelog.read(gatelog.write(event)) == event


@pytest.mark.parametrize("gives", ["fixed:0", "fixed:", "fixed:2.5", "half:2", "fixed:-1", "fixed:123456789", ""])
def test_what_no_rule_gives_is_in_no_voucher_and_no_log(gives):
    with pytest.raises(BadVoucher):
        promise(gives)
    with pytest.raises(BadEvent):
        gatelog.write(Event(1, 1, "visit", AT, "bus", "line-1", "ride", rule="r", gives=gives, proof="tap"))


def test_officers_read_a_fixed_price_with_its_sum():
    with translation.override("en"):
        assert [str(gives_word(each)) for each in ("free", "fixed:250", "fixed:10000000", "old-name")] == [
            "Free of charge", "Fixed price ¥2.50", "Fixed price ¥100,000.00", "old-name"]
