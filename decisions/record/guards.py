"""Who may do what to which table: the grants of the application's role, and triggers that bind everybody.

Migrations call this; so does every later migration that adds a table of facts. A test holds each table against it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import Model
from psycopg2 import sql

from decisions.models.facts import Fact
from decisions.record import digest

REFUSE = "decisions_refuse_change"
CHANGEABLE = ("SELECT", "INSERT", "UPDATE")
REMOVABLE = frozenset(
    {"pendinglabel", "request", "membership", "exclusion", "shift", "absence", "rollup", "token_queues"}
)
READ_ONLY = ("django_migrations",)


class RoleMissing(Exception):  # noqa: N818 - what is wrong, in the words of the message
    """The application's database role does not exist."""


@dataclass(frozen=True)
class Guard:
    """What may change in a table's rows: `free` columns to anything, `emptied` ones to nothing and never back."""

    table: str
    free: tuple[str, ...] = ()
    emptied: tuple[tuple[str, bool], ...] = ()  # column, and whether empty means NULL

    @property
    def is_sealed(self) -> bool:
        """Whether nothing at all may change."""
        return not self.free and not self.emptied


def app_role() -> str:
    """Return the role the application runs under."""
    return str(settings.DATABASES["default"]["USER"])


def own_models() -> list[type[Model]]:
    """Return every model that has a table of ours, those of many-to-many links too."""
    return list(apps.get_app_config("decisions").get_models(include_auto_created=True))


def fact_models() -> list[type[Fact]]:
    """Return the models whose rows never change."""
    return [model for model in own_models() if issubclass(model, Fact)]


def guard_of(model: type[Model]) -> Guard | None:
    """Return the guard of a model's table; None where rows may change freely."""
    name = str(model._meta.model_name)
    free = digest.FREE.get(name, ())
    emptied = tuple(
        (str(field.column), field.null) for field in model._meta.concrete_fields if field.name in digest.emptied(name)
    )
    if free or emptied or issubclass(model, Fact):
        return Guard(model._meta.db_table, free, emptied)
    return None


def guards() -> list[Guard]:
    """Return the guards of all tables that have one."""
    return [guard for model in own_models() if (guard := guard_of(model))]


def privileges(model: type[Model], columns: Collection[str] | None = None) -> tuple[str, ...]:
    """Return what the application's role may do to a model's table; `columns` are those it has so far, None = all."""
    guard = guard_of(model)
    if guard and guard.free:
        free = [name for name in guard.free if columns is None or name in columns]
        return ("SELECT", "INSERT", f"UPDATE ({', '.join(free)})")
    if guard:
        return ("SELECT", "INSERT")
    return (*CHANGEABLE, "DELETE") if model._meta.model_name in REMOVABLE else CHANGEABLE


def require_role(connection: BaseDatabaseWrapper, role: str) -> None:
    """Refuse to go on where the application's role is missing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            message = (
                f'The database has no role "{role}", which DATABASE_URL names. Make it first: '
                f"CREATE ROLE \"{role}\" LOGIN PASSWORD '...'; it needs no other right, the migrations grant them."
            )
            raise RoleMissing(message)


def is_one_role(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether the owner's connection and the application use the same role, so that grants hold nobody back."""
    return bool(connection.settings_dict["USER"] == app_role())


def grant(connection: BaseDatabaseWrapper) -> None:
    """Give the application's role exactly its rights on each table of ours that is there, and on later tables."""
    if is_one_role(connection):
        return
    require_role(connection, app_role())
    with connection.cursor() as cursor:
        known = set(connection.introspection.table_names(cursor))
        for statement in schema_grants():
            cursor.execute(statement)
        for model in own_models():
            if model._meta.db_table in known:
                described = connection.introspection.get_table_description(cursor, model._meta.db_table)
                columns = {column.name for column in described}
                for statement in table_grants(model._meta.db_table, privileges(model, columns)):
                    cursor.execute(statement)
        for table in READ_ONLY:
            for statement in table_grants(table, ("SELECT",)):
                cursor.execute(statement)


def schema_grants() -> Iterator[sql.Composable]:
    """Yield what lets the role use the schema and whatever other apps put there, and make nothing in it."""
    role = sql.Identifier(app_role())
    for text in (
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC, {}",
        "GRANT USAGE ON SCHEMA public TO {}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {}",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    ):
        yield sql.SQL(text).format(role)


def table_grants(table: str, rights: Sequence[str]) -> Iterator[sql.Composable]:
    """Yield what leaves the role those rights on a table and no other."""
    names = {"table": sql.Identifier(table), "role": sql.Identifier(app_role())}
    yield sql.SQL("REVOKE ALL ON {table} FROM PUBLIC, {role}").format(**names)
    yield sql.SQL("GRANT {rights} ON {table} TO {role}").format(rights=sql.SQL(", ".join(rights)), **names)


def protect(connection: BaseDatabaseWrapper) -> None:
    """Put triggers on the guarded tables that are there; they fire for everybody, the owner and replicas too."""
    with connection.cursor() as cursor:
        known = set(connection.introspection.table_names(cursor))
        cursor.execute(FUNCTION)
        for guard in guards():
            if guard.table in known:
                for statement in triggers(guard):
                    cursor.execute(statement)


def triggers(guard: Guard) -> Iterator[sql.Composable]:
    """Yield the statements that put a guard on its table."""
    whole = "UPDATE OR DELETE OR TRUNCATE" if guard.is_sealed else "DELETE OR TRUNCATE"
    yield from trigger(guard.table, "keep_rows", sql.SQL(f"BEFORE {whole}"), sql.SQL("FOR EACH STATEMENT"))
    if not guard.is_sealed:
        scope = sql.SQL("FOR EACH ROW WHEN ({})").format(breach(guard))
        yield from trigger(guard.table, "keep_columns", sql.SQL("BEFORE UPDATE"), scope)


def trigger(table: str, name: str, when: sql.Composable, scope: sql.Composable) -> Iterator[sql.Composable]:
    """Yield the statements that make one trigger and let no session setting switch it off."""
    names = {"name": sql.Identifier(name), "table": sql.Identifier(table), "refuse": sql.Identifier(REFUSE)}
    make = "CREATE OR REPLACE TRIGGER {name} {when} ON {table} {scope} EXECUTE FUNCTION {refuse}()"
    yield sql.SQL(make).format(when=when, scope=scope, **names)
    yield sql.SQL("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}").format(**names)


def breach(guard: Guard) -> sql.Composable:
    """Return the condition under which a row's change is refused."""
    others = sql.Literal([*guard.free, *(column for column, _ in guard.emptied)])
    kept = sql.SQL("(to_jsonb(OLD) - {0}::text[]) IS DISTINCT FROM (to_jsonb(NEW) - {0}::text[])").format(others)
    filled = [
        sql.SQL("(NEW.{0} IS DISTINCT FROM OLD.{0} AND NEW.{0} IS DISTINCT FROM {1})").format(
            sql.Identifier(column), sql.SQL("NULL" if is_null else "''")
        )
        for column, is_null in guard.emptied
    ]
    return sql.SQL(" OR ").join([kept, *filled])


FUNCTION = sql.SQL(
    """
    CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION '% on % refused: the record does not change', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Add a row that says what holds now; personal data goes by erasing the item.';
    END
    $$
    """
).format(sql.Identifier(REFUSE))


def make_erase(connection: BaseDatabaseWrapper) -> None:
    """Make the function through which an item's content goes."""
    make_function(connection, "decisions_erase_item", ERASE)


def make_function(connection: BaseDatabaseWrapper, name: str, text: str) -> None:
    """Make or replace a function of the database that the application may call and nobody else; migrations call this.

    One that answers with other columns than before is not replaced: a migration drops it first.
    """
    with connection.cursor() as cursor:
        cursor.execute(text)
        cursor.execute(f"REVOKE ALL ON FUNCTION public.{name} FROM PUBLIC")
        if not is_one_role(connection):
            grant = f"GRANT EXECUTE ON FUNCTION public.{name} TO {{}}"
            cursor.execute(sql.SQL(grant).format(sql.Identifier(app_role())))


ERASE = """
    CREATE OR REPLACE FUNCTION public.decisions_erase_item(erased bigint)
    RETURNS TABLE (notes integer, actions integer)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        held boolean;
        counted integer;
    BEGIN
        SELECT is_held INTO held FROM public.decisions_body WHERE item_id = erased FOR UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no item %', erased USING ERRCODE = 'no_data_found';
        END IF;
        IF held THEN
            RAISE EXCEPTION 'item % is on legal hold', erased USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        UPDATE public.decisions_body SET content = NULL, salt = NULL WHERE item_id = erased;
        UPDATE public.decisions_decision SET note = '' WHERE item_id = erased AND note <> '';
        GET DIAGNOSTICS notes = ROW_COUNT;
        UPDATE public.decisions_ruling SET note = '' WHERE item_id = erased AND note <> '';
        GET DIAGNOSTICS counted = ROW_COUNT;
        notes := notes + counted;
        UPDATE public.decisions_appeal SET statement = '' WHERE item_id = erased AND statement <> '';
        GET DIAGNOSTICS counted = ROW_COUNT;
        notes := notes + counted;
        UPDATE public.decisions_evidence SET note = '' WHERE item_id = erased AND note <> '';
        GET DIAGNOSTICS counted = ROW_COUNT;
        notes := notes + counted;
        UPDATE public.decisions_pendingoverride SET note = '', reply = ''
            WHERE item_id = erased AND (note <> '' OR reply <> '');
        GET DIAGNOSTICS counted = ROW_COUNT;
        notes := notes + counted;
        UPDATE public.decisions_action SET body = NULL, result_detail = ''
            WHERE item_id = erased AND (body IS NOT NULL OR result_detail <> '');
        GET DIAGNOSTICS actions = ROW_COUNT;
        RETURN NEXT;
    END
    $$
"""
