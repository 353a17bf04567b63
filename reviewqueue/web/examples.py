"""Similar decided items as cards and pages show them."""

from collections import Counter
from datetime import datetime
from typing import Any

from decisions.models import Item, User
from decisions.queues.spec import Spec
from decisions.redact import Sight
from decisions.rights import Standing
from decisions.work import alike


def panel(
    item: Item, *, sight: Sight, standing: Standing, user: User, spec: Spec, at: datetime
) -> dict[str, Any] | None:
    """Return similar decided items and how often they were found what; None to who is blind to the item."""
    if not sight.history:
        return None
    rows = alike.to(item, sight=sight, standing=standing, user=user, spec=spec, at=at)
    counts = Counter(row.label for row in rows)
    return {"rows": rows, "counts": [f"{n} × {label}" for label, n in counts.most_common()]}
