"""A row of a chart over time: for the script that draws it and for the table beside it."""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.timezone import localtime

WEEKDAY = "D j M"


def row(
    at: datetime, zone: ZoneInfo, values: Iterable[float | None], *, places: int = 0, day: str = WEEKDAY
) -> dict[str, Any]:
    """Return a time in words, its day as `day` says, with the values rounded; NaN and None are gaps."""
    local = localtime(at, zone)
    return {
        "at": at.isoformat(),
        "text": f"{formats.date_format(local, day)} {local:%H:%M}",
        "values": [None if value is None or math.isnan(value) else round(value, places) for value in values],
    }
