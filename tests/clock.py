"""A database whose clock stands where a test puts it, so that a week of work takes a minute.

The house asks the database for the time, by `clock_timestamp()`. In a database of the test's own a function of that
name stands before PostgreSQL's in the search path of the session and of the functions that tell the time; everything
else is as it always is. Facts cannot be moved in time afterwards, so they are written at the time that they tell.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection

from tests.decisions.record import owner

PRETEND = """
    CREATE SCHEMA pretended;
    CREATE FUNCTION pretended.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
        AS $$ SELECT current_setting('pretended.at')::timestamptz $$;
    GRANT USAGE ON SCHEMA pretended TO PUBLIC;
    GRANT EXECUTE ON FUNCTION pretended.clock_timestamp TO PUBLIC;
"""
TELLING = """
    SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prosrc LIKE '%clock\\_timestamp%'
"""
PATH = "pretended, pg_catalog, public, pg_temp"


class Clock:
    """The time that the session of this thread believes in."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def set(self, at: datetime) -> None:
        """Make it so late."""
        self.at = at
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('pretended.at', %s, false)", [at.isoformat()])

    def pass_(self, span: timedelta) -> None:
        """Let time go by."""
        self.set(self.at + span)


def install() -> None:
    """Make the function, as the owner, in the database that the test may spoil."""
    with owner.session() as cursor:
        cursor.execute(PRETEND)
        cursor.execute(TELLING)
        for (name,) in cursor.fetchall():
            cursor.execute(f"ALTER FUNCTION {name} SET search_path = {PATH}")


@contextmanager
def pretended(at: datetime) -> Iterator[Clock]:
    """Let this thread's session believe that it is so late."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET search_path = {PATH}")
    try:
        yield Clock(at)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET search_path = DEFAULT")
