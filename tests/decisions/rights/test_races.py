"""Two people change the rights at the same time."""

from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction

from decisions.exceptions import Conflict
from decisions.models import RightsStep
from decisions.rights import Act, Limit, edit
from tests.databases import Clone
from tests.factories import NOON, make_user


def test_two_who_agree_at_once_count_once(committed_db: Clone) -> None:
    by, one, other = make_user("admin"), make_user("admin"), make_user("admin")
    cells = {Act.EXPORT: {"lead": Limit()}}
    version = edit.propose(queue=None, cells=cells, by=by, why="for a trial", at=NOON)

    def agree() -> str:
        try:
            edit.agree(version=version, by=other, why="read", at=NOON)
        except Conflict as refused:
            return refused.code
        finally:
            connection.close()
        return "agreed"

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            edit.agree(version=version, by=one, why="read", at=NOON)
            beside = pool.submit(agree)  # waits for the lock, then finds the answer
        assert beside.result(timeout=10) == "conflict"
    assert RightsStep.objects.count() == 1
