"""What a label is worth: by how it came about, never by how likely it was to be looked at."""

import numpy as np
import pytest

from decisions.learning import weights
from decisions.models import Label, Ruling

Provenance, Source = Label.Provenance, Ruling.Source


@pytest.mark.parametrize(
    ("provenance", "source", "value", "agreed", "weight"),
    [
        (Provenance.OUTSIDE, Source.OUTSIDE, 1, False, 1.0),  # what really happened
        (Provenance.AUDIT, Source.ADJUDICATION, 0, False, 0.9604),  # two people and a third
        (Provenance.AUDIT, Source.DECISION, 0, False, 0.81),  # one person who saw nothing
        (Provenance.SOFT, Source.DECISION, 1, False, 0.81),  # saw the suggestion and answered otherwise
        (Provenance.SOFT, Source.DECISION, 1, True, 0.64),  # saw it and followed
        (Provenance.IMPORTED, Source.IMPORTED, 1, False, 0.64),
        (Provenance.SIMULATED, Source.DECISION, 1, False, 0.81),
        (Provenance.SOFT, Source.DECISION, None, False, 0.0),  # "can't tell"
        (Provenance.OUTSIDE, Source.OUTSIDE, None, False, 0.0),
    ],
)
def test_a_weight_follows_from_how_the_label_came_about(
    provenance: str, source: str, value: int | None, agreed: bool, weight: float
) -> None:
    got = weights.weight(provenance=provenance, source=source, value=value, agreed_when_shown=agreed)
    assert got == weight


def test_an_answer_that_is_wrong_half_of_the_time_is_worth_nothing() -> None:
    assert weights.of_error(0.5) == 0.0
    assert weights.WEAK == 0.16


def test_equal_weights_count_as_many_and_unequal_ones_as_fewer() -> None:
    assert weights.effective(np.full(10, 0.64)) == pytest.approx(10)
    assert weights.effective(np.array([1.0, 1.0, 0.0])) == pytest.approx(2)
    assert weights.effective(np.array([])) == 0.0
