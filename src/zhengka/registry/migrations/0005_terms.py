"""Certificates that are frozen, cancelled with a bar, restored; people who come in by an application."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.core.scope import allow
from zhengka.registry.workflow import CERTIFICATE

VALID_ONCE = models.Case(models.When(state__in=("valid", "frozen"), then=models.Value(0, models.BigIntegerField())),
                         default=models.F("id"))

ELSEWHERE = """
CREATE FUNCTION registry_certificates_of(person bytea)
RETURNS TABLE (category smallint, components jsonb, state text, barred_until date)
LANGUAGE plpgsql SECURITY DEFINER SET search_path TO public AS $$
DECLARE
    lo text := coalesce(current_setting('app.lo', true), '');
    hi text := coalesce(current_setting('app.hi', true), '');
BEGIN
    PERFORM set_config('app.lo', '0', true), set_config('app.hi', '999999999999', true);
    RETURN QUERY SELECT c.category, c.components, c.state, c.barred_until
        FROM registry_holder h JOIN registry_certificate c ON c.holder_id = h.id WHERE h.id_index = person;
    PERFORM set_config('app.lo', lo, true), set_config('app.hi', hi, true);
END $$;
GRANT EXECUTE ON FUNCTION registry_certificates_of(bytea) TO zhengka_web;
"""
"""One person is one record in the whole nation (I2): an office asks whether a person has a certificate anywhere, and
hears of it no more than what bars an application."""


class Migration(migrations.Migration):
    """States and the bar of a certificate; the web's role may add a person."""

    dependencies = [("registry", "0004_web_rights")]
    operations = [
        migrations.AddField("certificate", "barred_until", models.DateField(
            null=True, help_text="last day on which its category may not be applied for again")),
        migrations.RemoveConstraint("certificate", "certificate_valid_once"),
        migrations.RemoveConstraint("certificate", "certificate_state_known"),
        migrations.AddConstraint("certificate", models.UniqueConstraint(
            models.F("holder"), models.F("generation"), VALID_ONCE, name="certificate_valid_once")),
        migrations.AddConstraint("certificate", models.CheckConstraint(
            condition=Q(barred_until__isnull=True) | Q(state="cancelled"), name="certificate_bar_of_cancelled")),
        migrations.AddConstraint("certificate", models.CheckConstraint(
            condition=Q(state__in=sorted(CERTIFICATE.states)), name="certificate_state_known")),
        migrations.RunSQL([
            allow("SELECT, INSERT, UPDATE", "registry_holder"), allow("USAGE", "SEQUENCE registry_holder_ids"),
        ], migrations.RunSQL.noop),
        migrations.RunSQL(ELSEWHERE, "DROP FUNCTION registry_certificates_of(bytea)"),
    ]
