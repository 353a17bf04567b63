"""Two processes that freeze the same labels write the same bytes under the same name."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from decisions.learning import labels
from decisions.models import DataSet
from tests.databases import Clone
from tests.decisions.effects.world import make_ruling
from tests.factories import NOON, make_item, make_queue

ROOT = Path(__file__).resolve().parents[3]


def test_two_processes_give_the_same_name_and_the_same_bytes(committed_db: Clone, tmp_path: Path) -> None:
    queue = make_queue()
    for number in range(5):
        item = make_item(queue, {"text": f"text {number}", "words": number, "kind": "mail"})
        labels.plan(make_ruling(item, NOON))
    labels.feed_due(NOON + timedelta(days=1))
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
        environment = {**committed_db.environment, "DATA_DIR": str(folder), "PYTHONHASHSEED": "random"}
        command = [sys.executable, "manage.py", "freeze_data_set", queue.slug]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    first, second = (
        {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.*") if file.is_file()}
        for folder in folders
    )
    assert len(first) == 2
    assert first == second
    assert DataSet.objects.count() == 1
