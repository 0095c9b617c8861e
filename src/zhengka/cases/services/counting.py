"""The counts that the database keeps beside the cases (`models.Tally`)."""

from django.db import connection

KEY = "area, policy, kind_of_case, minor, fronted, state, ended, day"
ADD_UP = f"""
WITH several AS (
    SELECT {KEY} FROM cases_tally
    GROUP BY {KEY} HAVING count(*) > 1
), taken AS (
    DELETE FROM cases_tally t USING several s
    WHERE ({', '.join(f't.{part}' for part in KEY.split(', '))}) = (s.*)
    RETURNING t.*
), added AS (
    INSERT INTO cases_tally ({KEY}, number)
    SELECT {KEY}, sum(number) FROM taken
    GROUP BY {KEY} HAVING sum(number) <> 0
)
SELECT count(*) FROM taken
"""


def add_up() -> int:
    """Put the rows of one office, line and day together; how many rows were taken for it.

    No count changes by it. A row that another run has taken is left to that one, and a row that comes meanwhile to the
    next one.
    """
    with connection.cursor() as cursor:
        cursor.execute(ADD_UP)
        taken: int = cursor.fetchone()[0]
        return taken
