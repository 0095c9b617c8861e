"""A case that a death ended goes on where it was, and nowhere else, once the death was found to be reported wrongly. A
death takes a public notice down before its last day.
"""

from django.db import migrations

BY_ITS_POLICY = """
CREATE OR REPLACE FUNCTION cases_by_its_policy() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE wrong record;
BEGIN
    WITH moved AS MATERIALIZED (
        SELECT DISTINCT a.policy, a.kind_of_case, a.minor, b.state AS source, a.state AS target,
               a.policy <> b.policy OR a.kind_of_case <> b.kind_of_case OR a.minor <> b.minor AS altered,
               b.state = 'publicised' AND a.state NOT IN ('publicised', 'objected'{ends})
                   AND NOT coalesce(b.notice_ends < (a.moved_at AT TIME ZONE 'Asia/Shanghai')::date, false) AS early
               {also}
        FROM before b JOIN after a ON a.id = b.id)
    SELECT * INTO wrong FROM moved m WHERE m.altered OR m.early OR (m.source <> m.target{unless} AND NOT EXISTS (
        SELECT FROM cases_way w WHERE w.policy = m.policy AND w.kind_of_case = m.kind_of_case AND w.minor = m.minor
                                  AND w.source = m.source AND w.target = m.target))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', CASE WHEN wrong.altered THEN 'kind, policy and minority of a case stay as they were'
            WHEN wrong.early THEN 'the public notice of a case has not stood for its full days'
            ELSE format('the policy %s has no way from %s to %s', wrong.policy, wrong.source, wrong.target) END
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
"""
RESUMED = """, CASE WHEN b.state = 'closed' AND a.state <> 'closed' THEN EXISTS (
                   SELECT FROM core_event e WHERE e.subject = 'case' AND e.subject_id = a.id AND e.version = b.version
                       AND e.action = 'end_by_death' AND e.source = a.state) ELSE false END AS resumed"""
"""Asked of a closed case alone: its last event says that a death ended it, and out of which state."""


def trigger(also: str = "", unless: str = "", ends: str = "") -> str:
    """The function behind the trigger, with more or fewer conditions."""
    return BY_ITS_POLICY.replace("{also}", also).replace("{unless}", unless).replace("{ends}", ends)


class Migration(migrations.Migration):
    """The way back from an end by death: read from the case's own last event, for no table of policies has it."""

    dependencies = [("cases", "0008_disputes"), ("core", "0007_parts_of_imports")]
    operations = [migrations.RunSQL(trigger(also=RESUMED, unless=" AND NOT m.resumed", ends=", 'closed'"), trigger())]
