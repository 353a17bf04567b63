"""What every page shows around its content: workplaces, queues, who is here."""

from django.http import HttpRequest


def workplace(request: HttpRequest) -> dict[str, object]:
    """Return the navigation for the person signed in; empty for everybody else."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {}
    return {}
