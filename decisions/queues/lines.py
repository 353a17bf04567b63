"""Where each key of a TOML text stands: tomllib tells no positions."""

import re
import tomllib

SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
DOT = re.compile(r"[ \t]*\.[ \t]*")
STRING = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''',
    re.DOTALL,
)
SCALAR = re.compile(r"[^,\]}#\n]*")
LAST = re.compile(r"(?:\.?[^.\[\]]+|\[\d+\])$")


def find(text: str) -> dict[str, int]:
    """Return the line (from 1) of each path, such as `policy.hard` or `fields[2].name`; tomllib must read the text."""
    scanner = Scanner(text)
    scanner.document()
    return scanner.lines


def nearest(lines: dict[str, int], path: str) -> int:
    """Return the line of a path, or of the table it is missing from."""
    while path and path not in lines:
        path = LAST.sub("", path) if LAST.search(path) else ""
    return lines.get(path, 1)


class Scanner:
    """Walks through a valid TOML text and notes the line at which each path begins."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.seen = 0
        self.lines: dict[str, int] = {}
        self.sizes: dict[str, int] = {}  # how many tables each array of tables has so far

    def document(self) -> None:
        """Walk through headers and keys."""
        prefix = ""
        while self.skip():
            if self.text.startswith("[", self.at):
                prefix = self.header()
            else:
                self.pair(prefix)

    def header(self) -> str:
        """Read `[table]` or `[[array]]`; return the path of what follows it."""
        is_array = self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        self.skip()
        path = ""
        for part in self.key():
            path = self.current(f"{path}.{part}" if path else part)
        if is_array:
            path = LAST.sub("", path) if path.endswith("]") else path
            self.sizes[path] = self.sizes.get(path, 0) + 1
            self.note(path)
            path = self.current(path)
        self.note(path)
        self.skip()
        self.at += 2 if is_array else 1
        return path

    def current(self, path: str) -> str:
        """Return the newest element of an array of tables, or the path itself."""
        return f"{path}[{self.sizes[path] - 1}]" if path in self.sizes else path

    def pair(self, prefix: str) -> None:
        """Read `key = value`."""
        path = prefix
        for part in self.key():
            path = f"{path}.{part}" if path else part
            self.note(path)
        self.skip()
        self.at += 1
        self.skip()
        self.value(path)

    def key(self) -> list[str]:
        """Read a key of one or more parts."""
        parts = []
        while found := KEY.match(self.text, self.at):
            raw = found[0]
            parts.append(tomllib.loads(f"key = {raw}")["key"] if raw[0] in "\"'" else raw)
            self.at = found.end()
            dot = DOT.match(self.text, self.at)
            if dot is None:
                break
            self.at = dot.end()
        return parts

    def value(self, path: str) -> None:
        """Read a value; arrays and inline tables note their own parts."""
        if self.text.startswith("[", self.at):
            self.sequence(path)
        elif self.text.startswith("{", self.at):
            self.inline(path)
        else:
            found = STRING.match(self.text, self.at) or SCALAR.match(self.text, self.at)
            self.at = found.end() if found else self.at

    def sequence(self, path: str) -> None:
        """Read `[value, value]`."""
        self.at += 1
        index = 0
        while self.skip() and not self.text.startswith("]", self.at):
            self.note(f"{path}[{index}]")
            self.value(f"{path}[{index}]")
            self.comma()
            index += 1
        self.at += 1

    def inline(self, path: str) -> None:
        """Read `{key = value, key = value}`."""
        self.at += 1
        while self.skip() and not self.text.startswith("}", self.at):
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        self.skip()
        self.at += self.text.startswith(",", self.at)

    def skip(self) -> bool:
        """Go past space, line ends and comments; say whether anything is left."""
        found = SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at < len(self.text)

    def note(self, path: str) -> None:
        """Remember the line at which a path begins, the first time it does."""
        self.line += self.text.count("\n", self.seen, self.at)
        self.seen = self.at
        self.lines.setdefault(path, self.line)
