"""Examples that the schema shows; a test sends them."""

from drf_spectacular.utils import OpenApiExample

ITEM = {
    "external_id": "mail-2026-01-17-000123",
    "payload": {"subject": "You have won", "words": 87},
    "score": 0.62,
    "subject": "sender@example.com",
}
ROUTED = {
    "id": 4711,
    "external_id": "mail-2026-01-17-000123",
    "route": "soft",
    "band": "soft",
    "reason": "score",
    "score": 0.62,
    "policy_version": 3,
    "model_version": "external",
    "propensity": 1.0,
    "duplicate": False,
}
SUBMIT = [
    OpenApiExample("An e-mail with its score", ITEM, request_only=True),
    OpenApiExample("Goes to people", ROUTED, response_only=True, status_codes=["201"]),
    OpenApiExample("Sent again", {**ROUTED, "duplicate": True}, response_only=True, status_codes=["200"]),
]
BATCH_LINES = [OpenApiExample("One line", ITEM)]
BATCH = [
    OpenApiExample(
        "One line of two was wrong",
        {
            "accepted": 1,
            "duplicates": 0,
            "rejected": 1,
            "routes": {"hard": 0, "soft": 1, "pass": 0},
            "results": [ROUTED],
            "errors": [{"line": 2, "external_id": "", "code": "missing", "detail": "external_id is missing."}],
        },
        response_only=True,
        status_codes=["200"],
    )
]
CLAIM = [
    OpenApiExample("Two at once", {"count": 2}, request_only=True),
    OpenApiExample(
        "One card, before its answer",
        {
            "tasks": [
                {
                    "id": 815,
                    "lease": 1,
                    "lease_until": "2026-01-17T10:05:00Z",
                    "purpose": "soft",
                    "round": 1,
                    "due_at": "2026-01-18T10:00:00Z",
                    "item": {
                        "id": 4711,
                        "queue": "emails",
                        "external_id": "mail-2026-01-17-000123",
                        "source": "",
                        "segment": "",
                        "value": None,
                        "occurred_at": None,
                        "arrived_at": "2026-01-17T10:00:00Z",
                        "payload": {"subject": "You have won", "words": 87},
                        "subject": "sender@example.com",
                        "is_erased": False,
                        "score": 0.62,
                        "p": 0.62,
                        "rung": "sent",
                        "band": "soft",
                        "route": "soft",
                        "reason": "score",
                        "failures": [],
                        "propensity": 1.0,
                        "policy_version": 3,
                        "model_version": "external",
                        "suggestion": "spam",
                        "redacted": [],
                    },
                }
            ]
        },
        response_only=True,
        status_codes=["200"],
    ),
]
DECIDE = [
    OpenApiExample(
        "Otherwise than suggested",
        {"lease": 1, "outcome": "ham", "reason": "known_sender", "note": "", "active_seconds": 6.5},
        request_only=True,
    )
]
