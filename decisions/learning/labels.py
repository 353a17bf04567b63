"""Labels: what training gets from rulings, numbered by a single writer when their undo windows have ended."""

from decisions.models import PendingLabel, Ruling


def plan(ruling: Ruling) -> PendingLabel | None:
    """Let a ruling become a label when its undo window ends; none where nothing holds any more (an undo)."""
    if not ruling.outcome:
        return None
    return PendingLabel.objects.create(ruling=ruling, due_at=ruling.final_at)


def withdraw(ruling: Ruling) -> bool:
    """Let an undone ruling never become a label; False where it already did."""
    deleted, _ = PendingLabel.objects.filter(ruling=ruling).delete()
    return bool(deleted)
