"""Collect the texts that people see into `locale/`, compile them, and check that every language is complete.

`messages.py` brings the catalogues up to date with templates and code and compiles them. `messages.py --check`
changes nothing and fails on a text without its translation, a fuzzy or stale entry, a placeholder that was lost, a
compiled file older than its source, words in a template that no translator could ever see, and a call of gettext
that is given a variable. GNU gettext isn't needed.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = {"zh_Hans": "nplurals=1; plural=0;"}
CALLS = (
    "_",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "npgettext",
)
CALL = re.compile(r"\b(?:_|n?p?gettext(?:_lazy|_noop)?)\(")
PLACEHOLDER = re.compile(r"%\(\w+\)[#0 +.\d]*[a-z]|\{\w*\}")
# Names of our own and of others, which are the same in every language.
NAMES = {"Review Queue", "Prodigy", "Label Studio", "Ozone", "CSV", "JSON Lines"}
HIDDEN = re.compile(
    r"\{%\s*comment.*?endcomment\s*%\}|\{#.*?#\}|\{%\s*blocktranslate.*?endblocktranslate\s*%\}|\{%.*?%\}|\{\{.*?\}\}"
    r"|<!--.*?-->|<(script|style|kbd)\b.*?</\1>",
    re.DOTALL,
)
SPOKEN = re.compile(r"""\s(?:aria-label|title|placeholder|alt)=["']([^"']*[A-Za-z]{2}[^"']*)["']""")
MARKUP = re.compile(r"""[\w-]+=(?P<quote>["']).*?(?P=quote)|<[^>]*>""")
WORD = re.compile(r"[A-Za-z]{2,}")


@dataclass(frozen=True, order=True)
class Text:
    """One text to translate: its identity in a catalogue."""

    msgid: str
    plural: str = ""
    context: str = ""


def main() -> int:
    """Update or check, as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on what is missing or stale")
    is_check = parser.parse_args().check
    texts = collect()
    found = [*bare_words(), *variables()] if is_check else []
    for language in LANGUAGES:
        if not is_check:
            update(language, texts)
        found += faults(language, texts)
    for line in found:
        print(line, file=sys.stderr)  # noqa: T201 - a command line tool speaks on its streams
    return 1 if found and is_check else 0


# What there is to translate ------------------------------------------------------------------


def collect() -> dict[Text, set[str]]:
    """Every text of templates and code, with the files that say it."""
    texts: dict[Text, set[str]] = {}
    for path in templates():
        for text in in_source(templatize(path.read_text())):
            texts.setdefault(text, set()).add(str(path.relative_to(ROOT)))
    trees = parsed()
    for path, tree in trees.items():
        for text in in_tree(tree):
            texts.setdefault(text, set()).add(str(path.relative_to(ROOT)))
    for path, text in refusals(trees):
        texts.setdefault(text, set()).add(str(path.relative_to(ROOT)))
    return texts


def templates() -> list[Path]:
    """The templates that are shipped."""
    return sorted((ROOT / "templates").rglob("*.html")) + sorted((ROOT / "templates").rglob("*.txt"))


def code() -> list[Path]:
    """The modules that are shipped."""
    return [path for package in ("decisions", "reviewqueue") for path in sorted((ROOT / package).rglob("*.py"))]


def parsed() -> dict[Path, ast.Module]:
    """The modules that are shipped, as trees."""
    return {path: ast.parse(path.read_text()) for path in code()}


def in_source(source: str) -> Iterator[Text]:
    """The texts in what Django makes of a template: calls of gettext between blanked-out characters."""
    for match in CALL.finditer(source):
        for end in (close.end() for close in re.compile(r"\)").finditer(source, match.end())):
            try:
                call = ast.parse(source[match.start() : end], mode="eval").body
            except SyntaxError:
                continue  # that bracket stands inside the text
            yield from in_tree(call)
            break


def in_tree(tree: ast.AST) -> Iterator[Text]:
    """The literal texts that calls of gettext name."""
    for node, name in calls(tree):
        words = [word.value for word in node.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        if words and words[0]:
            yield text_of(name, words)


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """The calls of gettext, each with the name of the function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in CALLS:
                yield node, name


def text_of(name: str, words: list[str]) -> Text:
    """A text from the name of a gettext function and its arguments."""
    context = words.pop(0) if "pgettext" in name else ""
    return Text(words[0], words[1] if name.startswith("n") else "", context)


def refusals(trees: dict[Path, ast.Module]) -> Iterator[tuple[Path, Text]]:
    """The docstrings of refusals: they are shown to the person (decisions/exceptions.py)."""
    classes = [
        (path, node) for path, tree in trees.items() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    ]
    known = {"Refused"}
    for _ in range(5):  # deeper than any family of exceptions here
        known |= {node.name for _, node in classes if known & {getattr(base, "id", "") for base in node.bases}}
    for path, node in classes:
        message = ast.get_docstring(node, clean=False)
        if node.name in known and message:
            yield path, Text(message.strip())


def bare_words() -> Iterator[str]:
    """Words in templates that stand outside every translation."""
    for path in templates():
        source = HIDDEN.sub(" ", path.read_text())
        spoken = [match[1] for match in SPOKEN.finditer(source)]
        for words in [*spoken, *MARKUP.sub("\n", source).splitlines()]:
            rest = words.strip()
            for name in NAMES:
                rest = rest.replace(name, "")
            if WORD.search(re.sub(r"&\w+;", "", rest)):
                yield f"{path.relative_to(ROOT)}: not translated: {words.strip()}"


def variables() -> Iterator[str]:
    """Calls of gettext whose text stands elsewhere, where nothing marks it. Docstrings of refusals are collected."""
    for path, tree in parsed().items():
        for node, _name in calls(tree):
            if not isinstance(node.args[0], ast.Constant) and path != ROOT / "decisions" / "exceptions.py":
                yield f"{path.relative_to(ROOT)}:{node.lineno}: write the text itself: {ast.unparse(node)}"


# The catalogues ------------------------------------------------------------------------------


def folder(language: str) -> Path:
    """Where a language's files lie."""
    return ROOT / "locale" / language / "LC_MESSAGES"


def read(language: str) -> polib.POFile:
    """A language's catalogue, empty when there is none yet."""
    path = folder(language) / "django.po"
    return polib.pofile(str(path)) if path.exists() else polib.POFile(wrapwidth=110)


def entries(catalogue: polib.POFile) -> dict[Text, polib.POEntry]:
    """A catalogue's entries by their text."""
    return {Text(e.msgid, e.msgid_plural, e.msgctxt or ""): e for e in catalogue if not e.obsolete}


def update(language: str, texts: dict[Text, set[str]]) -> None:
    """Write a catalogue that holds exactly these texts, keep what is translated, and compile it."""
    held = read(language)
    known = entries(held)
    fresh = polib.POFile(wrapwidth=110)
    fresh.header = held.header  # the words that translators agreed on
    fresh.metadata = {
        "Project-Id-Version": "Review Queue",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": LANGUAGES[language],
    }
    for text in sorted(texts):
        entry = known.get(text) or new_entry(text)
        entry.occurrences = [(path, "") for path in sorted(texts[text])]
        entry.flags = ["python-format"] if "%(" in text.msgid else []
        fresh.append(entry)
    folder(language).mkdir(parents=True, exist_ok=True)
    fresh.save(str(folder(language) / "django.po"))
    (folder(language) / "django.mo").write_bytes(fresh.to_binary())


def new_entry(text: Text) -> polib.POEntry:
    """An entry that waits for its translation."""
    plural = {"msgid_plural": text.plural, "msgstr_plural": {0: ""}} if text.plural else {}
    return polib.POEntry(msgid=text.msgid, msgctxt=text.context or None, **plural)


def faults(language: str, texts: dict[Text, set[str]]) -> Iterator[str]:
    """What is wrong with a catalogue."""
    catalogue = read(language)
    held = entries(catalogue)
    for text in sorted(texts.keys() ^ held.keys()):
        yield f"{language}: {'new' if text in texts else 'gone'}, run tools/messages.py: {text.msgid}"
    for entry in held.values():
        if entry.fuzzy or not entry.translated():
            yield f"{language}: {'fuzzy' if entry.fuzzy else 'missing'}: {entry.msgid}"
        elif lost := set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid)) ^ in_translation(entry):
            yield f"{language}: placeholders differ ({', '.join(sorted(lost))}): {entry.msgid}"
    compiled = folder(language) / "django.mo"
    if not compiled.exists() or compiled.read_bytes() != catalogue.to_binary():
        yield f"{language}: the compiled catalogue is stale, run tools/messages.py"


def in_translation(entry: polib.POEntry) -> set[str]:
    """The placeholders of a translation."""
    strings = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
    return {found for string in strings for found in PLACEHOLDER.findall(string)}


if __name__ == "__main__":
    sys.exit(main())
