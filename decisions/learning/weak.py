"""Weak evidence: how many end users said of an item that it was right, and how many that it was wrong."""

from collections import defaultdict
from collections.abc import Collection

from django.db.models import Count, Max

from decisions.models import Evidence

NAMES = {"weak_right": Evidence.RIGHT, "weak_wrong": Evidence.WRONG}  # columns of feed and files


def counted(item_ids: Collection[int], upto: int | None = None) -> dict[int, dict[str, int]]:
    """Return each item's counts under `NAMES`, of the words with ids up to this one (None = all there are)."""
    rows = Evidence.objects.filter(item__in=item_ids, kind=Evidence.Kind.FEEDBACK)
    if upto is not None:
        rows = rows.filter(id__lte=upto)
    found: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(NAMES, 0))
    columns = {said: name for name, said in NAMES.items()}
    for item, said, count in rows.values_list("item", "said").annotate(n=Count("id")).order_by():
        found[item][columns[said]] = count
    return found


def last(queue_id: int) -> int:
    """Return the id of a queue's last word, 0 for none; ids are committed in their order, so none comes in before."""
    rows = Evidence.objects.filter(queue=queue_id, kind=Evidence.Kind.FEEDBACK)
    return rows.aggregate(last=Max("id"))["last"] or 0
