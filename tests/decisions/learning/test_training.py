"""Training: what comes out, that it comes out the same again, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from decisions.exceptions import Invalid
from decisions.learning import registry, training
from decisions.learning.training import Example
from decisions.models import Event, ModelVersion, Policy, Queue
from decisions.queues import live
from decisions.queues.spec import FieldType, ModelSpec, PayloadField
from decisions.record import digest
from tests.factories import NOON, make_policy, make_queue, make_spec

pytestmark = pytest.mark.django_db

BOOSTING = ModelSpec(pipeline="boosting", label="spam", positive="1")
LOGISTIC = replace(BOOSTING, pipeline="logistic")


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def examples(count: int = 400, seed: int = 3) -> list[Example]:
    """Spam has many words and comes by chat; some values are missing."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        words, chat = float(rng.integers(0, 100)), bool(rng.integers(0, 2))
        is_spam = rng.uniform() < (0.05 + 0.7 * (words > 60) * chat)
        payload: dict[str, Any] = {
            "text": "win a prize now" if is_spam and rng.uniform() < 0.5 else "see you tomorrow",
            "words": words if rng.uniform() > 0.1 else None,
            "amount": float(rng.uniform()),
            "kind": "chat" if chat else "mail",
        }
        made.append(Example(f"mail-{i:06d}", payload, bool(is_spam)))
    return made


def train(queue: Queue, rows: list[Example], *, in_time: bool = False) -> ModelVersion:
    return training.train(queue=queue, examples=rows, in_time=in_time, by=None, at=NOON)


@pytest.mark.parametrize("spec", [BOOSTING, LOGISTIC])
@pytest.mark.parametrize("in_time", [False, True])
def test_a_trained_model_ranks_is_calibrated_and_leaves_its_event(spec: ModelSpec, in_time: bool) -> None:
    model = train(make_queue(model=spec), examples(), in_time=in_time)
    assert model.metrics["auc"] > 0.75
    assert (model.kind, model.metrics["rows"]) == ("pipeline", 400)
    fresh = examples(seed=4)
    p = registry.load(model).score([example.payload for example in fresh])
    assert ((p >= 0) & (p <= 1)).all()
    assert p.mean() == pytest.approx(np.mean([example.is_positive for example in fresh]), abs=0.05)
    event = Event.objects.filter(kind="model.trained").earliest("seq")
    assert orjson.loads(event.entry)["rows"] == [["modelversion", model.pk, digest.of_row(model).hex()]]


def test_a_model_that_learnt_nothing_scores_all_about_as_the_share_of_positives() -> None:
    rng = np.random.default_rng(23)  # by chance the scores of other folds run the wrong way
    noise = [replace(example, is_positive=bool(rng.uniform() < 0.2)) for example in examples()]
    payloads = [example.payload for example in noise]
    p = registry.load(train(make_queue(model=BOOSTING), noise)).score(payloads)
    assert p.mean() == pytest.approx(np.mean([example.is_positive for example in noise]), abs=0.03)
    assert np.ptp(p) < 0.15


def test_the_same_rows_and_recipe_give_the_same_model_and_no_second_event() -> None:
    queue = make_queue(model=BOOSTING)
    first, again = train(queue, examples()), train(queue, examples())
    assert first.pk == again.pk
    assert Event.objects.filter(kind="model.trained").count() == 2  # of the model and of the simpler one


def test_other_rows_or_another_recipe_give_another_model() -> None:
    queue = make_queue(model=BOOSTING)
    names = {
        train(queue, examples()).name,
        train(queue, examples(seed=5)).name,
        train(queue, examples(), in_time=True).name,
        train(make_queue(model=LOGISTIC), examples()).name,
    }
    assert len(names) == 4


@pytest.mark.parametrize("spec", [BOOSTING, LOGISTIC])
def test_a_simpler_model_over_the_numbers_comes_along_and_stands_in_for_it(spec: ModelSpec) -> None:
    queue = make_queue(model=spec)
    main = train(queue, examples())
    simpler = ModelVersion.objects.get(queue=queue, kind="simpler")
    assert (simpler.data_set, simpler.metrics["rows"]) == (main.data_set, 400)
    scorer = registry.load(simpler)
    assert [feature.name for feature in scorer.features] == ["words", "amount"]
    few, many = scorer.score([{"words": 5.0, "kind": "chat"}, {"words": 95.0, "kind": "mail"}])
    assert few < many
    make_policy(queue, "live", model=main, hard=0.9)
    assert live.of(queue.slug).simpler == simpler


def test_a_model_that_is_a_line_over_numbers_needs_none() -> None:
    queue = make_queue(model=replace(LOGISTIC, features=("words", "amount")))
    train(queue, examples())
    assert not ModelVersion.objects.filter(kind="simpler").exists()


def test_a_model_without_numbers_gets_none() -> None:
    queue = make_queue(model=replace(LOGISTIC, features=("text", "kind")))
    train(queue, examples())
    assert not ModelVersion.objects.filter(kind="simpler").exists()


def test_no_policy_may_pin_a_simpler_model() -> None:
    queue = make_queue(model=BOOSTING)
    train(queue, examples())
    with pytest.raises(Invalid) as refused:
        make_policy(queue, model=ModelVersion.objects.get(kind="simpler"))
    assert [fault.field for fault in refused.value.faults] == ["model"]


@pytest.mark.parametrize("spec", [BOOSTING, LOGISTIC])
def test_a_lost_file_is_made_again_byte_for_byte(spec: ModelSpec) -> None:
    queue = make_queue(model=spec)
    model = train(queue, examples())
    path = registry.folder() / model.file
    before = path.read_bytes()
    path.unlink()
    assert train(queue, examples()).pk == model.pk
    assert path.read_bytes() == before


def test_gaps_unseen_categories_and_wrong_types_are_scored() -> None:
    model = train(make_queue(model=BOOSTING), examples())
    odd: list[dict[str, Any]] = [{}, {"kind": "pigeon", "words": "many"}, {"kind": 5, "words": None, "amount": []}]
    p = registry.load(model).score(odd)
    assert np.isfinite(p).all()
    assert p[0] == p[1] == p[2]  # all of it is a gap


def test_text_is_read_by_the_logistic_pipeline() -> None:
    model = train(make_queue(model=LOGISTIC), examples())
    common = {"words": 10.0, "amount": 0.5, "kind": "chat"}
    prize, dull = registry.load(model).score([{**common, "text": "win a prize"}, {**common, "text": "see you"}])
    assert prize > dull


@pytest.mark.parametrize(
    ("spec", "rows"),
    [
        (ModelSpec(), examples()),  # scores come from outside
        (BOOSTING, examples(20)),  # too few
        (BOOSTING, [replace(example, is_positive=False) for example in examples()]),  # one answer only
        (replace(BOOSTING, features=("text",)), examples()),  # nothing that trees can read
    ],
)
def test_what_cannot_be_trained_is_refused(spec: ModelSpec, rows: list[Example]) -> None:
    with pytest.raises(Invalid):
        train(make_queue(model=spec), rows)
    assert not ModelVersion.objects.filter(kind="pipeline").exists()


def write(file: Path, rows: list[Example]) -> Path:
    lines = ["time,words,kind,spam"]
    lines += [
        f"2012-{1 + i // 250:02d}-01,{e.payload['words'] or ''},{e.payload['kind']},{int(e.is_positive)}"
        for i, e in enumerate(rows)
    ]
    file.write_text("\n".join(lines))
    return file


def test_the_command_trains_on_the_part_that_is_named_and_publishes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = (
        PayloadField("words", FieldType.NUMBER, "Words"),
        PayloadField("kind", FieldType.CATEGORY, "Kind", categories=("mail", "chat")),
    )
    queue = make_queue(model=BOOSTING, fields=fields, value_field="", value=make_spec().value.__class__())
    file = write(tmp_path / "rows.csv", examples(500))
    call_command("train", queue.slug, str(file), "--where", "time<2012-02-01", "--time", "time", "--publish")
    model = ModelVersion.objects.get(kind="pipeline")
    assert model.metrics["rows"] == 250
    live = Policy.objects.live().get(queue=queue)
    assert (live.model_id, live.no) == (model.pk, 2)
    assert model.name in capsys.readouterr().out


@pytest.mark.parametrize(
    "options", [["--where", "nonsense"], ["--where", "no_such_column<1"], ["--as", "nobody@example.org"]]
)
def test_the_command_says_what_is_wrong(tmp_path: Path, options: list[str]) -> None:
    queue = make_queue(model=BOOSTING)
    file = write(tmp_path / "rows.csv", examples(50))
    with pytest.raises(CommandError):
        call_command("train", queue.slug, str(file), *options)


def test_the_command_refuses_a_file_that_is_none_or_lacks_the_truth(tmp_path: Path) -> None:
    queue = make_queue(model=BOOSTING)
    (tmp_path / "bare.csv").write_text("words\n5\n")
    for name in ("missing.csv", "bare.csv"):
        with pytest.raises(CommandError):
            call_command("train", queue.slug, str(tmp_path / name))
