"""The counts that the database keeps beside the cases (`models.Tally`)."""

from django.db import connection

ADD_UP = """
WITH several AS (
    SELECT area, kind_of_case, state, ended, day FROM cases_tally
    GROUP BY area, kind_of_case, state, ended, day HAVING count(*) > 1
), taken AS (
    DELETE FROM cases_tally t USING several s
    WHERE (t.area, t.kind_of_case, t.state, t.ended, t.day) = (s.area, s.kind_of_case, s.state, s.ended, s.day)
    RETURNING t.*
), added AS (
    INSERT INTO cases_tally (area, kind_of_case, state, ended, day, number)
    SELECT area, kind_of_case, state, ended, day, sum(number) FROM taken
    GROUP BY area, kind_of_case, state, ended, day HAVING sum(number) <> 0
)
SELECT count(*) FROM taken
"""


def add_up() -> int:
    """Put the rows of one office, kind, state and day together; how many rows were taken for it.

    No count changes by it. A row that another run has taken is left to that one, and a row that comes meanwhile to the
    next one.
    """
    with connection.cursor() as cursor:
        cursor.execute(ADD_UP)
        taken: int = cursor.fetchone()[0]
        return taken
