"""What must never break among vouchers, logs of gates and statements."""

from typing import Final

from zhengka.core.invariants import Check

CHECKS: Final = (
    Check("I11", "voucher-counted-once", "Of the uses of one voucher one alone counts", "同一凭证只计一次", """
        SELECT 'voucher ' || encode(voucher, 'hex') || ': ' || count(*) FROM gates_visit
        WHERE kind = 'redeem' AND counted GROUP BY voucher HAVING count(*) > 1"""),
    Check("I11", "double-use-found", "Each use of a voucher but the one that counts is named as a double use",
          "重复核销全部列明", """
        SELECT 'event ' || v.id FROM gates_visit v
        WHERE v.kind = 'redeem' AND NOT v.counted AND NOT v.forked
          AND NOT EXISTS (SELECT FROM gates_doubleuse d WHERE d.again_id = v.id)"""),
    Check("I11", "voucher-as-its-log", "A voucher that a gate redeemed is redeemed", "已核销的凭证状态为已使用", """
        SELECT 'voucher ' || r.id || ': ' || r.state FROM gates_voucher r
        WHERE r.state <> 'redeemed'
          AND EXISTS (SELECT FROM gates_visit v WHERE v.voucher = r.code AND v.voucher <> '' AND v.kind = 'redeem')"""),
    Check("I11", "fork-named", "Events that contradict each other under one number are marked, and none is paid that "
          "was not paid before it was known", "同一序号的矛盾记录已标明，发现后不再支付", """
        SELECT 'gate ' || v.gate_id || ' number ' || v.seq FROM gates_visit v
        LEFT JOIN gates_statement s ON s.id = v.statement_id
        GROUP BY v.gate_id, v.seq HAVING count(*) > 1 AND NOT (
            bool_and(v.forked) AND NOT bool_or(v.counted AND coalesce(s.state, 'draft') IN ('draft', 'discarded')))"""),
    Check("I6", "statement-closed-by-two", "A statement was closed by another person than who made or sent it",
          "结算单由另一人办结", """
        SELECT 'statement ' || id FROM gates_statement
        WHERE state = 'closed' AND (closed_by IN (made_by, sent_by) OR closed_by = '')"""),
    Check("I14", "statement-adds-up", "A statement's amount is the sum of its lines", "结算金额等于明细之和", """
        SELECT 'statement ' || s.id || ': ' || s.fen FROM gates_statement s
        LEFT JOIN gates_statementline l ON l.statement_id = s.id
        WHERE s.state <> 'discarded' GROUP BY s.id HAVING s.fen <> coalesce(sum(l.fen), 0)"""),
    Check("I14", "statement-as-its-events", "A statement that was sent counts what its events count, less what was "
          "struck out of it", "已发送的结算单与其所含记录一致", """
        SELECT 'statement ' || s.id || ': ' || s.counted FROM gates_statement s
        WHERE s.state IN ('sent', 'disputed', 'agreed', 'closed') AND s.counted <> (
            SELECT count(*) FROM gates_visit v WHERE v.statement_id = s.id AND v.counted
               AND NOT (s.state IN ('agreed', 'closed') AND EXISTS (
                   SELECT FROM gates_dispute d WHERE d.visit_id = v.id AND d.statement_id = s.id
                      AND d.state = 'upheld')))"""),
)
