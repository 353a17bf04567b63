"""Nobody changes a fact: not the application's role by any statement, not the owner by an ordinary one."""

from typing import Any

import psycopg2
import pytest
from django.db import DatabaseError, connection, transaction

from decisions.models import Action, Body, Decision, Fact, Policy, Ruling
from decisions.record import digest, guards
from tests.databases import Clone
from tests.decisions.record import owner
from tests.factories import NOON, make_item, make_queue, make_task, make_user

# {t} a table of facts, {c} one of its columns, {owner} the role it belongs to
TAMPERING = {
    "update": "UPDATE {t} SET {c} = {c}",
    "delete": "DELETE FROM {t}",
    "truncate": "TRUNCATE {t} CASCADE",
    "update in a CTE": "WITH changed AS (UPDATE {t} SET {c} = {c} RETURNING 1) SELECT * FROM changed",
    "merge": "MERGE INTO {t} USING (SELECT 1) one ON true WHEN MATCHED THEN DELETE",
    "upsert": "INSERT INTO {t} SELECT * FROM {t} ON CONFLICT (id) DO UPDATE SET {c} = EXCLUDED.{c}",
    "lock a row": "SELECT * FROM {t} FOR UPDATE",
    "lock the table": "LOCK TABLE {t} IN ACCESS EXCLUSIVE MODE",
    "switch triggers off": "ALTER TABLE {t} DISABLE TRIGGER ALL",
    "drop the trigger": "DROP TRIGGER keep_rows ON {t}",
    "a trigger of one's own": "CREATE TRIGGER a BEFORE INSERT ON {t} EXECUTE FUNCTION decisions_refuse_change()",
    "another trigger function": (
        "CREATE OR REPLACE FUNCTION decisions_refuse_change() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN NEW; END $$"
    ),
    "drop the table": "DROP TABLE {t} CASCADE",
    "drop a column": "ALTER TABLE {t} DROP COLUMN {c}",
    "rename the table": "ALTER TABLE {t} RENAME TO elsewhere",
    "take the table": "ALTER TABLE {t} OWNER TO CURRENT_USER",
    "pose as a replica": "SET session_replication_role = replica",
    "become the owner": "SET ROLE {owner}",
    "log in as the owner": "SET SESSION AUTHORIZATION {owner}",
    "take over from the owner": "REASSIGN OWNED BY {owner} TO CURRENT_USER",
    "copy from a program": "COPY {t} FROM PROGRAM 'true'",
    "a rule": "CREATE RULE nothing AS ON INSERT TO {t} DO INSTEAD NOTHING",
    "a table in the way": "CREATE TABLE public.in_the_way AS SELECT * FROM {t}",
    "grant oneself": "GRANT ALL ON {t} TO CURRENT_USER; UPDATE {t} SET {c} = {c}",
    "row security": "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY",
}
FACTS = [pytest.param(model, id=str(model._meta.model_name)) for model in guards.fact_models()]
# Where a note can be erased the trigger looks at each row: shown column by column further down.
BY_THE_OWNER = [
    pytest.param(model, name, id=f"{model._meta.model_name}-{name}")
    for model in guards.fact_models()
    for name in ("delete", "truncate", "merge", "update", "upsert", "update in a CTE")
    if name in {"delete", "truncate", "merge"} or not digest.emptied(str(model._meta.model_name))
]
CHANGEABLE = [pytest.param(model, id=str(model._meta.model_name)) for model in (Body, Policy, Action, Decision, Ruling)]


def a_column(model: type[Any]) -> str:
    return str(next(field.column for field in model._meta.concrete_fields if not field.primary_key))


def test_the_facts_are_the_tables_that_the_design_says_never_change() -> None:
    named = {model._meta.model_name for model in guards.fact_models()}
    assert named >= {"item", "score", "move", "decision", "ruling", "event", "label", "intake", "delivery"}
    assert len(TAMPERING) >= 15


@pytest.mark.django_db
@pytest.mark.parametrize("statement", TAMPERING.values(), ids=TAMPERING)
@pytest.mark.parametrize("model", FACTS)
def test_the_application_cannot_tamper(model: type[Fact], statement: str) -> None:
    text = statement.format(t=model._meta.db_table, c=a_column(model), owner="rq_owner")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text)


@pytest.mark.django_db
@pytest.mark.parametrize("model", FACTS)
def test_the_application_may_select_and_insert_facts_only(model: type[Fact]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee IN (current_user, 'PUBLIC') AND table_name = %s",
            [model._meta.db_table],
        )
        assert {row[0] for row in cursor.fetchall()} == {"SELECT", "INSERT"}


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "name"), BY_THE_OWNER)
def test_triggers_bind_the_owner_too(model: type[Fact], name: str) -> None:
    text = TAMPERING[name].format(t=model._meta.db_table, c=a_column(model))
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="does not change"), owner.session() as cursor:
        cursor.execute(text)


@pytest.mark.django_db
def test_no_session_setting_switches_a_guard_off() -> None:
    expected = {(guard.table, "keep_rows") for guard in guards.guards()}
    expected |= {(guard.table, "keep_columns") for guard in guards.guards() if not guard.is_sealed}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgenabled = 'A'")
        assert set(cursor.fetchall()) == expected


@pytest.mark.django_db
def test_the_application_removes_only_what_may_go() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.role_table_grants"
            " WHERE grantee = current_user AND privilege_type = 'DELETE' AND table_name LIKE 'decisions_%'"
        )
        removable = {row[0].removeprefix("decisions_") for row in cursor.fetchall()}
    assert removable == guards.REMOVABLE


@pytest.mark.django_db
def test_no_right_to_truncate_or_to_make_anything() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_schema_privilege('public', 'CREATE'), has_database_privilege(current_database(), 'CREATE'),"
            " count(*) FILTER (WHERE has_table_privilege(oid, 'TRUNCATE, REFERENCES, TRIGGER'))"
            " FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        assert cursor.fetchone() == (False, False, 0)


@pytest.fixture
def rows(committed_db: Clone) -> dict[str, Any]:
    """One committed row in each table of which only some columns may change."""
    queue = make_queue()
    item = make_item(queue)
    task, person = make_task(queue, item), make_user()
    common = {"queue": queue, "item": item, "person": person, "outcome": "spam", "note": "I know him", "at": NOON}
    decision = Decision.objects.create(
        task=task,
        round=1,
        purpose="soft",
        queue_version=item.queue_version,
        claimed_at=NOON,
        note_digest=b"d",
        **common,
    )
    ruling = Ruling.objects.create(
        no=1, truth="positive", source="decision", final_at=NOON, decision=decision, **common
    )
    action = Action.objects.create(
        queue=queue, item=item, name="flag", body=b"{}", due_at=NOON, next_at=NOON, created_at=NOON
    )
    return {
        "body": item.body,
        "policy": Policy.objects.get(),
        "action": action,
        "decision": decision,
        "ruling": ruling,
    }


@pytest.mark.parametrize("model", CHANGEABLE)
def test_the_owner_changes_no_kept_column(rows: dict[str, Any], model: type[Any]) -> None:
    name = str(model._meta.model_name)
    kept = [field.column for field in model._meta.concrete_fields if field.name not in digest.left_out(name)]
    for column in kept:
        text = f'UPDATE {model._meta.db_table} SET "{column}" = {other_value(rows[name], column)}'
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="does not change"), owner.session() as cursor:
            cursor.execute(text)


def other_value(row: Any, column: str) -> str:
    """Return another value for a column, as SQL."""
    field = next(field for field in row._meta.concrete_fields if field.column == column)
    kind = field.get_internal_type()
    if kind == "DateTimeField":
        return f"coalesce({column}, now()) + interval '1 second'"
    if kind in {"CharField", "TextField"}:
        return f"'x' || left({column}, 3)"
    if kind == "BinaryField":
        return f"coalesce({column}, '') || '\\x00'::bytea"
    if kind == "BooleanField":
        return f"NOT {column}"
    if kind == "JSONField":
        return "'[7]'"
    return f"coalesce({column}, 0) + 1"


@pytest.mark.parametrize("model", [Body, Action, Decision, Ruling])
def test_what_erasing_empties_cannot_be_filled_or_rewritten(rows: dict[str, Any], model: type[Any]) -> None:
    name = str(model._meta.model_name)
    for column in digest.emptied(name):
        text = f"UPDATE {model._meta.db_table} SET {column} = {other_value(rows[name], column)}"
        with pytest.raises(psycopg2.errors.InsufficientPrivilege), owner.session() as cursor:
            cursor.execute(text)


def test_the_columns_of_work_may_change(rows: dict[str, Any]) -> None:
    assert Body.objects.update(is_held=True) == 1
    assert Policy.objects.update(state=Policy.State.RETIRED, retired_at=NOON) == 1
    assert Action.objects.update(state=Action.State.DELIVERED, attempts=1, delivered_at=NOON) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions_body SET content = NULL",
        "UPDATE decisions_action SET body = NULL",
        "UPDATE decisions_decision SET note = ''",
        "UPDATE decisions_policy SET hard = 0",
        "DELETE FROM decisions_user",
        "DELETE FROM decisions_task",
        "DELETE FROM decisions_body",
        "DELETE FROM decisions_action",
        "DELETE FROM django_migrations",
    ],
)
@pytest.mark.django_db
def test_the_application_empties_and_removes_nothing_by_itself(statement: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_the_worked_table_leaves_room_for_its_next_versions() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'decisions_task'")
        assert {"fillfactor=70", "autovacuum_vacuum_scale_factor=0.01"} <= set(cursor.fetchone()[0])


@pytest.mark.django_db
def test_functions_name_their_search_path() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname, proconfig FROM pg_proc WHERE proname LIKE 'decisions%'")
        found = dict(cursor.fetchall())
    path = ["search_path=pg_catalog, pg_temp"]
    names = ("refuse_change", "erase_item", "moves", "caller", "admit", "append")
    # The rule of reach names tables as it does elsewhere; these two run as who calls them.
    own = ["search_path=pg_catalog, public, pg_temp", "plan_cache_mode=force_generic_plan"]
    claims = {"decisions_claim": own, "decisions_waits": own}
    assert found == {f"decisions_{name}": path for name in names} | claims
