"""What must never break in cases."""

from typing import Final

from zhengka.cases.workflow import DECIDED
from zhengka.core.invariants import Check

DECIDED_STATES: Final = ", ".join(f"'{state}'" for state in sorted(DECIDED))

CHECKS: Final = (
    Check("I6", "decided-by-two", "A case is reviewed and approved by two persons", "审核、批准由两人办理", f"""
        SELECT 'case ' || id || ': ' || quote_literal(reviewer_person) || ' and ' || quote_literal(approver_person)
        FROM cases_case WHERE state IN ({DECIDED_STATES})
          AND (reviewer_person = '' OR approver_person IN ('', reviewer_person))"""),
    Check("I7", "minor-not-publicised", "No minor is in public notice", "未成年人不公示", """
        SELECT 'case ' || id FROM cases_case WHERE minor AND notice_from IS NOT NULL"""),
    Check("I7", "notice-stood-in-full", "A public notice stood to its last day before the case went on",
          "公示期满后方可办理", """
        SELECT 'case ' || c.id || ': ended ' || (e.at AT TIME ZONE 'Asia/Shanghai')::date || ', notice to '
               || c.notice_ends
        FROM cases_case c JOIN core_event e ON e.subject = 'case' AND e.subject_id = c.id AND e.action = 'end_notice'
        WHERE (e.at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN c.notice_from AND c.notice_ends
          AND NOT EXISTS (SELECT FROM core_event l WHERE l.subject = 'case' AND l.subject_id = c.id
                          AND l.version > e.version AND l.action = 'publish')"""),
    Check("I7", "ordered-has-card", "A case that ended in a card names it", "证卡同办的办件有卡", """
        SELECT 'case ' || id FROM cases_case WHERE state = 'ordered' AND card_id IS NULL"""),
    Check("I7", "cases-counted", "The counts of cases are the cases", "办件计数与办件一致", """
        SELECT 'area ' || coalesce(c.area, t.area) || ' ' || coalesce(c.state, t.state) || ': ' || coalesce(c.n, 0)
               || ' cases, counted ' || coalesce(t.n, 0)
        FROM (SELECT area, policy, kind_of_case, minor, shared_with IS NOT NULL AS fronted, state, count(*) AS n
              FROM cases_case GROUP BY 1, 2, 3, 4, 5, 6) c
        FULL JOIN (SELECT area, policy, kind_of_case, minor, fronted, state, sum(number) AS n
                   FROM cases_tally GROUP BY 1, 2, 3, 4, 5, 6) t
            USING (area, policy, kind_of_case, minor, fronted, state)
        WHERE coalesce(c.n, 0) <> coalesce(t.n, 0)"""),
)
