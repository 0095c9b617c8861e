"""What must never break among keys and their ceremonies."""

from typing import Final

from zhengka.core.invariants import Check

CHECKS: Final = (
    Check("I6", "ceremony-by-two-persons", "A ceremony was done by as many persons as it needs, two or more",
          "密钥仪式由足够的人到场完成", """
        SELECT 'ceremony ' || c.id || ': ' || count(DISTINCT s.person) || ' of ' || c.needed
        FROM keys_ceremony c LEFT JOIN keys_seat s
            ON s.ceremony_id = c.id AND s.done_at IS NOT NULL AND s.person <> c.led_by
        WHERE c.state = 'done' GROUP BY c.id HAVING count(DISTINCT s.person) < greatest(c.needed, 2)"""),
    Check("I6", "key-works-once", "One version of a key works at a time", "同一密钥只有一个版本在用", """
        SELECT 'keys ' || string_agg(id::text, ', ' ORDER BY id) FROM keys_key WHERE state = 'active'
        GROUP BY purpose, suite, area, slot HAVING count(*) > 1"""),
)
