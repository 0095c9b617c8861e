"""What the clock of a move does to a certificate rests on two persons; a holder has one open departure. Where somebody
has several that are open, the one goes on that the other office has taken up, else the one that was opened last.
"""

from django.db import migrations, models
from django.db.models import Q

from zhengka.cases.workflow import DEPARTURES

OWN = "ALTER TABLE cases_case {} ROW LEVEL SECURITY"
BEFORE = "UPDATE cases_case SET witness_person = 'system' WHERE state IN ('frozen', 'lapsed') AND approver_person = ''"

CLOSE_OLDER = f"""
WITH several AS (
    SELECT id, counterpart_id, row_number() OVER (
        PARTITION BY person_index ORDER BY counterpart_id IS NULL, opened_at DESC, id DESC) AS place
    FROM cases_case WHERE ended_at IS NULL AND kind_of_case IN ({", ".join(f"'{kind}'" for kind in DEPARTURES)})
), older AS (
    SELECT id, state FROM cases_case
    WHERE ended_at IS NULL AND (id IN (SELECT id FROM several WHERE place > 1)
                                OR id IN (SELECT counterpart_id FROM several WHERE place > 1))
), closed AS (
    UPDATE cases_case c SET state = 'closed', version = c.version + 1, ended_at = now(), moved_at = now(), due_on = NULL
    FROM older o WHERE c.id = o.id
    RETURNING c.id, c.province, c.area, c.shared_with, c.version, o.state AS source
)
INSERT INTO core_event (province, area, shared_with, subject, subject_id, version, action, source, target,
                        actor_id, actor_name, person, request_id, at, facts)
SELECT province, area, shared_with, 'case', id, version, 'close', source, 'closed', NULL, 'zhengka', 'system',
       md5('cases.0011:' || id)::uuid, now(), '{{"reason": "case-open"}}'::jsonb FROM closed
"""
"""With the event of each, in which the platform says why. An arrival of one that is closed is closed with it."""
BY_THE_PLATFORM = (
    OWN.format("NO FORCE"), "ALTER TABLE core_event NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE cases_case DISABLE TRIGGER cases_by_its_policy", CLOSE_OLDER,  # no table of a policy has this way
    "SET CONSTRAINTS ALL IMMEDIATE",  # a table with checks that are yet to come is not altered
    "ALTER TABLE cases_case ENABLE TRIGGER cases_by_its_policy", "ALTER TABLE core_event FORCE ROW LEVEL SECURITY",
    OWN.format("FORCE"), "SET CONSTRAINTS ALL DEFERRED")


class Migration(migrations.Migration):
    """Who confirmed the day of a move; where the clock acted before anybody was asked, the platform did."""

    dependencies = [("cases", "0010_recalls")]
    operations = [
        migrations.AddField("case", "witness_person", models.TextField(
            blank=True, default="", db_default="", help_text="of a departure: who confirmed the day of the move")),
        migrations.RunSQL([OWN.format("NO FORCE"), BEFORE, OWN.format("FORCE")], migrations.RunSQL.noop),
        migrations.AddConstraint("case", models.CheckConstraint(
            condition=~Q(state__in=["frozen", "lapsed"]) | ~Q(witness_person="") | ~Q(approver_person=""),
            name="case_left_behind_by_two")),
        migrations.RunSQL(list(BY_THE_PLATFORM), migrations.RunSQL.noop),
        migrations.AddConstraint("case", models.UniqueConstraint(
            fields=["person_index"], name="case_departs_once", condition=Q(
                ended_at__isnull=True, kind_of_case__in=DEPARTURES))),
    ]
