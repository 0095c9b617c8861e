"""A server whose login is no superuser: row-level security binds the platform's own role, too."""

import os
import subprocess
import sys
import uuid

import psycopg
import pytest
from django.conf import settings

pytestmark = [pytest.mark.xdist_group("restart"), pytest.mark.own_home]


@pytest.fixture
def plain_server(django_db_setup):
    """DATABASE_URL of a fresh database that belongs to a login without any special right."""
    at, name = settings.DATABASES["default"], f"plain_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(host=at["HOST"], port=at["PORT"] or None, user=at["USER"], dbname="postgres",
                         autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
        connection.execute("DO $$ BEGIN CREATE ROLE zhengka_web NOLOGIN; "
                           "EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        connection.execute(f"GRANT zhengka_web TO {name}")
        connection.execute(f"CREATE DATABASE {name} OWNER {name}")
        yield at["HOST"], name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")


def test_the_main_job_is_done_for_a_login_without_special_rights(plain_server, tmp_path):
    host, name = plain_server
    url = f"postgresql://{name}@{host.replace('/', '%2F')}/{name}"
    done = subprocess.run(
        [sys.executable, "-m", "zhengka.cli", "demo", "--scale", "0.0002"], capture_output=True, text=True, timeout=400,
        env=os.environ | {"ZHENGKA_HOME": str(tmp_path), "DATABASE_URL": url}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
