"""What must never break between the plant and a hand (I3), and between the persons who count and confirm (I6)."""

from typing import Final

from zhengka.core.invariants import Check

CHECKS: Final = (
    Check("I3", "packed-in-an-open-parcel", "A packed card is in a parcel that is closed and names it",
          "装包的卡都在未拆的包裹中，且列于清单", """
        SELECT 'card ' || k.card_id || ': parcel ' || p.id || ' is ' || p.state
        FROM custody_keeping k JOIN custody_parcel p ON p.id = k.parcel_id
        WHERE k.state = 'packed' AND (p.state IN ('unpacked', 'lost') OR NOT EXISTS (
            SELECT FROM custody_listed l WHERE l.parcel_id = p.id AND l.card_id = k.card_id))"""),
    Check("I3", "listed-is-its-quantity", "The list of a parcel names as many cards as were sealed in it",
          "装箱清单张数与包裹数量一致", """
        SELECT 'parcel ' || p.id || ': ' || p.quantity || ', listed ' || count(l.id)
        FROM custody_parcel p LEFT JOIN custody_listed l ON l.parcel_id = p.id
        GROUP BY p.id HAVING p.quantity <> count(l.id)"""),
    Check("I3", "opened-parcel-counted", "Of a parcel that was opened each line says what was found; of no other one",
          "已拆包裹逐张有清点结果，未拆的没有", """
        SELECT 'parcel ' || p.id || ' is ' || p.state || ', card ' || l.card_id || ': ' || quote_literal(l.outcome)
        FROM custody_parcel p JOIN custody_listed l ON l.parcel_id = p.id
        WHERE (p.state = 'unpacked') <> (l.outcome <> '')"""),
    Check("I3", "parcel-in-one-place", "A closed parcel is in one place, one that was opened or lost in none",
          "未拆包裹只在一处，已拆或遗失的不在任何一处", """
        SELECT 'parcel ' || p.id || ' is ' || p.state || ', in ' || count(s.id) || ' places'
        FROM custody_parcel p LEFT JOIN custody_stay s ON s.parcel_id = p.id AND s.until IS NULL
        GROUP BY p.id HAVING count(s.id) <> CASE WHEN p.state IN ('unpacked', 'lost') THEN 0 ELSE 1 END"""),
    Check("I3", "missing-has-its-case", "A card or booklet that is missing has a case that is not ended",
          "缺失的卡和旧证都有未结的异常", """
        SELECT 'card ' || k.card_id FROM custody_keeping k WHERE k.state = 'missing' AND NOT EXISTS (
            SELECT FROM custody_trouble t WHERE t.card_id = k.card_id AND t.sort = 'card-missing'
            AND t.state IN ('open', 'proposed'))
        UNION ALL
        SELECT 'booklet ' || b.id FROM custody_booklet b WHERE b.state = 'missing' AND NOT EXISTS (
            SELECT FROM custody_trouble t WHERE t.alarm = 'booklet-missing:v' || b.version || ':' || b.id
            AND t.state IN ('open', 'proposed'))"""),
    Check("I3", "collected-was-handed-over", "A card that was collected was handed over", "已领取的卡均已发放", """
        SELECT 'card ' || c.id || ' is ' || c.state FROM custody_keeping k JOIN cards_card c ON c.id = k.card_id
        WHERE k.state = 'collected' AND c.handed_over_at IS NULL"""),
    Check("I6", "card-lost-by-two", "A finished card is declared lost by two persons", "成品卡报失由两人办理", """
        SELECT 'card ' || k.card_id FROM custody_keeping k WHERE k.state = 'lost' AND NOT EXISTS (
            SELECT FROM custody_trouble t WHERE t.state = 'lost' AND t.person <> '' AND t.confirmed_by <> ''
            AND t.person <> t.confirmed_by AND (t.sort = 'card-missing' AND t.card_id = k.card_id
                                                OR t.sort = 'parcel-late' AND t.parcel_id = k.parcel_id))"""),
    Check("I6", "booklets-destroyed-by-two", "Old booklets are destroyed by two persons, each of whom counted them",
          "旧证销毁由两人清点办理", """
        SELECT 'batch ' || p.id || ': ' || p.quantity || ' by ' || quote_literal(p.person) || ', '
               || coalesce(p.counted, 0) || ' by ' || quote_literal(p.confirmed_by) || ', destroyed ' || count(b.id)
        FROM custody_pulping p LEFT JOIN custody_booklet b ON b.pulping_id = p.id AND b.state = 'destroyed'
        WHERE p.state = 'destroyed' GROUP BY p.id
        HAVING p.counted IS DISTINCT FROM p.quantity OR count(b.id) <> p.quantity
            OR p.confirmed_by IN ('', p.person)"""),
    Check("I6", "booklet-given-up-by-two", "That a booklet was not taken back after all is said by two persons",
          "旧证更正为未收回由两人办理", """
        SELECT 'booklet ' || e.subject_id || ': version ' || e.version FROM core_event e
        WHERE e.subject = 'booklet' AND e.action = 'give_up' AND NOT EXISTS (
            SELECT FROM custody_trouble t WHERE t.alarm = 'booklet-missing:v' || e.version - 1 || ':' || e.subject_id
            AND t.state = 'lost' AND t.person <> '' AND t.confirmed_by NOT IN ('', t.person))"""),
)
