"""Examples of what is tried out, for the schema."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

LIVE = {
    "hard": 0.9,
    "soft": 0.3,
    "suggest": 0.5,
    "control_share": 0.1,
    "audit_budget": 100,
    "people": 3.0,
    "hours": 8.0,
    "handling_seconds": 42.0,
    "delay_hours": 0.4,
}


def _figure(value: float | None, low: float | None = None, high: float | None = None, **said: Any) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "guess": None, "labels": None, "why": "", **said}


WHAT_IF = [
    OpenApiExample("More to people", {"soft": 0.2, "people": 4, "days": 28}, request_only=True),
    OpenApiExample(
        "Recall rises with the work",
        {
            "policy": 3,
            "start": "2026-01-20T10:00:00Z",
            "end": "2026-02-17T10:00:00Z",
            "items_per_day": 10_000.0,
            "other_model_items": 0.0,
            "scored": None,
            "labels_used": 27_400,
            "currency": "EUR",
            "live": LIVE,
            "what_if": {**LIVE, "soft": 0.2, "people": 4.0},
            "lines": [
                {
                    "key": "soft",
                    "unit": "items",
                    "limits": "days",
                    "live": _figure(900.0, 780.0, 1040.0),
                    "what_if": _figure(1400.0, 1210.0, 1610.0),
                    "difference": _figure(500.0, 430.0, 570.0),
                },
                {
                    "key": "recall",
                    "unit": "share",
                    "limits": "labels",
                    "live": _figure(0.84, 0.78, 0.89, guess=0.86, labels=2700),
                    "what_if": _figure(0.91, 0.86, 0.95, guess=0.92, labels=2400),
                    "difference": _figure(0.07, 0.05, 0.09, guess=0.06, labels=300),
                },
            ],
        },
        response_only=True,
        status_codes=["200"],
    ),
]
ADVICE = [
    OpenApiExample(
        "A threshold is certified",
        {
            "policy": 3,
            "target": 0.95,
            "currency": "EUR",
            "hard": {
                "verdict": "certified",
                "threshold": 0.72,
                "at": 0.72,
                "precision": 0.97,
                "low": 0.957,
                "labels_used": 812,
                "needed": 0,
                "sentence": "Certified: from 0.72 up precision is at least 95 %, at 95 % confidence; 97 % were found.",
            },
            "soft": {
                "threshold": 0.24,
                "bound": "capacity",
                "available": 1190.0,
                "mean": 1040.0,
                "volume": 1185.0,
                "shadow_price": 18.4,
            },
            "control": {
                "share": 0.06,
                "wanted": 361,
                "given": 361.0,
                "is_enough": True,
                "review_cost": 126.4,
                "delay_cost": 0.0,
            },
        },
        response_only=True,
        status_codes=["200"],
    )
]
