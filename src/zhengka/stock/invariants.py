"""What must never break in the ledger of blank cards (I3), and between the persons who keep it (I6)."""

from typing import Final

from zhengka.core.invariants import Check
from zhengka.stock.queries import CONTRADICTIONS, UNEQUAL

CHECKS: Final = (
    Check("I3", "blank-in-one-place", "Each blank card is in one place at every moment",
          "每张空白卡任一时刻只在一处", """
        SELECT 'serials ' || (a.serials * b.serials)::text FROM stock_span a JOIN stock_span b
            ON a.id < b.id AND a.serials && b.serials AND a.during && b.during"""),
    Check("I3", "slips-balanced", "What a slip takes is what it gives", "单据借贷相等", f"""
        SELECT 'slip ' || slip || ': ' || total FROM ({UNEQUAL}) each (slip, total)"""),
    Check("I3", "entries-as-serials", "The sums of the accounts are the serials that lie there", "分录与号段一致", f"""
        SELECT account || ' store ' || store || ' area ' || area || ': ' || entries || ' by entries, ' || runs
               || ' by serials' FROM ({CONTRADICTIONS}) each (area, account, store, entries, runs)"""),
    Check("I3", "received-is-all", "Received = in stock + moving + in machine + issued + spoiled + destroyed + lost",
          "入库＝在库＋在途＋在机＋制成＋废卡＋销毁＋报失", """
        SELECT 'received ' || received || ', there ' || there FROM (
            SELECT (SELECT coalesce(sum(quantity), 0) FROM stock_slip WHERE sort = 'receive') AS received,
                   (SELECT coalesce(sum(upper(serials) - lower(serials)), 0) FROM stock_span
                    WHERE upper_inf(during)) AS there) both_sides WHERE received <> there"""),
    Check("I3", "shipment-as-its-pieces", "Of a shipment that is over nothing is on its way, of another one some is",
          "调拨了结则无在途，未了结则有在途", """
        SELECT 'slip ' || s.id || ': ' || s.state || ', on its way ' || coalesce(w.many, 0)
        FROM stock_slip s LEFT JOIN (
            SELECT slip_id, sum(upper(serials) - lower(serials)) AS many FROM stock_span
            WHERE account = 'moving' AND upper_inf(during) GROUP BY 1) w ON w.slip_id = s.id
        WHERE s.sort = 'ship' AND (s.state IN ('moving', 'short')) <> (w.many IS NOT NULL)"""),
    Check("I6", "written-off-by-two", "Blank cards are destroyed or declared lost by two persons",
          "销毁、报失由两人办理", """
        SELECT 'slip ' || id || ': ' || quote_literal(person) || ' and ' || quote_literal(confirmed_by)
        FROM stock_slip WHERE sort IN ('destroy', 'lose') AND state = 'confirmed' AND confirmed_by IN ('', person)"""),
    Check("I6", "ordered-by-two", "Blank cards are ordered by two persons", "采购由两人办理", """
        SELECT 'order ' || id || ': ' || quote_literal(person) || ' and ' || quote_literal(approved_by)
        FROM stock_order WHERE state IN ('open', 'complete', 'ended') AND approved_by IN ('', person)"""),
    Check("I3", "delivered-as-received", "What came for an order is what its slips received", "到货数与入库单一致", """
        SELECT 'order ' || o.id || ': ' || o.delivered || ', received ' || coalesce(sum(s.quantity), 0)
        FROM stock_order o LEFT JOIN stock_slip s ON s.order_id = o.id
        GROUP BY o.id HAVING o.delivered <> coalesce(sum(s.quantity), 0)"""),
)
