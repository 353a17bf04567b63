"""The catalogue tool finds every text and every fault."""

import ast
from pathlib import Path

import polib
import pytest
from django.utils.translation.template import templatize

from tools import messages
from tools.messages import Text


def test_texts_of_a_template_are_found() -> None:
    source = templatize(
        """<p title="{% translate 'A “quoted” (one)' %}">
        {% blocktranslate count n=x %}{{ n }} row{% plural %}{{ n }} rows{% endblocktranslate %}
        {% translate "May" context "month" %}{% firstof word _("Hard") %}</p>"""
    )
    assert set(messages.in_source(source)) == {
        Text("A “quoted” (one)"),
        Text("%(n)s row", "%(n)s rows"),
        Text("May", context="month"),
        Text("Hard"),
    }


def test_texts_of_code_and_docstrings_of_refusals_are_found() -> None:
    tree = ast.parse(
        '''
class TooMany(Conflict):
    """There are too many."""
class Conflict(Refused):
    """It changed."""
class Other:
    """Nobody sees this."""
say(_("one " "text"), ngettext("a day", "days", n), pgettext("noun", "mark"), _(variable))
'''
    )
    assert list(messages.in_tree(tree)) == [Text("one text"), Text("a day", "days"), Text("mark", context="noun")]
    found = {text.msgid for _, text in messages.refusals({Path("x.py"): tree})}
    assert found == {"There are too many.", "It changed."}


# what a person would read, and what only looks like it
@pytest.mark.parametrize(
    ("html", "bare"),
    [
        ("<p>Hello {{ name }}</p>", ["Hello"]),
        ('<a title="Go there">{% translate "x" %}</a>', ["Go there"]),
        ("<p>{% blocktranslate %}Hello{% endblocktranslate %}</p>", []),
        ('<div class="panel" data-word="agree">{# a note #}<kbd>Enter</kbd>&nbsp;–</div>', []),
        ("<h1>Review Queue</h1>", []),
    ],
)
def test_words_outside_a_translation_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, html: str, bare: list[str]
) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(html)
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    assert [line.rpartition(": ")[2] for line in messages.bare_words()] == bare


def test_a_text_that_stands_elsewhere_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "decisions").mkdir()
    (tmp_path / "decisions" / "exceptions.py").write_text("say(_(type(self).__doc__))")
    (tmp_path / "decisions" / "other.py").write_text("""say(_("one"), _(title), _(f"{n} days"))""")
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    assert [line.rpartition(": ")[2] for line in messages.variables()] == ["_(title)", "_(f'{n} days')"]


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A complete catalogue of two texts."""
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    messages.update("zh_Hans", {Text("Yes"): {"a.html"}, Text("%(n)s days"): {"a.html"}})
    path = tmp_path / "locale/zh_Hans/LC_MESSAGES/django.po"
    change(path, {"Yes": "是", "%(n)s days": "%(n)s 天"})
    messages.update("zh_Hans", {Text("Yes"): {"a.html"}, Text("%(n)s days"): {"a.html"}})
    return path


def change(path: Path, translations: dict[str, str], *, fuzzy: bool = False) -> None:
    """Translate entries of a catalogue, as a translator would: without compiling it."""
    held = polib.pofile(str(path))
    for entry in held:
        entry.msgstr = translations.get(entry.msgid, entry.msgstr)
        if fuzzy:
            entry.flags = ["fuzzy"]
    held.save()


def found(texts: set[str]) -> str:
    return " | ".join(messages.faults("zh_Hans", {Text(text): set() for text in texts}))


@pytest.mark.usefixtures("catalogue")
def test_a_complete_catalogue_has_no_fault() -> None:
    assert found({"Yes", "%(n)s days"}) == ""


def test_the_words_that_translators_agreed_on_are_kept(catalogue: Path) -> None:
    held = polib.pofile(str(catalogue))
    held.header = "yes is 是"
    held.save()
    messages.update("zh_Hans", {Text("Yes"): {"a.html"}})
    assert catalogue.read_text().startswith("# yes is 是")


@pytest.mark.usefixtures("catalogue")
def test_new_and_gone_texts_are_faults() -> None:
    assert "new" in found({"Yes", "%(n)s days", "No"})
    assert "gone" in found({"Yes"})


# a translator's slip, and the word that names it
@pytest.mark.parametrize(
    ("translations", "word"),
    [({"Yes": ""}, "missing"), ({"%(n)s days": "%(m)s 天"}, "placeholders"), ({"Yes": "对"}, "stale")],
)
def test_slips_of_a_translation_are_faults(catalogue: Path, translations: dict[str, str], word: str) -> None:
    change(catalogue, translations)
    assert word in found({"Yes", "%(n)s days"})


def test_a_fuzzy_entry_is_a_fault(catalogue: Path) -> None:
    change(catalogue, {}, fuzzy=True)
    assert "fuzzy" in found({"Yes", "%(n)s days"})
