"""The items behind an alert: what was counted when its signal was found off."""

from datetime import timedelta

from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.dateparse import parse_datetime

from decisions.models import Alert, Item

SECOND = timedelta(seconds=1)
VALUE = (
    "(SELECT content::jsonb #>> ARRAY['payload', %s] FROM decisions_body WHERE item_id = decisions_item.id"
    " AND content IS NOT NULL)"
)
LACKS = f"{VALUE} IS NULL"
STRANGE = f"{VALUE} IS NOT NULL AND NOT {VALUE} = ANY(%s)"


def items(alert: Alert) -> QuerySet[Item]:
    """Return the items of the span that was compared, narrowed to what the signal is about."""
    start, end = (parse_datetime(alert.figures.get(name, "")) for name in ("from", "to"))
    rows = Item.objects.filter(_about(alert), queue=alert.queue_id)
    rows = rows.filter(arrived_at__gte=min(start or alert.began_at, alert.began_at))
    return rows.filter(arrived_at__lte=(end or alert.seen_at) + SECOND)


def _about(alert: Alert) -> Q | RawSQL:
    part, _colon, name = alert.key.partition(":")
    if alert.kind == Alert.Kind.MISSING:
        return RawSQL(LACKS, (name,), BooleanField())  # noqa: S611 - a constant; every value is a parameter
    if alert.kind == Alert.Kind.UNSEEN:
        field = alert.queue.spec.payload_field(name)
        known = list(field.categories) if field else []
        return RawSQL(STRANGE, (name, name, known), BooleanField())  # noqa: S611 - the same
    lookups = {"route": "route", "segment": "segment", "source": "source", "policy": "policy__no"}
    return Q(**{lookups[part]: name}) if part in lookups else Q()
