"""What is stored, a file a noun group."""

from decisions.models.appeals import Appeal
from decisions.models.doubts import Doubt
from decisions.models.evidence import Evidence
from decisions.models.facts import Fact
from decisions.models.items import Body, Intake, Item, Score
from decisions.models.learning import DataSet, Label, PendingLabel, Rollup
from decisions.models.measure import Alert, Draw, Frame, KnownCheck, KnownSet, Notice
from decisions.models.outbox import Action, Delivery, Endpoint, LabelPush, Request
from decisions.models.people import Absence, Exclusion, Membership, Shift, Token, User
from decisions.models.quality import Gold, Grade, Lot, ProposalAnswer
from decisions.models.queues import ModelVersion, Policy, PolicyChange, Queue, QueueVersion
from decisions.models.record import Event
from decisions.models.rights import RightsInForce, RightsStep, RightsVersion
from decisions.models.second import PendingOverride
from decisions.models.shadows import Shadow
from decisions.models.team import Handover, Presence
from decisions.models.training import TrainingLine, TrainingRun
from decisions.models.work import Decision, Move, Ruling, Task

__all__ = [
    "Absence",
    "Action",
    "Alert",
    "Appeal",
    "Body",
    "DataSet",
    "Decision",
    "Delivery",
    "Doubt",
    "Draw",
    "Endpoint",
    "Event",
    "Evidence",
    "Exclusion",
    "Fact",
    "Frame",
    "Gold",
    "Grade",
    "Handover",
    "Intake",
    "Item",
    "KnownCheck",
    "KnownSet",
    "Label",
    "LabelPush",
    "Lot",
    "Membership",
    "ModelVersion",
    "Move",
    "Notice",
    "PendingLabel",
    "PendingOverride",
    "Policy",
    "PolicyChange",
    "Presence",
    "ProposalAnswer",
    "Queue",
    "QueueVersion",
    "Request",
    "RightsInForce",
    "RightsStep",
    "RightsVersion",
    "Rollup",
    "Ruling",
    "Score",
    "Shadow",
    "Shift",
    "Task",
    "Token",
    "TrainingLine",
    "TrainingRun",
    "User",
]
