"""What must never break in batches: as many come out as went in, each of one blank card, sent by two persons.

A blank is issued once its maker made a good card of it; where that card fails when it is looked at, it ends as a card,
and the ledger of blanks has it issued still.
"""

from typing import Final

from zhengka.core.invariants import Check

CHECKS: Final = (
    Check("I10", "batch-in-adds-up", "Ordered = prepared + held", "批次：订购＝可制＋暂缓", """
        SELECT 'batch ' || number || ': ' || ordered || ' <> ' || prepared || ' + ' || held FROM production_batch
        WHERE state IN ('prepared', 'sent', 'received', 'closed') AND ordered <> prepared + held"""),
    Check("I10", "batch-out-adds-up", "Prepared = good + spoiled + suspect", "批次：可制＝合格＋废卡＋存疑", """
        SELECT 'batch ' || number || ': ' || prepared || ' <> ' || good || ' + ' || spoiled || ' + ' || suspect
        FROM production_batch WHERE state IN ('received', 'closed') AND prepared <> good + spoiled + suspect"""),
    Check("I10", "batch-counts-its-cards", "The counts of a batch are its cards", "批次计数与卡一致", """
        SELECT 'batch ' || b.number || ': ' || b.ordered || '/' || b.held || '/' || b.good || '/' || b.spoiled || '/'
               || b.suspect || ', cards ' || i.n || '/' || i.held || '/' || i.good || '/' || i.spoiled || '/'
               || i.suspect
        FROM production_batch b JOIN (
            SELECT batch_id, count(*) AS n, count(*) FILTER (WHERE outcome = 'held') AS held,
                   count(*) FILTER (WHERE outcome = 'good') AS good,
                   count(*) FILTER (WHERE outcome = 'spoiled') AS spoiled,
                   count(*) FILTER (WHERE outcome = 'suspect') AS suspect FROM production_item GROUP BY 1) i
            ON i.batch_id = b.id
        WHERE b.state IN ('received', 'closed')
          AND (b.ordered, b.held, b.good, b.spoiled, b.suspect) <> (i.n, i.held, i.good, i.spoiled, i.suspect)"""),
    Check("I10", "card-made-once", "A card is made in one batch", "一张卡只在一个批次中制作", """
        SELECT 'card ' || card_id || ': items ' || string_agg(id::text, ', ' ORDER BY id) FROM production_item
        WHERE outcome <> 'held' GROUP BY card_id HAVING count(*) > 1"""),
    Check("I4", "good-cards-only", "A card that is ready or in use came good out of its batch",
          "待领、在用的卡均为验收合格", """
        SELECT 'card ' || k.id || ': ' || k.state || ', ' || i.outcome FROM cards_card k
        JOIN production_item i ON i.card_id = k.id AND i.outcome <> 'held'
        WHERE k.state IN ('ready', 'issued', 'active', 'suspended', 'frozen') AND i.outcome <> 'good'"""),
    Check("I6", "batch-sent-by-two", "A batch is prepared and sent by two persons", "批次准备与送制由两人办理", """
        SELECT 'batch ' || number || ': ' || quote_literal(prepared_person) || ' and ' || quote_literal(sent_person)
        FROM production_batch
        WHERE state IN ('sent', 'received', 'closed') AND sent_person IN ('', prepared_person)"""),
    Check("I3", "blank-of-one-card", "A blank card became one card", "一张空白卡只制一张卡", """
        SELECT 'blank ' || blank || ': items ' || string_agg(id::text, ', ' ORDER BY id) FROM production_item
        WHERE blank IS NOT NULL GROUP BY blank HAVING count(*) > 1"""),
    Check("I3", "good-card-has-its-blank", "A good card of a maker whose blanks are counted has its blank",
          "计数制卡单位的合格卡均有空白卡号", """
        SELECT 'batch ' || b.number || ' item ' || i.position FROM production_item i
        JOIN production_batch b ON b.id = i.batch_id
        WHERE b.machine_id IS NOT NULL AND i.outcome = 'good' AND i.blank IS NULL"""),
    Check("I3", "blanks-of-a-batch", "A batch used as many blanks as it made cards, and what was wasted beside them",
          "批次用卡＝制成＋废卡＋存疑＋途中废卡", """
        SELECT 'batch ' || b.number || ': ledger ' || u.issued || ' + ' || u.spoiled || ', cards ' || i.good || ' + '
               || i.bad || ', wasted ' || b.wasted
        FROM production_batch b CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE outcome = 'good' OR checked = 'failed') AS good,
                   count(blank) FILTER (WHERE outcome <> 'good' AND checked <> 'failed') AS bad
            FROM production_item WHERE batch_id = b.id) i CROSS JOIN LATERAL (
            SELECT coalesce(sum(quantity) FILTER (WHERE sort = 'issue'), 0) AS issued,
                   coalesce(sum(quantity) FILTER (WHERE sort = 'spoil'), 0) AS spoiled
            FROM stock_slip WHERE batch = b.number AND source_id = b.machine_id) u
        WHERE b.machine_id IS NOT NULL AND b.state IN ('received', 'closed')
          AND (u.issued <> i.good OR u.spoiled <> i.bad + b.wasted)"""),
    Check("I3", "issued-by-hand", "Blank cards became cards of a batch, no more than it has good ones",
          "制成登记有批次可查，且不多于其合格卡数", """
        SELECT 'batch ' || coalesce(nullif(u.batch, ''), 'without a number') || ': ledger ' || u.issued || ', cards '
               || coalesce(c.good, 0)
        FROM (SELECT batch, sum(quantity) AS issued FROM stock_slip WHERE sort = 'issue' GROUP BY 1) u
        LEFT JOIN (
            SELECT b.number, count(*) FILTER (WHERE i.outcome = 'good' OR i.checked = 'failed') AS good
            FROM production_batch b JOIN production_item i ON i.batch_id = b.id
            WHERE b.state IN ('received', 'closed') GROUP BY 1) c ON c.number = u.batch
        WHERE u.issued > coalesce(c.good, 0)"""),
    Check("I3", "blank-where-its-card-is", "The ledger has each blank where its card is: issued, spoiled or destroyed",
          "空白卡台账与卡的去向一致", """
        SELECT 'blank ' || i.blank || ': ' || coalesce(s.account, 'nowhere') || ', card ' || k.state
        FROM production_item i JOIN cards_card k ON k.id = i.card_id
        LEFT JOIN stock_span s ON s.serials @> i.blank AND upper_inf(s.during)
        WHERE i.blank IS NOT NULL AND coalesce(s.account, '') NOT IN (
            CASE WHEN i.outcome = 'good' OR i.checked = 'failed' THEN 'issued' ELSE 'destroyed' END,
            CASE WHEN i.outcome = 'good' OR i.checked = 'failed' THEN 'issued'
                 WHEN k.state = 'destroyed' THEN 'destroyed' ELSE 'spoiled' END)"""),
)
