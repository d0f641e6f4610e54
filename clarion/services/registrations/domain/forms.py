"""What a person fills in, held against what the host asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clarion.schemas.registrations import Question
from clarion.services.registrations.domain import people


@dataclass(frozen=True, slots=True)
class Form:
    """A form that can be taken."""

    name: str
    email: str
    answers: Mapping[str, str]


class Unfit(Exception):
    """The form cannot be taken; `errors` says for each field why, answers as `answers.<key>`."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors.items()))
        self.errors = errors


def read_form(questions: list[Question], name: str, email: str, answers: Mapping[str, Any]) -> Form:
    """The form as it is kept; answers to what nobody asked are dropped.

    Raises:
        Unfit: a field is missing, malformed or too long.
    """
    errors: dict[str, str] = {}
    asked = {question.key: answers.get(question.key) for question in questions}
    kept_name, kept_email = name, email
    try:
        kept_name = people.name(storable(name))
    except ValueError as error:
        errors["name"] = str(error)
    try:
        kept_email = people.address(storable(email)) if email.strip() else ""
        if not kept_email:
            errors["email"] = "tell your mail address"
    except ValueError as error:
        errors["email"] = str(error)
    kept = _read_answers(questions, asked, errors)
    if errors:
        raise Unfit(errors)
    return Form(kept_name, kept_email, kept)


def storable(text: str) -> str:
    """The text; ValueError for characters that cannot be stored."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("this holds characters that cannot be stored")
    return text


def _read_answers(questions: list[Question], asked: Mapping[str, Any], errors: dict[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for question in questions:
        field = f"answers.{question.key}"
        try:
            text = people.answers({question.key: asked[question.key]})[question.key]
        except ValueError as error:
            errors[field] = str(error)
            continue
        if question.required and not text:
            errors[field] = "this needs an answer"
        elif text and question.choices and text not in question.choices:
            errors[field] = "choose one of the answers"
        elif text:
            kept[question.key] = text
    try:
        people.answers(kept)
    except ValueError as error:
        errors["answers"] = str(error)
    return kept
