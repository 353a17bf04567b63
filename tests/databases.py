"""Databases for tests: one migrated template a worker, and clones of it that tests may commit to."""

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg2
from django.core.management import call_command
from django.db import connections

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Clone:
    """A database of one test: its name and the addresses under which other processes reach it."""

    name: str

    @property
    def url(self) -> str:
        return _with_name(os.environ["DATABASE_URL"], self.name)

    @property
    def owner_url(self) -> str:
        return _with_name(os.environ["DATABASE_OWNER_URL"], self.name)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process that works on this database."""
        return {**os.environ, "DATABASE_URL": self.url, "DATABASE_OWNER_URL": self.owner_url}


def _with_name(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _maintain(*statements: str) -> None:
    connection = psycopg2.connect(os.environ["DATABASE_OWNER_URL"])
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


def _drop(name: str) -> None:
    """Remove a database and end who uses it; a vacuum that is at work in it is not ours to end, and waited for."""
    for _ in range(100):
        try:
            return _maintain(f'DROP DATABASE "{name}" WITH (FORCE)')
        except (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ObjectInUse):
            time.sleep(0.2)
    message = f"The database {name} stayed in use."
    raise TimeoutError(message)


def _point_to(name: str) -> None:
    connections.close_all()
    for alias in ("default", "owner"):
        connections.settings[alias]["NAME"] = name


@contextmanager
def template(worker: str) -> Iterator[str]:
    """Make this worker's template: an empty database, migrated by the owner role."""
    name = f"rq_{worker}_{os.getpid()}_template"
    _maintain(f'CREATE DATABASE "{name}"')
    try:
        _point_to(name)
        call_command("migrate", verbosity=0)
        connections.close_all()
        yield name
    finally:
        _drop(name)


@contextmanager
def clone(of: str) -> Iterator[Clone]:
    """Make a database like the template and point Django at it; gone afterwards."""
    before = connections.settings["default"]["NAME"]
    made = Clone(f"{of.removesuffix('_template')}_{next(_numbers)}")
    connections.close_all()
    _maintain(f'CREATE DATABASE "{made.name}" TEMPLATE "{of}"')
    try:
        _point_to(made.name)
        yield made
    finally:
        _point_to(before)
        _drop(made.name)
