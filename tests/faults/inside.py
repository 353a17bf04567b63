"""The API without a web process: what a test needs to have done, done quickly."""

import json
from typing import Any

from django.test import Client

from tests.processes import Answer


class Inside:
    """Answers calls in this process, as `Site.insist` does for those of a real one."""

    def insist(self, method: str, path: str, token: str = "", body: Any = None, key: str = "") -> Answer:
        is_lines = isinstance(body, bytes)
        response = Client().generic(
            method,
            path,
            body if is_lines else json.dumps(body),
            content_type="application/x-ndjson" if is_lines else "application/json",
            headers={"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})},
        )
        return Answer(response.status_code, json.loads(response.content) if response.content else "")
