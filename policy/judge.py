"""The verdict on one action: allow, ask or deny, and the rule that said so."""

from dataclasses import dataclass
from typing import Literal

from domain.attempt import Answer, Approval, Effect, Verdict
from domain.decision import Action
from domain.incident import Incident
from policy.limits import broken_limit
from policy.table import Mode, PolicyTable, Row


@dataclass(frozen=True, slots=True)
class Policy:
    """Judges actions by a table, for the place the service runs in."""

    table: PolicyTable
    place: Literal["cluster", "sandbox"]

    def judge(self, action: Action, incident: Incident, approval: Approval | None = None) -> Verdict:
        """May this action be applied now? An approval turns "ask" into its own answer, never a "deny"."""
        row = self.table.actions.get(action.tool)
        if row is None:
            return _deny("unlisted-action", f"{action.tool} has no row in policy.yaml")
        refusal = self._refusal(action, incident, row)
        if refusal is not None:
            return refusal
        mode, rule = self._mode(action, row)
        if mode == "deny":
            return _deny(rule, f"{action.tool} is set to deny here")
        if mode == "auto":
            return Verdict(answer=Answer.ALLOW, rule=rule, reason=f"{action.tool} is set to auto here")
        return _asked(rule, action, approval)

    def _refusal(self, action: Action, incident: Incident, row: Row) -> Verdict | None:
        namespace = action.target.namespace
        if namespace in self.table.protected_namespaces:
            return _deny("protected-namespace", f"namespace {namespace} is protected")
        if not belongs(action, incident):
            return _deny("unrelated-target", f"{action.target} is not part of this incident")
        if broken := broken_limit(action, row):
            return _deny("limit", broken)
        if repeated_in_vain(action, incident):
            return _deny("tried-already", "the same action on the same target did not help before")
        return None

    def _mode(self, action: Action, row: Row) -> tuple[Mode, str]:
        for number, rule in enumerate(self.table.rules, start=1):
            if rule.matches(action.tool, action.target.namespace):
                return rule.mode, f"rules[{number}]"
        if row.mode is not None:
            return row.mode, f"actions.{action.tool}"
        return getattr(self.table.defaults, self.place), f"defaults.{self.place}"


def belongs(action: Action, incident: Incident) -> bool:
    """Whether the action's target is the incident's own or was seen while looking into it."""
    target = action.target
    if target == incident.target:
        return True
    return any(
        (target.kind, target.namespace, target.name) == (seen.kind, seen.namespace, seen.name)
        for seen in (item.seen.about for item in incident.evidence)
    )


def repeated_in_vain(action: Action, incident: Incident) -> bool:
    """Whether this incident has applied the very same change before without it helping."""
    return any(
        earlier.action.key != action.key
        and action.repeats(earlier.action)
        and earlier.verification is not None
        and earlier.verification.effect is not Effect.HELPED
        for earlier in incident.attempts
    )


def _asked(rule: str, action: Action, approval: Approval | None) -> Verdict:
    if approval is None:
        return Verdict(answer=Answer.ASK, rule=rule, reason=f"{action.tool} needs a person's approval here")
    said = f"{approval.approver}: {approval.reason}" if approval.reason else approval.approver
    if approval.granted:
        return Verdict(answer=Answer.ALLOW, rule=f"{rule} + approval", reason=f"approved by {said}")
    return _deny(f"{rule} + rejection", f"rejected by {said}")


def _deny(rule: str, reason: str) -> Verdict:
    return Verdict(answer=Answer.DENY, rule=rule, reason=reason)
