"""What the docs claim."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
READ = re.compile(r'env\.(?:str|bool|int|list|json|db)\(\s*"([A-Z_]+)"')


def test_settings_page_lists_every_variable_and_no_other() -> None:
    read = set(READ.findall((ROOT / "reviewqueue/settings.py").read_text()))
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    assert told == read


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


@pytest.mark.parametrize("page", ["README.md", "docs/README.md", "docs/operations.md"])
def test_links_lead_to_files(page: str) -> None:
    text = (ROOT / page).read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert links
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []


def test_readme_names_only_make_targets_that_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", (ROOT / "README.md").read_text()))
    assert named
    assert named <= targets


def test_readme_names_only_commands_that_are_there() -> None:
    from django.core.management import get_commands

    text = (ROOT / "README.md").read_text() + (ROOT / "docs/operations.md").read_text()
    named = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert named
    assert named <= set(get_commands())
