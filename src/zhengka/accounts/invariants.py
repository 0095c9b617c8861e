"""What must never break among officers."""

from typing import Final

from zhengka.core.invariants import Check

CHECKS: Final = (
    Check("I6", "role-by-two-persons", "A role was asked for and permitted by two others",
          "岗位由他人申请、他人授权", """
        SELECT 'officer ' || id || ': asked by ' || quote_literal(asked_by) || ', permitted by '
               || quote_literal(permitted_by)
        FROM accounts_officer WHERE NOT installed AND state = 'active'
          AND (asked_by = '' OR permitted_by = '' OR asked_by = permitted_by OR person IN (asked_by, permitted_by))"""),
)
