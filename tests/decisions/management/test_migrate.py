"""`migrate` works as the owner of the tables, and only as another role than the application's."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from decisions.record import guards
from tests.databases import Clone
from tests.decisions.record import owner


def test_it_runs_again_without_a_change(committed_db: Clone) -> None:
    out = StringIO()
    call_command("migrate", stdout=out)
    assert "No migrations to apply" in out.getvalue()


def test_the_tables_belong_to_the_owner_the_cache_table_too(committed_db: Clone) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchall() == [(connections["owner"].settings_dict["USER"],)]
        cursor.execute("SELECT has_table_privilege('cache', 'SELECT, INSERT, UPDATE, DELETE')")
        assert cursor.fetchone() == (True,)


def test_the_application_may_not_own_its_tables(committed_db: Clone) -> None:
    with pytest.raises(CommandError, match="could change its own record"):
        call_command("migrate", database="default")


def test_on_a_developers_machine_one_role_will_do(committed_db: Clone, settings: Any) -> None:
    settings.DEBUG = True
    call_command("migrate", database="default", check_unapplied=True)


def test_the_applications_role_must_exist(committed_db: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "app_role", lambda: "nobody_here")
    with pytest.raises(guards.RoleMissing, match='no role "nobody_here"'):
        guards.grant(connections["owner"])


def test_the_migrations_can_be_taken_back_and_made_again(committed_db: Clone) -> None:
    call_command("migrate", "decisions", "0001", verbosity=0)
    assert owner.value("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'keep_%%'") == 0
    call_command("migrate", verbosity=0)
    assert owner.value("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'keep_%%'") > 20


def test_a_table_that_comes_later_is_within_reach(committed_db: Clone) -> None:
    with owner.session() as cursor:
        cursor.execute("CREATE TABLE later (id int)")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO later VALUES (1)")
        cursor.execute("SELECT * FROM later")
        assert cursor.fetchall() == [(1,)]
