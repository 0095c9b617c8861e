"""Every test that needs a database gets real PostgreSQL: DATABASE_URL's server, or the private cluster."""

import time

import pytest
from django.conf import settings as own
from django.db import connection

import emptying
import unlooked
from zhengka.cli import cluster

emptying.begin()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """Start the private cluster before Django makes the test database."""
    cluster.ensure()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The test database. At the end whoever is still connected is ended, and the server's own vacuum waited for:
    `DROP DATABASE` waits five seconds only, and then fails the last test, whichever it was.
    """
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for _ in range(300):
            cursor.execute("SELECT count(*), count(CASE WHEN backend_type = 'client backend' THEN "
                           "pg_terminate_backend(pid) END) FROM pg_stat_activity "
                           "WHERE datname = current_database() AND pid <> pg_backend_pid()")
            if cursor.fetchone()[0] == 0:
                break
            time.sleep(0.1)


@pytest.fixture(scope="session", autouse=True)
def ready_at_once(tmp_path_factory):
    """The cards of most tests are ready when their results come, whatever ships (`unlooked`)."""
    own.DATA = unlooked.make_data(tmp_path_factory.mktemp("unlooked") / "data")


@pytest.fixture
def empty_queue(transactional_db):
    """No job waits from an earlier test: the queue's tables are not Django's to empty."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs CASCADE")


@pytest.fixture
def as_web(db):
    """Call with a range of areas: the rest of the test runs as the web role, bound to them."""
    from zhengka.core.scope import enter

    return lambda lo, hi: enter(connection, lo, hi)


@pytest.fixture
def own_store(settings, tmp_path):
    """A key store of the test's own: what it destroys or rotates there, no other test misses or finds."""
    from ceremonies import use_store

    use_store("file", settings, tmp_path / "home")


@pytest.fixture(scope="session")
def token_home(tmp_path_factory):
    """The folder of this process's tokens; a token is one of SoftHSM."""
    import tokens

    folder = tmp_path_factory.mktemp("hsm")
    tokens.begin(folder)
    return folder


@pytest.fixture
def token(token_home):
    """The label of a new empty token."""
    import tokens

    return tokens.make_token()


@pytest.fixture(scope="session")
def pcsc(tmp_path_factory):
    """PC/SC of this process's own, with two virtual readers."""
    import readers

    service = readers.Room(tmp_path_factory.mktemp("pcsc"))
    yield service
    service.end()


@pytest.fixture
def room(pcsc):
    """The same, no card in it."""
    yield pcsc
    pcsc.empty()
    pcsc.mend()
