"""Two that see the same at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction

from decisions.models import Notice
from tests.decisions.effects.world import elsewhere
from tests.decisions.watch.alerting import make_alert
from tests.factories import NOON, make_queue

LATER = NOON + timedelta(hours=1)


@pytest.mark.usefixtures("committed_db")
def test_two_that_see_the_same_at_once_open_one_alert() -> None:
    queue = make_queue()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = make_alert(queue)  # not committed yet
            second = pool.submit(elsewhere, lambda: make_alert(queue, LATER))
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
        assert second.result(timeout=10).pk == first.pk
    assert Notice.objects.count() == 1
