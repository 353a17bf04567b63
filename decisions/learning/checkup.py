"""What a frozen file of labelled rows holds, and what in it would mislead a model. Pure: from columns to figures.

Everything is worked out from the file alone, in its order, and rounded, so that the same file gives the same figures.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score

from decisions.learning import parquet, weights
from decisions.models import Label
from decisions.queues.spec import NUMERIC, PayloadField
from decisions.record import digest

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

NEARLY = 0.99  # an area under the curve above which one field alone gives the answer away
FEWEST = 20  # rows of each answer without which no area is worked out
LAST = 0.2  # of the rows, by time: what a split by time would test on
DIGITS = 6


def figures(path: Path, fields: Sequence[PayloadField], known: Callable[[bytes], bool]) -> dict[str, Any]:
    """Return what a file holds: answers and weights by provenance, times, and `leaks`.

    `known` says whether the frozen known set has a row of this fingerprint (`fingerprint`).
    """
    rows = pq.read_table(path, columns=["label", "weight", "provenance", "true_at", "occurred_at", "arrived_at"])
    label, weight = rows["label"].to_numpy().astype(np.float64), rows["weight"].to_numpy()
    provenance = rows["provenance"].to_numpy().astype(object)
    at = _times(rows)
    true_at = _micros(rows["true_at"])
    prints = list(_prints(path, fields))
    return {
        "answers": _answers(label, provenance),
        "weights": _weights(label, weight, provenance),
        "times": {"items": _span(at), "labels": _span(true_at)},
        "leaks": {
            "label_before_item": int((true_at < at).sum()),
            "contradicting": _contradicting(prints, label),
            "telling_fields": _telling(path, fields, label),
            "after_fields": [one.name for one in fields if one.after],
            "known_rows": sum(map(known, prints)),
            "split": _split(at, true_at, prints),
        },
    }


def fingerprint(values: Sequence[Any]) -> bytes:
    """Return 8 bytes that tell one payload from another, from its fields' values as their columns hold them."""
    return hashlib.sha256(digest.canonical(list(values))).digest()[:8]


def of_payload(payload: dict[str, Any], fields: Sequence[PayloadField]) -> bytes:
    """Return the fingerprint of a payload as it was sent."""
    return fingerprint([parquet.column_value(payload.get(one.name), one) for one in fields])


def _prints(path: Path, fields: Sequence[PayloadField]) -> Iterator[bytes]:
    names = [parquet.PAYLOAD + one.name for one in fields]
    with pq.ParquetFile(path) as file:
        for group in file.iter_batches(columns=names):
            yield from map(fingerprint, zip(*(group[name].to_pylist() for name in names), strict=True))


def _times(rows: pa.Table) -> IntArray:
    """Return when each item occurred, its arrival where nobody said, in microseconds since 1970."""
    return _micros(pc.coalesce(rows["occurred_at"], rows["arrived_at"]))


def _micros(column: pa.ChunkedArray) -> IntArray:
    micros: IntArray = column.cast(pa.int64()).to_numpy()
    return micros


def _span(at: IntArray) -> list[str]:
    """Return the first and the last time."""
    if not len(at):
        return []
    first, last = (np.datetime64(int(one), "us").item() for one in (at.min(), at.max()))
    return [f"{first.isoformat()}Z", f"{last.isoformat()}Z"]


def _answers(label: FloatArray, provenance: npt.NDArray[np.object_]) -> dict[str, dict[str, int]]:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for where, value in zip(provenance, label, strict=True):
        counted[where][parquet.CLASSES[None if np.isnan(value) else int(value)]] += 1
    return {where: dict(sorted(counts.items())) for where, counts in sorted(counted.items())}


def _weights(label: FloatArray, weight: FloatArray, provenance: npt.NDArray[np.object_]) -> dict[str, dict[str, float]]:
    """Return sum, least and most of the weights of rows that say yes or no, and how many equal ones they are worth."""
    says = ~np.isnan(label)
    found = {"all": says, **{where: says & (provenance == where) for where in sorted(set(provenance))}}
    return {
        where: {
            "rows": int(mask.sum()),
            "sum": round(float(weight[mask].sum()), DIGITS),
            "min": float(weight[mask].min()),
            "max": float(weight[mask].max()),
            "effective": round(weights.effective(weight[mask]), DIGITS),
        }
        for where, mask in found.items()
        if mask.any()
    }


def _contradicting(prints: Sequence[bytes], label: FloatArray) -> dict[str, int]:
    """Return how many payloads came with both answers, and how many rows have one of these."""
    answers: dict[bytes, set[float]] = defaultdict(set)
    for one, value in zip(prints, label, strict=True):
        if not np.isnan(value):
            answers[one].add(value)
    both = {one for one, values in answers.items() if len(values) > 1}
    return {"payloads": len(both), "rows": sum(one in both for one in prints)}


def _telling(path: Path, fields: Sequence[PayloadField], label: FloatArray) -> list[dict[str, Any]]:
    """Return the fields of which one alone orders the rows nearly as the answers do, each with its area."""
    says = ~np.isnan(label)
    truth = label[says].astype(np.int64)
    if min(int(truth.sum()), int((1 - truth).sum())) < FEWEST:
        return []
    found = []
    for one in fields:
        name = parquet.PAYLOAD + one.name
        values = pq.read_table(path, columns=[name])[name]
        area = _area(values.filter(pa.array(says)), truth, is_number=one.type in NUMERIC)
        if area > NEARLY:
            found.append({"field": one.name, "auc": round(area, DIGITS)})
    return found


def _area(values: pa.ChunkedArray, truth: IntArray, *, is_number: bool) -> float:
    """Return the area under the curve of a field as a score, whichever way it points; its gaps count as a field too.

    Other values than numbers are scored by the share of positives that the other half of the rows has with them: from
    its own half each value that occurs once would give its answer away.
    """
    gap = values.is_null().to_numpy()
    areas = [_one_way(gap.astype(np.float64), truth)]
    if is_number:
        there = ~gap
        numbers = values.to_numpy().astype(np.float64)[there]
        areas.append(_one_way(numbers, truth[there]))
    else:
        areas.append(_one_way(_shares(values.to_pylist(), truth), truth))
    return max(areas)


def _shares(values: Sequence[Any], truth: IntArray) -> FloatArray:
    half = np.random.default_rng(0).integers(0, 2, len(values))  # drawn, for rows may alternate
    scores = np.full(len(values), truth.mean())
    for side in (0, 1):
        seen: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
        for place in np.flatnonzero(half != side).tolist():
            seen[values[place]][0] += int(truth[place])
            seen[values[place]][1] += 1
        for place in np.flatnonzero(half == side).tolist():
            if values[place] in seen:
                positives, of = seen[values[place]]
                scores[place] = positives / of
    return scores


def _one_way(score: FloatArray, truth: IntArray) -> float:
    if min(int(truth.sum()), int((1 - truth).sum())) < FEWEST:
        return 0.5
    area = float(roc_auc_score(truth, score))
    return max(area, 1 - area)


def _split(at: IntArray, true_at: IntArray, prints: Sequence[bytes]) -> dict[str, Any]:
    """Return what would leak over a split by time, which tests on the last fifth of the rows.

    `late_labels`: earlier rows whose answer was not known when the later ones begin; `repeated`: later rows whose
    payload an earlier one has too.
    """
    if len(at) < 2:
        return {}
    order = np.argsort(at, kind="stable")
    cut = int(len(at) * (1 - LAST))
    begins = int(at[order[cut]])
    earlier = {prints[place] for place in order[:cut]}
    return {
        "begins": _span(np.array([begins]))[0],
        "late_labels": int((true_at[order[:cut]] > begins).sum()),
        "repeated": sum(prints[place] in earlier for place in order[cut:]),
    }


@dataclass(frozen=True)
class Warn:
    """One thing to know before learning from a data set: which, of how many rows (or payloads), in which field."""

    code: str
    count: int = 0
    field: str = ""
    auc: float | None = None


def warnings(content: Mapping[str, Any]) -> list[Warn]:
    """Return what a manifest warns of, what is worst first."""
    if "leaks" not in content:
        return [Warn("earlier", 1)]
    leaks, classes, provenance = content["leaks"], content["classes"], content["provenance"]
    found = [Warn("after_field", field=name) for name in leaks["after_fields"]]
    found += [Warn("telling_field", field=one["field"], auc=one["auc"]) for one in leaks["telling_fields"]]
    found.append(Warn("label_before_item", leaks["label_before_item"]))
    found.append(Warn("known_rows", leaks["known_rows"]))
    found.append(Warn("contradicting", leaks["contradicting"]["rows"]))
    found.append(Warn("repeated", leaks["split"].get("repeated", 0)))
    found.append(Warn("late_labels", leaks["split"].get("late_labels", 0)))
    fewest = min(classes.get(answer, 0) for answer in ("positive", "negative"))
    found = [one for one in found if one.count or one.field]
    if fewest < FEWEST:
        found.append(Warn("few", fewest))
    simulated = provenance.get(Label.Provenance.SIMULATED, 0)
    if 0 < simulated < sum(provenance.values()):
        found.append(Warn("simulated", simulated))
    return found
