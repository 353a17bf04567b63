"""The fixtures that all tests stand on."""

import pytest
from django.db import connection

from tests.databases import Clone


@pytest.mark.django_db
def test_tests_run_under_the_apps_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("rq_app", False)


def test_a_clone_is_a_database_of_its_own(committed_db: Clone) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone() == (committed_db.name,)
