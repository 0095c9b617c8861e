"""What must never break in the life of cards."""

from typing import Final

from zhengka.cards.workflow import IN_PRODUCTION
from zhengka.core.invariants import Check

ON_THEIR_WAY: Final = ", ".join(f"'{state}'" for state in IN_PRODUCTION)


def _once(name: str, column: str, holds: str, holds_zh: str) -> Check:
    return Check("I4", name, holds, holds_zh, f"""
        SELECT 'cards ' || string_agg(id::text, ', ' ORDER BY id) FROM cards_card WHERE {column} IS NOT NULL
        GROUP BY {column} HAVING count(*) > 1""")


CHECKS: Final = (
    Check("I1", "one-usable-card", "A holder has at most one usable card", "一人至多一张可用的卡", """
        SELECT 'holder ' || holder_id || ': cards ' || string_agg(id::text, ', ' ORDER BY id) FROM cards_card
        WHERE state = 'active' GROUP BY holder_id HAVING count(*) > 1"""),
    Check("I1", "one-card-on-its-way", "A holder has at most one card on its way", "一人至多一张在制的卡", f"""
        SELECT 'holder ' || holder_id || ': cards ' || string_agg(id::text, ', ' ORDER BY id) FROM cards_card
        WHERE state IN ({ON_THEIR_WAY}) GROUP BY holder_id HAVING count(*) > 1"""),
    Check("I1", "usable-as-certified", "A usable card has a certificate that holds", "可用的卡有有效的证", """
        SELECT 'card ' || k.id || ': certificate ' || c.state FROM cards_card k
        JOIN registry_certificate c ON c.id = k.certificate_id
        WHERE k.state = 'active' AND c.state NOT IN ('valid', 'replaced')"""),
    _once("serial-once", "serial", "A card's serial is one card's", "卡序列号唯一"),
    _once("chip-once", "uid", "A chip is one card's", "芯片唯一号唯一"),
    _once("code-once", "token", "A QR code is one card's", "二维码令牌唯一"),
    Check("I4", "status-place-once", "A place in a status list is one card's", "状态表位置唯一", """
        SELECT 'cards ' || string_agg(id::text, ', ' ORDER BY id) FROM cards_card WHERE status_index IS NOT NULL
        GROUP BY status_list, status_index HAVING count(*) > 1"""),
    Check("I6", "card-destroyed-by-two", "A card is destroyed by two persons", "销毁卡片由两人办理", """
        SELECT 'card ' || id || ': ' || quote_literal(condemned_person) || ' and ' || quote_literal(destroyed_person)
        FROM cards_card WHERE state = 'destroyed'
          AND (condemned_person = '' OR destroyed_person IN ('', condemned_person))"""),
    Check("I13", "list-released-by-two", "A mass block is released by two persons", "批量冻结由两人放行", """
        SELECT 'list hold ' || id || ': ' || quote_literal(asked_person) || ' and ' || quote_literal(released_person)
        FROM cards_listhold WHERE state = 'released' AND (asked_person = '' OR released_person IN ('', asked_person))
        """),
    Check("I13", "held-back-once", "A card is held back from gates in one hold at most", "一张卡至多一项暂缓下发", """
        SELECT 'card ' || card_id || ': holds ' || string_agg(hold_id::text, ', ' ORDER BY hold_id)
        FROM cards_heldback WHERE out_at IS NULL GROUP BY card_id HAVING count(*) > 1"""),
    Check("I12", "loss-after-its-report", "A list tells of a loss after it was reported", "先挂失后下发", """
        SELECT 'loss ' || id || ' in status list ' || list_number || ' v' || number FROM cards_losstold
        WHERE written_at < reported_at"""),
    Check("I9", "signatures-counted", "A key has signed at least as often as cards bear its signature",
          "密钥签名次数不少于所签卡数", """
        SELECT 'key ' || y.id || ': ' || y.signatures || ' counted, ' || sum(g.cards) || ' cards' FROM keys_key y
        JOIN (SELECT unnest(p.keys) AS key, count(k.id) AS cards FROM cards_keygroup p
              JOIN cards_card k ON k.key_group_id = p.id AND k.credential IS NOT NULL GROUP BY p.id, 1) g
            ON g.key = y.id
        WHERE y.purpose = 'credential' GROUP BY y.id HAVING y.signatures < sum(g.cards)"""),
)
