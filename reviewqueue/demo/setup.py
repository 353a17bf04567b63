"""Builds the demo: two queues, their models, people for every role, and the keys of sender and receiver."""

import secrets
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from decisions import people
from decisions.effects import endpoints
from decisions.learning import training
from decisions.models import Membership, Policy, Queue, Token, User
from decisions.queues import apply, parse
from decisions.record import log
from decisions.routing import known, publish
from reviewqueue.demo import rows, state
from reviewqueue.demo.state import State
from reviewqueue.embedded import ports

QUEUES = Path(__file__).parent / "queues"
SENDER, RECEIVER = "demo sender", "demo receiver"
DOMAIN = "example.org"
SECOND = "manager2"
SETTLED_BY = 3  # people: two may disagree, the third settles it
WHY = "Demo: trained on the earlier part of the rows; the rest arrives as live traffic"
NOTE = "Demo: history that no model learns from"


def run(say: Callable[[str], None]) -> None:
    """Make what is not there yet; a second time changes nothing."""
    queues = [queue(slug, say) for slug in rows.DEMOS]
    for made in queues:
        model(made, say)
    for line in passwords():
        say(line)
    state.write(keys(queues, state.read()))


def queue(slug: str, say: Callable[[str], None]) -> Queue:
    """Apply the queue's file where the queue is not there."""
    found = Queue.objects.filter(slug=slug, version__isnull=False).select_related("version").first()
    if found is not None:
        return found
    file = QUEUES / f"{slug}.toml"
    plan = apply.preview(parse.document(file.read_text(), str(file)))
    made = apply.apply(plan, by=None, why="Demo", at=log.now()).queue
    say(f"Queue {slug} is made.")
    return Queue.objects.select_related("version").get(pk=made.pk)


def model(made: Queue, say: Callable[[str], None]) -> None:
    """Train the queue's model on its part of the rows and let the policy score with it, if no model does yet."""
    live = Policy.objects.live().select_related("model").get(queue=made)
    if live.model is not None and live.model.name != "external":
        return
    known_data(made, say)
    examples = rows.examples(made.slug, made.spec)
    in_time = rows.DEMOS[made.slug].in_time
    trained = training.train(queue=made, examples=examples, in_time=in_time, by=None, at=log.now())
    draft = publish.draft(queue=made, changes={"model": trained}, by=None, why=WHY, at=log.now())
    publish.approve(policy=draft, by=None, why=WHY, at=log.now())
    publish.publish(policy=draft, by=None, why=WHY, at=log.now())
    auc = trained.metrics.get("auc")
    measured = f", cross-validated AUC {auc:.3f}" if auc else ""
    say(f"Model {trained.name} of {made.slug} is trained on {len(examples)} rows{measured}.")


def known_data(made: Queue, say: Callable[[str], None]) -> None:
    """Freeze the rows on which the queue's policies are checked, where none are frozen."""
    if known.newest(made.pk) is not None:
        return
    demo = rows.DEMOS[made.slug]
    frozen = known.freeze(queue=made, file=rows.FOLDER / demo.file, wanted=demo.is_known, note=NOTE, at=log.now())
    say(f"Known data of {made.slug}: {frozen.rows} rows, {frozen.positives} of them positive.")


def passwords() -> list[str]:
    """Make the people with a password of their own each; return the lines that show it, this once.

    One per role, and a second manager: who drafts a policy does not approve it.
    """
    lines = []
    for word, role in [*((str(role), role) for role in Membership.Role), (SECOND, Membership.Role.MANAGER)]:
        email = f"{word}@{DOMAIN}"
        if User.objects.filter(email=email).exists():
            continue
        password = secrets.token_urlsafe(12)
        name = str(role.label) if word == role else f"{role.label} 2"
        people.make_user(email=email, name=name, role=role, password=password, by=None, at=log.now())
        lines.append(f"  {email:24} {password}")
    return ["People to sign in as; the passwords are shown this once:", *lines] if lines else []


def crew(count: int) -> list[User]:
    """Return the simulated reviewers, made where they are missing; the last of three or more is a lead."""
    roles = [Membership.Role.REVIEWER] * count
    if count >= SETTLED_BY:
        roles[-1] = Membership.Role.LEAD
    return [_simulated(number, role) for number, role in enumerate(roles, 1)]


def _simulated(number: int, role: Membership.Role) -> User:
    email = f"simulated-{number}@{DOMAIN}"
    found = User.objects.filter(email=email).first()
    return found or people.make_user(
        email=email, name=f"Simulated {number}", role=role, kind=User.Kind.SIMULATED, by=None, at=log.now()
    )


def keys(queues: list[Queue], known: State) -> State:
    """Return the state with every key the demo's processes need; makes those that are missing."""
    known.site = settings.PUBLIC_URL
    known.receiver_port = known.receiver_port or ports.choose(None)
    known.sender_token = known.sender_token or _token(SENDER, queues, Token.Scope.INTAKE)
    known.receiver_token = known.receiver_token or _token(RECEIVER, queues, Token.Scope.MANAGE)
    for made in queues:
        url = f"http://{ports.LOOPBACK}:{known.receiver_port}/"
        rotate = made.slug not in known.secrets
        secret = endpoints.put(queue=made, url=url, by=None, at=log.now(), rotate=rotate)
        known.secrets[made.slug] = secret or known.secrets[made.slug]
    return known


def _token(name: str, queues: list[Queue], scope: Token.Scope) -> str:
    at = log.now()
    service = people.make_service(name=name, role=people.role_for([scope]), queues=queues, by=None, at=at)
    _, text = people.make_token(user=service, name=name, scopes=[scope], queues=queues, by=None, at=at)
    return text
