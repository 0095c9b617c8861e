"""What is written to the log."""

import logging
import sys

from zhengka.config.logs import Line

SAID = ('new row violates check constraint "holder_sex_known"\nDETAIL:  Failing row contains (1, 田野, 1961-03-05).\n'
        'CONTEXT:  COPY registry_holder, line 7, column name: "田野"')


def test_a_fault_of_the_database_is_logged_without_the_row_that_it_quotes():
    try:
        raise ValueError(SAID)
    except ValueError:
        record = logging.LogRecord("zhengka", logging.ERROR, "", 1, "a job failed", None, sys.exc_info())
    written = Line("%(levelname)s %(message)s").format(record)
    assert "田野" in logging.Formatter().format(record)
    assert "田野" not in written and "1961" not in written
    assert "ERROR a job failed" in written and "holder_sex_known" in written and "DETAIL: left out" in written


def test_the_site_and_its_workers_log_by_it(settings):
    assert settings.LOGGING["formatters"]["line"]["()"] == f"{Line.__module__}.{Line.__name__}"
    assert settings.LOGGING["root"]["handlers"] == ["console"]
