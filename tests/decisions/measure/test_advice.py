"""What a recommendation says."""

import numpy as np
import pytest

from decisions.measure import advice, thresholds


@pytest.mark.parametrize(
    ("labels", "errors", "expected"),
    [
        (400, 0, "Certified: from 0.991 up precision is at least 95.0 %, at 95.0 % confidence; 100.0 % were found."),
        (299, 0, "Cannot be certified yet: 1 more label from 0.991 up, if precision stays as it is."),
        (100, 0, "Cannot be certified yet: 200 more labels from 0.991 up, if precision stays as it is."),
        (400, 100, "Cannot be certified: from 0.991 up 75.0 % were found, below the 96.0 % of target and buffer."),
    ],
)
def test_the_sentence_says_what_holds(labels: int, errors: int, expected: str) -> None:
    y = (np.arange(labels) >= errors).astype(np.float64)
    found = thresholds.hard(np.full(labels, 0.991), y, target=0.95)
    assert advice.sentence(found, target=0.95).startswith(expected)
