"""Files of known rows as tests need them."""

import csv
from pathlib import Path
from typing import Any

from decisions.learning.frozen import TruthColumn

COLUMNS = ("text", "words", "amount", "kind", "truth", "score")
TRUTH = TruthColumn("truth", "spam")
Cells = dict[str, Any]


def lines(count: int = 100, positives: int = 40) -> list[Cells]:
    """Rows whose positives score .95 (half of them) and .5, and whose negatives score .1; two negatives score .95."""
    made = []
    for i in range(count):
        score = (0.95 if i % 2 else 0.5) if i < positives else (0.95 if i < positives + 2 else 0.1)
        truth = "spam" if i < positives else "ham"
        made.append({"text": f"m {i}", "words": i, "amount": 1.5, "kind": "mail", "truth": truth, "score": score})
    return made


def write(path: Path, rows: list[Cells], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path
