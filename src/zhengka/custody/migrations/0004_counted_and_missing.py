"""Cards at a counter are counted; an old booklet that is not there is the business of a case that two persons end."""

from typing import Final

from django.db import migrations, models
from django.db.models import Q

SORTS: Final = {
    "card-missing": "缺卡", "card-strange": "多出的卡", "card-swapped": "串包的卡",
    "card-astray": "卡出现在不应在的单位",
    "seal-differs": "封签不符", "parcel-astray": "包裹到错单位", "parcel-late": "包裹超时",
    "booklet-missing": "旧证缺失"}
BY_TWO = """
CREATE FUNCTION custody_booklet_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM custody_trouble WHERE state = 'lost'
                   AND alarm = 'booklet-missing:v' || OLD.version || ':' || OLD.id) THEN
        RAISE EXCEPTION 'no two persons said that booklet % was not taken back', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_booklet_by_two BEFORE UPDATE ON custody_booklet
    FOR EACH ROW WHEN (NEW.state = 'absent' AND OLD.state <> 'absent') EXECUTE FUNCTION custody_booklet_by_two();
"""


class Migration(migrations.Migration):
    """States, sorts of cases, and the trigger that wants the case."""

    dependencies = [("custody", "0003_proved")]
    operations = [
        *(migrations.RemoveConstraint(model_name=model, name=name) for model, name in (
            ("booklet", "booklet_state_known"), ("booklet", "booklet_absent_why"), ("booklet", "booklet_listed_once"),
            ("trouble", "custody_case_sort_known"))),
        migrations.AddField("keeping", "counted_at", models.DateTimeField(
            null=True, help_text="when it was last seen there as the cards were counted")),
        migrations.AlterField("trouble", "sort", models.TextField(choices=list(SORTS.items()))),
        migrations.AddConstraint("booklet", models.CheckConstraint(
            condition=Q(state__in=["absent", "destroyed", "held", "listed", "missing"]), name="booklet_state_known")),
        migrations.AddConstraint("booklet", models.CheckConstraint(
            condition=~Q(state__in=("missing", "absent")) | ~Q(why_not=""), name="booklet_absent_why")),
        migrations.AddConstraint("booklet", models.CheckConstraint(
            condition=Q(state__in=("listed", "destroyed"), pulping__isnull=False)
            | Q(state__in=("held", "missing", "absent"), pulping=None), name="booklet_listed_once")),
        migrations.AddConstraint("trouble", models.CheckConstraint(
            condition=Q(sort__in=sorted(SORTS)), name="custody_case_sort_known")),
        migrations.RunSQL(BY_TWO, "DROP FUNCTION custody_booklet_by_two CASCADE"),
    ]
