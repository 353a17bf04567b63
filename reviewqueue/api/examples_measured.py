"""An example of what is measured, for the schema."""

from typing import Any

from drf_spectacular.utils import OpenApiExample


def _estimate(value: float | None, low: float | None, high: float | None, labels: int, **said: Any) -> dict[str, Any]:
    plain = {"value": value, "low": low, "high": high, "level": 0.95, "labels": labels, "effective_labels": labels}
    return {**plain, "found": 0, "response": 1.0, "sampled": "audit", "why": None, **said}


def _asked(items: int, answered: int) -> dict[str, int]:
    return {"items": items, "answered": answered, "cant_tell": 0, "waiting": items - answered, "expired": 0}


SPAN = {"start": "2026-01-20T00:00:00Z", "end": "2026-02-17T00:00:00Z"}
NOBODY = _estimate(None, None, None, 0, response=None, why="no_labels")
UNASKED = {**NOBODY, "sampled": "gold"}
OPERATING_POINT = [
    OpenApiExample(
        "None found is no recall of 100 %",
        {
            "sentence": "At least 97.0 % of all Spam was caught. Found 0 in 2,000 audits: at most 2,500 of 1,000,000 "
            "passes were Spam; with 6,000 more audits we could say at most 620. What was missed cost at most 990 USD.",
            "sentences": {
                "precision": "about 97.0 % of hard items were Spam, between 94.8 % and 98.4 %, by 400 control items",
                "recall": "at least 97.0 % of all Spam was caught",
                "missed": "found 0 in 2,000 audits: at most 2,500 of 1,000,000 passes were Spam; with 6,000 more "
                "audits we could say at most 620",
                "harm": "what was missed cost at most 990 USD",
            },
            "advice": [],
            "at": "2026-02-17T00:03:00Z",
            "fresh_at": "2026-02-17T00:02:00Z",
            "window": SPAN,
            "measured": [SPAN],
            "model": None,
            "policy": None,
            "segment": None,
            "items": 1_160_000,
            "hard_items": 80_000,
            "precision": {
                "hard": _estimate(0.97, 0.948, 0.984, 400, found=388, sampled="control"),
                "soft": _estimate(0.4, 0.4, 0.4, 79_000, found=31_600, sampled="census", response=0.9875),
            },
            "recall": _estimate(None, 0.97, 1.0, 2_000, effective_labels=1_520.0, why="none_found"),
            "caught": 109_200.0,
            "missed": {
                "passes": 1_000_000,
                "settled": _estimate(0.0, 0.0, 2_460.0, 2_000, effective_labels=1_520.0),
                "harm": _estimate(0.0, 0.0, 984.0, 2_000, effective_labels=1_520.0),
                "currency": "USD",
                "first_answers": _estimate(0.0, 0.0, 2_460.0, 2_000, effective_labels=1_520.0),
                "corrected": {**NOBODY, "labels": 2_000, "why": "no_gold"},
                "false_positives": NOBODY,
                "sensitivity": NOBODY,
                "second_opinions": {"false_positives": NOBODY, "sensitivity": NOBODY},
                "gold": {"false_positives": UNASKED, "sensitivity": UNASKED},
                "is_divided": False,
            },
            "apart": [],
            "labels": {
                "total": 81_400,
                "simulated": 0,
                "soft": _asked(80_000, 79_000),
                "control": _asked(400, 400),
                "audit": _asked(2_000, 2_000),
            },
        },
        response_only=True,
        status_codes=["200"],
    )
]
