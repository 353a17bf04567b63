"""Items that are already here: the same again, or other content under the same id."""

import hmac
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

from decisions.exceptions import Conflict, Erased, OtherContent
from decisions.intake.parse import Row

HERE = """
SELECT item.id, item.external_id, item.route, item.band, item.reason, item.score, policy.no, model.name,
       item.propensity, item.model_id, item.body_digest, body.salt
FROM decisions_item item
JOIN decisions_body body ON body.item_id = item.id
JOIN decisions_policy policy ON policy.id = item.policy_id
LEFT JOIN decisions_modelversion model ON model.id = item.model_id
WHERE item.queue_id = %s AND item.external_id = ANY(%s)
"""


class Known(NamedTuple):
    """What is stored of an item, as far as answers and comparisons need it."""

    id: int
    external_id: str
    route: str
    band: str
    reason: str
    score: float | None
    policy_no: int
    model_name: str | None
    propensity: float | None
    model_id: int | None
    digest: bytes
    salt: bytes | None

    def compare(self, row: Row) -> type[Conflict] | None:
        """Return why a row is not the same item again; None where it is."""
        if self.salt is None:
            return Erased
        return None if hmac.digest(self.salt, row.content, "sha256") == self.digest else OtherContent

    def result(self, *, duplicate: bool) -> dict[str, Any]:
        """Return the answer of the contract."""
        return {
            "id": self.id,
            "external_id": self.external_id,
            "route": self.route,
            "band": self.band,
            "reason": self.reason,
            "score": self.score,
            "policy_version": self.policy_no,
            "model_version": self.model_name,
            "propensity": self.propensity,
            "duplicate": duplicate,
        }


def fetch(queue_id: int, external_ids: Sequence[str]) -> dict[str, Known]:
    """Return the items of a queue that have these external ids, by external id."""
    if not external_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(HERE, [queue_id, list(external_ids)])
        found = [
            Known._make((*row[:-2], bytes(row[-2]), None if row[-1] is None else bytes(row[-1])))
            for row in cursor.fetchall()
        ]
    return {known.external_id: known for known in found}
