"""What must never break in bulk acts."""

from typing import Final

from zhengka.core.invariants import Check

CHECKS: Final = (
    Check("I10", "bulk-adds-up", "Rows looked at = done + left alone", "批量办理数＝已办＋未办", """
        SELECT 'act ' || id || ': ' || done || ' <> ' || moved || ' + ' || left_alone FROM bulk_act
        WHERE done <> moved + left_alone"""),
)
