"""What must never break among holders and certificates."""

from typing import Final

from zhengka.core.invariants import Check

CHECKS: Final = (
    Check("I2", "one-person-one-record", "One person is one record", "一人一档", """
        SELECT 'holders ' || string_agg(id::text, ', ' ORDER BY id) FROM registry_holder
        GROUP BY id_index HAVING count(*) > 1"""),
    Check("I2", "certificate-in-force-once", "A number is in force once in each generation",
          "同代证件中证号有效者唯一", """
        SELECT 'certificates ' || string_agg(id::text, ', ' ORDER BY id) FROM registry_certificate
        WHERE state IN ('valid', 'frozen') GROUP BY number_index, generation HAVING count(*) > 1"""),
    Check("I2", "certificate-of-a-person-once", "A person has one certificate of a generation in force",
          "一人同代有效证件唯一", """
        SELECT 'holder ' || holder_id || ': certificates ' || string_agg(id::text, ', ' ORDER BY id)
        FROM registry_certificate WHERE state IN ('valid', 'frozen') GROUP BY holder_id, generation
        HAVING count(*) > 1"""),
)
