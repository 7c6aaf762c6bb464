"""Answers read from a file instead of the numbering plan, for tests that say what ClearIP does."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from inline_proxy.lab.answer import Action, Answer, TemplateError, check_places

NOT_COVERED: Final = Answer(500, "No Rule In The Lab")


class RulesError(ValueError):
    """The file of answers is wrong; the text names the rule and the key."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer for each call whose user part the pattern is found in."""

    user: re.Pattern[str]
    answer: Answer


class _RuleSchema(Schema):
    """One rule; every key but `user` has the default of `Answer`."""

    user = fields.String(required=True)
    status = fields.Integer(load_default=200, validate=validate.Range(100, 699))
    reason = fields.String(load_default="OK")
    headers = fields.List(fields.String(), load_default=list)
    trying = fields.Boolean(load_default=False)
    ringing = fields.Boolean(load_default=False)
    delay_ms = fields.Integer(load_default=0, validate=validate.Range(min=0))
    action = fields.String(
        load_default="reply", validate=validate.OneOf([action.value for action in Action])
    )

    @post_load
    def _rule(self, data: dict[str, object], **_: object) -> Rule:
        """Make the rule."""
        pattern = str(data.pop("user"))
        headers = data.pop("headers")
        action = Action(str(data.pop("action")))
        answer = Answer(headers=tuple(headers), action=action, **data)  # type: ignore[arg-type]
        try:
            check_places(answer)
            return Rule(re.compile(pattern), answer)
        except (TemplateError, re.error) as error:
            raise ValidationError(str(error)) from error


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Read a JSON list of rules; raises `OSError` or `RulesError`."""
    try:
        return parse_rules(json.loads(path.read_text(encoding="utf-8")))
    except (RulesError, json.JSONDecodeError) as error:
        raise RulesError(f"{path}: {error}") from error


def parse_rules(entries: object) -> tuple[Rule, ...]:
    """Read rules that are already JSON values; raises `RulesError`."""
    if not isinstance(entries, list):
        raise RulesError("expected a list of rules")
    try:
        return tuple(_RuleSchema(many=True).load(entries))
    except ValidationError as error:
        raise RulesError(str(error.messages)) from error


def answer_by(rules: Sequence[Rule], user: str) -> Answer:
    """Give the answer of the first rule that covers the user part; 500 when none does."""
    return next((rule.answer for rule in rules if rule.user.search(user)), NOT_COVERED)
