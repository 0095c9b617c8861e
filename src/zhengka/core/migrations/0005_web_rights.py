"""The web's role begins with no right at all: each room's migration gives it what its pages need, and no more."""

from django.db import migrations

from zhengka.core.scope import allow

NOTHING = """
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM zhengka_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM zhengka_web;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM zhengka_web;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM zhengka_web;
"""
JOBS = "SELECT (id, queueing_lock, status), UPDATE (priority), INSERT"
"""To ask for a job and to hold one that waits, which takes the right to change some column. What a job is about, and
how it goes, is not for the web."""


class Migration(migrations.Migration):
    """Rights on events, sessions and the queue; none on what Django and the queue keep for themselves."""

    dependencies = [
        ("core", "0004_events_by_number"), ("sessions", "0001_initial"),
        ("procrastinate", "0041_post_retry_failed_job"),
        ("auth", "0012_alter_user_first_name_max_length"), ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunSQL([
        NOTHING,
        allow("SELECT, INSERT", "core_event"),
        allow("SELECT, INSERT, UPDATE, DELETE", "django_session"),
        allow(JOBS, "procrastinate_jobs"),
        allow("INSERT", "procrastinate_events"),
        allow("USAGE", "SEQUENCE procrastinate_jobs_id_seq, procrastinate_events_id_seq"),
    ], migrations.RunSQL.noop)]
