"""Weak settings stop every command."""

from typing import Any

import pytest
from django.conf import LazySettings

from reviewqueue import checks


def found(settings: LazySettings, **changes: Any) -> set[str | None]:
    for name, value in changes.items():
        setattr(settings, name, value)
    return {message.id for message in checks.secrets()}


def test_the_settings_of_tests_pass(settings: LazySettings) -> None:
    assert found(settings) == set()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"SECRET_KEY": "short"}, "reviewqueue.E001"),
        ({"SECRET_KEY": "a" * 80}, "reviewqueue.E001"),  # long and not random
        ({"AUDIT_SECRETS": {1: b"x" * 31}}, "reviewqueue.E002"),
        ({"AUDIT_SECRETS": {}}, "reviewqueue.E002"),
        ({"SUBJECT_SECRET": b"x" * 8}, "reviewqueue.E003"),
        ({"SECRET_BOX_KEYS": ["nonsense"]}, "reviewqueue.E004"),
        ({"SECRET_BOX_KEYS": []}, "reviewqueue.E004"),
    ],
)
def test_weak_settings_are_refused(settings: LazySettings, changes: dict[str, Any], fault: str) -> None:
    assert found(settings, **changes) == {fault}


def test_one_role_for_owner_and_app_is_refused(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["owner"], "USER", settings.DATABASES["default"]["USER"])
    assert found(settings, IS_OWNER_NAMED=True) == {"reviewqueue.E005"}


def test_debugging_allows_them(settings: LazySettings) -> None:
    assert found(settings, SECRET_KEY="short", DEBUG=True) == set()
