"""The line of every key is found, however the file is written."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from decisions.queues import lines

TEXT = '''
# a comment with [brackets] and "quotes"
a = 1 # b = 2
"quoted key" = "x # no comment"
many = """
c = 3
""" # after
list = [
  1, # one
  [2, "]"],
  { x = 1, y = { z = [ 3 ] } },
]
dotted.key.end = 'single'
[table]
in = 1979-05-27 07:32:00
[table.'inner one']
deep = '\'\'
[x]
'\'\'
[[row]]
id = 1
[[row.cell]]
id = 11
[[row.cell]]
id = 12
[row.more]
note = "of the first row"
[[row]]
id = 2
'''.replace("'\\'\\'", "'''")
LINES = {
    "a": 3,  # a comment that looks like a key does not count
    "quoted key": 4,
    "many": 5,
    "list": 8,
    "list[0]": 9,
    "list[1][1]": 10,
    "list[2].y.z[0]": 11,
    "dotted.key.end": 13,
    "table": 14,
    "table.in": 15,
    "table.inner one.deep": 17,
    "row": 20,
    "row[0].id": 21,
    "row[0].cell[1].id": 25,
    "row[0].more.note": 27,
    "row[1].id": 29,
}


@pytest.mark.parametrize(("path", "line"), LINES.items())
def test_a_path_is_found_at_its_line(path: str, line: int) -> None:
    assert lines.find(TEXT)[path] == line


def test_what_is_missing_is_named_where_its_table_begins() -> None:
    found = lines.find(TEXT)
    assert lines.nearest(found, "row[1].name.first") == 28
    assert lines.nearest(found, "list[9]") == 8
    assert lines.nearest(found, "nothing") == 1


def paths(value: Any, path: str = "") -> set[str]:
    """Return all paths of a parsed file."""
    if isinstance(value, dict):
        inner = {f"{path}.{key}" if path else key: item for key, item in value.items()}
    elif isinstance(value, list):
        inner = {f"{path}[{index}]": item for index, item in enumerate(value)}
    else:
        return {path}
    return {path, *(end for key, item in inner.items() for end in paths(item, key))}


@pytest.mark.parametrize("file", sorted(Path("reviewqueue/demo/queues").glob("*.toml")), ids=str)
def test_every_path_of_a_real_file_has_a_line(file: Path) -> None:
    text = file.read_text()
    assert paths(tomllib.loads(text)) - {""} <= lines.find(text).keys()
    assert paths(tomllib.loads(TEXT)) - {""} <= lines.find(TEXT).keys()
