"""Ten thousand actions, a receiver that fails three times of ten, keys that are rotated: all arrive."""

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.databases import Clone
from tests.decisions.effects.conftest import Street
from tests.decisions.effects.test_deliver import assert_all_arrive
from tests.decisions.effects.world import LOOPBACK, make_endpoint, receiver
from tests.factories import make_queue

pytestmark = pytest.mark.proof


def test_ten_thousand_letters_arrive_under_their_ids_and_verify(committed_db: Clone, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED = [LOOPBACK]
    with receiver() as world:
        queue = make_queue()
        assert_all_arrive(Street(queue, world, make_endpoint(queue, world.url, timezone.now())), 10_000)
