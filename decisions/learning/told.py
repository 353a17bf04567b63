"""What a training run says, in words: lines of its log and what came of comparing weightings."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions.learning import selection
from decisions.learning.selection import Weighting, Why
from decisions.models import TrainingLine, TrainingRun

WEIGHTINGS = {
    Weighting.UNWEIGHTED: gettext_lazy("all rows alike"),
    Weighting.CLIPPED: gettext_lazy("by 1/π, at most ten"),
    Weighting.FULL: gettext_lazy("by 1/π in full"),
}
REFUSED = "refused"  # the words of a refusal as they came
ERRORS = {
    "too_few": gettext_lazy(
        "At least %(count)d rows of each answer are needed; there are %(positives)d positive and %(negatives)d "
        "negative ones."
    ),
    "one_answer": gettext_lazy(
        "One of the answers occurs only in the latest rows, so no model can be measured on later rows."
    ),
    "no_words": gettext_lazy("A text field holds no words to learn from, in all rows or in the earliest ones."),
    "too_long": gettext_lazy("It took longer than a training run may."),
    "unforeseen": gettext_lazy("%(error)s: the server's log says where."),
    "killed": gettext_lazy("Its worker was killed %(count)d times."),
}
WARNINGS = {
    "after_field": gettext_lazy("The field “%(field)s” is known only after the decision: it is left out."),
    "telling_field": gettext_lazy("The field “%(field)s” alone gives nearly every answer: is it known beforehand?"),
    "label_before_item": gettext_lazy("The answers of %(count)s rows were there before their items."),
    "known_rows": gettext_lazy("%(count)s rows are also in the known set, on which policies are checked."),
    "contradicting": gettext_lazy("%(count)s rows have the same fields as others and another answer."),
    "repeated": gettext_lazy("%(count)s later rows repeat earlier ones: what is measured on them is too good."),
    "late_labels": gettext_lazy("The answers of %(count)s earlier rows came only after the later rows began."),
    "simulated": gettext_lazy("%(count)s rows were answered by simulated people."),
}
LINES = {
    **WARNINGS,
    "started": gettext_lazy("A worker took the run up."),
    "again": gettext_lazy("Another worker took it up from the beginning: attempt %(attempt)s."),
    "rows": gettext_lazy("The data set has %(rows)s rows with an answer; %(left_out)s that say neither were left out."),
    "newest": gettext_lazy("Only the newest %(rows)s rows are used: more do not fit into memory."),
    "counted": gettext_lazy(
        "%(positives)s positive and %(negatives)s negative rows; %(judges)s of audits and controls, "
        "%(without_propensity)s without a logged probability."
    ),
    "known": gettext_lazy("The same rows and the same recipe were trained before: it is the model %(model)s."),
    "filter_made": gettext_lazy(
        "The filter %(model)s is stored: it learnt from %(errors)s errors of the model in %(rows)s rows."
    ),
    "filter_too_few": gettext_lazy(
        "There is no filter: the model erred in %(errors)s of %(rows)s rows, and it takes %(least)s rows with "
        "%(fewest)s errors or more, and as many without."
    ),
    "filter_one_answer": gettext_lazy("There is no filter: the model erred only in the latest rows."),
    "done": gettext_lazy("The model %(model)s is stored. It routes nothing until a policy that pins it is published."),
    "failed": gettext_lazy("It failed: %(error)s"),
    "cancel_asked": gettext_lazy("Somebody asked to cancel the run."),
    "lost": gettext_lazy("Its worker gave no sign of life any more. The run waits for another one."),
    "given_up": gettext_lazy("It was given up: it took its worker with it %(count)s times."),
}


def line(one: TrainingLine) -> str:
    """Return a line of a run's log in words."""
    if one.code == "failed":
        return str(LINES[one.code]) % {"error": error(one.figures["why"])}
    if one.code in set(map(str, Why)):
        return weighting_log(one.code, one.figures)
    return str(LINES[one.code]) % one.figures if one.code in LINES else one.code


def error(kept: Mapping[str, Any]) -> str:
    """Return why a run failed in words, from its `code` and `figures`."""
    figures: dict[str, Any] = kept["figures"]
    return str(ERRORS[kept["code"]]) % figures if kept["code"] in ERRORS else str(figures["said"])


def failure(run: TrainingRun) -> str:
    """Return why a run failed in the reader's language, "" where it did not."""
    kept = run.steps.get(run.step, {}).get("error")
    return error(kept) if kept else run.error


def weighting_log(why: str, figures: Mapping[str, Any]) -> str:
    """Return which weighting was kept, and why."""
    kept = WEIGHTINGS[Weighting(figures["kept"])]
    words = {"kept": kept, "rows": figures["rows"], "effective": figures["effective"], "fewest": selection.FEWEST}
    if why == Why.BETTER:
        return _("Rows count %(kept)s: surely better on %(rows)s audits and controls.") % words
    if why == Why.NOISE:
        return _("Rows count all alike: on %(rows)s audits and controls nothing else is surely better.") % words
    if why == Why.SAME:
        return _("Rows count all alike: nothing in their logged probabilities tells them apart.")
    return (
        _(
            "Rows count all alike: the %(rows)s audits and controls among the later rows are worth %(effective)s equal "
            "ones; to judge by them takes %(fewest)s, and ten of each answer."
        )
        % words
    )
