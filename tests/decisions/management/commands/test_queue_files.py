"""`apply_queue` shows, asks, applies and refuses with file, line and key; `dump_queue` gives it back."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from decisions.models import Event, Policy, Queue, QueueVersion, User
from decisions.queues import parse
from tests.databases import Clone
from tests.factories import make_user

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[4]
SHIPPED = [*sorted((ROOT / "reviewqueue/demo/queues").glob("*.toml")), *sorted((ROOT / "docs/examples").glob("*.toml"))]
EMAILS = ROOT / "reviewqueue/demo/queues/emails.toml"


def run(*arguments: object) -> str:
    """Run apply_queue and return its standard output."""
    out = io.StringIO()
    call_command("apply_queue", *map(str, arguments), stdout=out)
    return out.getvalue()


def refused(file: Path) -> list[str]:
    """Return the lines on standard error with which apply_queue refuses a file."""
    err = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("apply_queue", str(file), "--yes", stdout=io.StringIO(), stderr=err)
    return err.getvalue().splitlines()


def dump(slug: str) -> str:
    out = io.StringIO()
    call_command("dump_queue", slug, stdout=out)
    return out.getvalue()


def manage(clone: Clone, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run manage.py as a process of its own, with nobody at the terminal."""
    command = [sys.executable, str(ROOT / "manage.py"), *map(str, arguments)]
    return subprocess.run(
        command, env=clone.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def changed(folder: Path, text: str, old: str, new: str) -> Path:
    assert old in text
    file = folder / "changed.toml"
    file.write_text(text.replace(old, new, 1))
    return file


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_each_shipped_file_applies_and_comes_back_without_a_change(file: Path, tmp_path: Path) -> None:
    said = run(file, "--yes")
    assert "is at version 1." in said
    assert "Policy 1 is live." in said
    spec = parse.toml(file.read_text(), file.name)
    assert Queue.objects.get(slug=spec.slug).spec == spec
    dumped = tmp_path / "dumped.toml"
    dumped.write_text(dump(spec.slug))
    assert "nothing changes" in run(dumped, "--yes")
    assert "nothing changes" in run(file, "--yes")


def test_a_ranking_queue_has_no_cuts_and_is_ordered_by_score() -> None:
    run(ROOT / "docs/examples/ranking.toml", "--yes")
    policy = Policy.objects.live().get(queue__slug="leads")
    assert (policy.hard, policy.soft) == (None, None)
    assert Queue.objects.get(slug="leads").spec.order == "score"


def test_a_dry_run_shows_and_changes_nothing(tmp_path: Path) -> None:
    assert 'title: (nothing) -> "Incoming e-mails"' in run(EMAILS, "--dry-run")
    assert not Queue.objects.exists()
    assert not Event.objects.exists()


def test_a_change_is_shown_key_by_key_and_needs_a_yes(tmp_path: Path) -> None:
    run(EMAILS, "--yes")
    file = changed(tmp_path, dump("emails"), 'sla = "4 h"', 'sla = "2 h"')
    with pytest.raises(CommandError, match="say --yes"):  # no terminal, so nobody is asked
        run(file)
    assert QueueVersion.objects.count() == 1
    said = run(file, "--yes")
    assert 'sla: "4 h" -> "2 h"' in said
    assert "is at version 2" in said


def test_somebody_at_a_terminal_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, count in (("", 0), ("no", 0), ("y", 1)):
        monkeypatch.setattr("builtins.input", lambda _question, answer=answer: answer)
        if count:
            run(EMAILS)
        else:
            with pytest.raises(CommandError, match="Nothing was changed"):
                run(EMAILS)
        assert Queue.objects.count() == count


def test_a_changed_policy_becomes_a_draft(tmp_path: Path) -> None:
    run(EMAILS, "--yes")
    said = run(changed(tmp_path, dump("emails"), "hard = 0.65", "hard = 0.9"), "--yes")
    assert "policy.hard: 0.65 -> 0.9" in said
    assert "Policy 2 is draft." in said
    assert Policy.objects.live().get().hard == 0.65


def test_who_and_why_are_kept(tmp_path: Path) -> None:
    run(EMAILS, "--yes")
    by = make_user("manager", email="mia@example.org")
    file = changed(tmp_path, dump("emails"), 'sla = "4 h"', 'sla = "2 h"')
    run(file, "--yes", "--as", "Mia@example.org", "--why", "Faster")
    version = QueueVersion.objects.get(no=2)
    assert (version.author, version.why) == (by, "Faster")


def test_who_lacks_the_right_is_refused_and_that_is_noted(tmp_path: Path) -> None:
    run(EMAILS, "--yes")
    make_user("reviewer", email="rob@example.org")
    file = changed(tmp_path, dump("emails"), 'sla = "4 h"', 'sla = "2 h"')
    with pytest.raises(CommandError, match="apply_queue"):
        run(file, "--yes", "--as", "rob@example.org")
    assert Event.objects.filter(kind=Event.Kind.RIGHT_REFUSED, actor__email="rob@example.org").count() == 1


def test_a_person_who_is_not_there_applies_nothing() -> None:
    with pytest.raises(CommandError, match=r"nobody@example\.org"):
        run(EMAILS, "--yes", "--as", "nobody@example.org")


def test_what_is_wrong_is_named_with_file_line_and_key(tmp_path: Path) -> None:
    file = changed(tmp_path, EMAILS.read_text(), "hard = 0.65", "hard = 7.5")
    line = file.read_text().split("hard = 7.5")[0].count("\n") + 1
    assert refused(file) == [f"{file}:{line}: policy.hard: must lie within the model's range, 0 to 1"]


def test_a_file_that_the_queue_left_behind_is_refused_at_the_line_of_its_version(tmp_path: Path) -> None:
    run(EMAILS, "--yes")
    old = dump("emails")
    run(changed(tmp_path, old, 'sla = "4 h"', 'sla = "2 h"'), "--yes")
    stale = changed(tmp_path, old, 'sla = "4 h"', 'sla = "3 h"')
    (said,) = refused(stale)
    assert said.startswith(f"{stale}:3: version: the queue is at version 2 now")


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["not UTF-8", "not there"])
def test_a_file_that_cannot_be_read_is_refused(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=r"bad\.toml"):
        run(file, "--yes")


def test_a_queue_that_is_not_there_is_not_dumped() -> None:
    with pytest.raises(CommandError, match="nowhere"):
        dump("nowhere")


def test_simulated_people_change_no_queue(tmp_path: Path) -> None:
    run(EMAILS, "--yes")
    make_user("manager", email="sim@example.org", kind=User.Kind.SIMULATED)
    with pytest.raises(CommandError):
        run(changed(tmp_path, dump("emails"), 'sla = "4 h"', 'sla = "2 h"'), "--yes", "--as", "sim@example.org")


def test_as_a_process_it_ends_with_1_and_speaks_on_standard_error(committed_db: Clone, tmp_path: Path) -> None:
    refused = manage(committed_db, "apply_queue", EMAILS)
    assert (refused.returncode, "say --yes" in refused.stderr) == (1, True)
    assert manage(committed_db, "apply_queue", EMAILS, "--yes").returncode == 0
    dumped = manage(committed_db, "dump_queue", "emails")
    assert (dumped.returncode, dumped.stderr) == (0, "")
    wrong = changed(tmp_path, dumped.stdout, 'lease = "3 min"', "lease = 3")
    said = manage(committed_db, "apply_queue", wrong, "--yes")
    line = wrong.read_text().split("lease = 3")[0].count("\n") + 1
    assert said.returncode == 1
    assert said.stdout == ""
    assert said.stderr.splitlines()[0].startswith(f"{wrong}:{line}: lease: must be a duration")
