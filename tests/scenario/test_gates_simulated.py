"""The same simulated cities (`gate_simulation`), their logs kept by the register itself: what the database holds after
each upload is what the pure core says of the same events.
"""

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress

import pytest
from django.db import transaction

import gating
from builders import make_actor, request_id
from gate_simulation import PLACE, Centre, City, keys
from zhengka.core.errors import Refusal
from zhengka.devices import services as devices
from zhengka.devices.models import Device
from zhengka.formats import gatelog
from zhengka.formats.gatelog import Signed
from zhengka.gates import services
from zhengka.gates.folding import Double, Fact
from zhengka.gates.merging import New
from zhengka.gates.models import DoubleUse, Visit, Voucher

pytestmark = pytest.mark.django_db


class Register(Centre):
    """The register, asked for what it holds after every upload."""

    def __init__(self, simulated: Sequence) -> None:
        """A gate's row for each."""
        for place, one in enumerate(simulated):
            one.number = gating.make_gate(f"{place}号", operator=PLACE[0], venue=PLACE[1]).pk
            public = keys(one.number).public
            Device.objects.filter(pk=one.number).update(public=public.point, key_id=public.key_id)
        super().__init__(simulated)

    def shut_out(self, gate) -> None:
        """Reported lost."""
        super().shut_out(gate)
        devices.change(self._row(gate.number), "lose", by=make_actor("system"), request_id=request_id(),
                       at=dt.datetime.now(dt.UTC))

    def take(self, lines: Sequence[Signed], carrier, at: dt.datetime) -> None:
        """An upload, as the gate sends it."""
        with suppress(Refusal):
            services.merge(gating.lines(*lines), carrier=self._row(carrier.number), at=at)
        self._look()

    def redeem(self, line: Signed, at: dt.datetime) -> bool:
        """A gate asks at that moment. Vouchers of the simulation last a day by their own gate's clock."""
        event = gatelog.read(line.text)
        Voucher.objects.filter(code=event.voucher).update(begins=at - 9 * gating.DAY, ends=at + 9 * gating.DAY)
        try:
            with transaction.atomic():
                services.redeem_signed(line, at=at)
        except Refusal:
            return False
        self._look()
        return True

    def _row(self, number: int) -> Device:
        return Device.objects.get(pk=number)

    def _look(self) -> None:
        rows = list(Visit.objects.order_by("pk"))
        self.events = {bytes(row.digest): New(gatelog.read(row.text), Signed(row.text, bytes(row.signature)),
                                              bytes(row.digest)) for row in rows}
        self.received = {bytes(row.digest): row.received_at for row in rows}
        self.counted = {bytes(row.digest) for row in rows if row.counted}
        self.states = {fact.voucher: "" for fact in self.facts() if fact.voucher} | {
            bytes(code): state for code, state in Voucher.objects.values_list("code", "state")}
        self.doubles = {Double(bytes(code), bytes(one), bytes(two)) for code, one, two in DoubleUse.objects.values_list(
            "voucher", "counted__digest", "again__digest")}

    def facts(self) -> list[Fact]:
        """All that the register holds."""
        return [new.fact for new in self.events.values()]


@pytest.mark.parametrize("seed", range(2))
def test_the_register_holds_what_the_pure_core_says(seed):
    City(seed, Register).run(40)
