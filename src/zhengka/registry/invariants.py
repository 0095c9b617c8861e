"""What must never break among holders and certificates."""

from typing import Final

from zhengka.core.invariants import Check

CHECKS: Final = (
    Check("I2", "one-person-one-record", "One person is one record", "一人一档", """
        SELECT 'holders ' || string_agg(id::text, ', ' ORDER BY id) FROM registry_holder
        GROUP BY id_index HAVING count(*) > 1"""),
    Check("I2", "certificate-in-force-once", "A certificate number is in force once", "证号有效者唯一", """
        SELECT 'certificates ' || string_agg(id::text, ', ' ORDER BY id) FROM registry_certificate
        WHERE state IN ('valid', 'frozen') GROUP BY number_index HAVING count(*) > 1"""),
)
