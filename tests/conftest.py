"""Fixtures: databases under the app's own role, and nothing global left behind."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.utils import translation
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from decisions.intake import ladder
from tests import clock, databases
from tests.databases import Clone

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# No test is timed: how long an example takes is the machine's affair.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def template_database(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with django_db_blocker.unblock(), databases.template(os.environ.get("PYTEST_XDIST_WORKER", "main")) as name:
        yield name


@pytest.fixture(scope="session")
def django_db_setup(template_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests that roll back share one clone.

    Pytest-django's own set-up would need an app role that creates databases.
    """
    with django_db_blocker.unblock(), databases.clone(template_database):
        yield


@pytest.fixture
def committed_db(django_db_setup: None, template_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Clone]:
    """A database of its own, for tests that commit: races, workers, browsers."""
    with django_db_blocker.unblock(), databases.clone(template_database) as clone:
        yield clone


@pytest.fixture
def pretended_db(committed_db: Clone) -> Clone:
    """A database of its own whose clock `clock.pretended` sets."""
    clock.install()
    return committed_db


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """One browser for all browser tests of a worker."""
    from playwright.sync_api import Error, sync_playwright

    from tests.browser import chromium

    with sync_playwright() as playwright:
        try:
            started = chromium.launch(playwright)
        except Error as error:
            pytest.skip(f"no browser on this machine: {error.message.splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture(autouse=True)
def _clear_cache() -> Iterator[None]:
    yield
    cache.clear()
    ladder._kept.clear()


@pytest.fixture(autouse=True)
def _leave_language() -> Iterator[None]:
    """Go back to the site's language: a page read by the test client leaves its thread in the reader's."""
    yield
    translation.deactivate()
