"""Explains in a sentence why a message is refused: the field, what it accepts, and the value it has.

msgspec writes "Expected `int` >= 1 - at `$.shots[2]`". We keep the place, and write the rest anew from the type that
belongs there and the value that stands there.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import cast

import msgspec
from msgspec import inspect

from gateway.errors import RequestError

UNKNOWN = msgspec.UNSET
"""Stands for a value that could not be read back."""

_LONGEST = 60
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_FIELD = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<name>.*)`")
_TOO_LONG = re.compile(r"Expected `array` of at most length (\d+)")

Step = str | int
"""The name of a field or the index of an item, on the way into a message."""


def refusal(
    exc: msgspec.ValidationError,
    kind: type,
    data: object = UNKNOWN,
    *,
    whole: str = "the request",
    null: str = "null",
    internal: Collection[str] = (),
) -> RequestError:
    """Return the error that explains in a sentence why a message is refused; its ``field`` is the place.

    Args:
        exc: the error of msgspec.
        kind: the type of the message.
        data: the message as plain data, if that is at hand.
        whole: the words for the message itself.
        null: the word for no value: ``null`` on the wire, ``None`` to a Python caller, empty where no value needs no
            word.
        internal: the names of fields that no hint names.
    """
    text, _, where = str(exc).partition(" - at ")
    path = where.strip("`").removeprefix("$").removeprefix(".") or None
    if exc.__cause__ is not None:  # one of our types refused the value, in a sentence of its own
        return RequestError(f"{path}: {text}" if path else text, field=path)
    steps = _steps(where)
    expected, value = _type_at(inspect.type_info(kind), steps), _value_at(data, steps)
    about_field, too_long = _FIELD.fullmatch(text), _TOO_LONG.fullmatch(text)
    if about_field is not None:
        return _wrong_field(about_field["what"], about_field["name"], path, expected, whole, internal)
    if too_long is not None and path is None:  # the one refusal whose place msgspec does not name
        return RequestError(f"an array in {whole} has more than {too_long[1]} values", field=None)
    if expected is None:
        return RequestError(f"{path or whole}: {text.replace('`', '')}", field=path)
    but = "" if value is UNKNOWN else f", not {_in_words(value, null)}{_suggestion(expected, value)}"
    return RequestError(f"{path or whole} must be {_acceptable(expected, null)}{but}", field=path)


def named_choices(name: object, choices: Iterable[str]) -> str:
    """Return the choices as part of a sentence, the closest to a name first."""
    known = list(choices)
    close = difflib.get_close_matches(str(name), known, n=1)
    return f"did you mean {close[0]!r}? Known are {', '.join(known)}" if close else f"known are {', '.join(known)}"


def _wrong_field(
    what: str, name: str, path: str | None, expected: inspect.Type | None, whole: str, internal: Collection[str]
) -> RequestError:
    field = f"{path}.{name}" if path else name
    if what == "missing required":
        return RequestError(f"{path or whole} lacks the field {name!r}", field=field)
    structs = [one for one in _members(expected) if isinstance(one, inspect.StructType)]
    names = [field.encode_name for one in structs for field in one.fields]
    names = [one for one in names if one not in internal]
    return RequestError(f"{path or whole} has no field {name!r}: {named_choices(name, names)}", field=field)


def _steps(where: str) -> list[Step]:
    parts = _STEP.findall(where)
    return [name or (int(index) if index.isdigit() else index) for name, index in parts]


# ---------------------------------------------------------------------- the value that a message has


def _value_at(value: object, steps: Sequence[Step]) -> object:
    for step in steps:
        try:
            value = value[step]  # type: ignore[index]  # the path is of this very value
        except (TypeError, LookupError):
            return UNKNOWN
    return value


def _in_words(value: object, null: str) -> str:
    if value is None:
        return null
    if isinstance(value, bool):
        return str(value) if null == "None" else str(value).lower()
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = repr(value)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return f"the text {text}" if isinstance(value, str) else text


def _suggestion(expected: inspect.Type, value: object) -> str:
    choices = [str(one) for member in _members(expected) for one in _choices(member)]
    close = difflib.get_close_matches(value.lower(), choices, n=1) if isinstance(value, str) else []
    return f": did you mean {close[0]!r}?" if close else ""


# ---------------------------------------------------------------------- the type that belongs there


def _members(expected: inspect.Type | None) -> list[inspect.Type]:
    """Return the alternatives of a type, without documentation around them."""
    if isinstance(expected, inspect.Metadata):
        return _members(expected.type)
    if isinstance(expected, inspect.UnionType):
        return [member for one in expected.types for member in _members(one)]
    return [] if expected is None else [expected]


def _type_at(expected: inspect.Type, steps: Sequence[Step]) -> inspect.Type | None:
    for step in steps:
        types = [one for member in _members(expected) if (one := _inside(member, step)) is not None]
        if not types:
            return None
        expected = types[0]
    return expected


def _inside(outer: inspect.Type, step: Step) -> inspect.Type | None:
    """Return the type of a field or an item."""
    if isinstance(outer, inspect.StructType):
        if outer.array_like:
            return outer.fields[step].type if isinstance(step, int) and step < len(outer.fields) else None
        return next((field.type for field in outer.fields if field.encode_name == step), None)
    if isinstance(outer, inspect.DictType):
        return outer.value_type
    if isinstance(outer, inspect.TupleType):
        return outer.item_types[step] if isinstance(step, int) and step < len(outer.item_types) else None
    item = getattr(outer, "item_type", None)
    return item if isinstance(step, int) or step == "..." else None


def _acceptable(expected: inspect.Type, null: str) -> str:
    """Describe a type as part of a sentence: ``an integer of at least 1, a list or null``."""
    members = sorted(_members(expected), key=lambda one: isinstance(one, inspect.NoneType))
    members = members if null else [one for one in members if not isinstance(one, inspect.NoneType)]
    words = [word for one in members for word in ([null] if isinstance(one, inspect.NoneType) else _words(one))]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _words(one: inspect.Type) -> list[str]:
    say = next((say for kind, say in _WORDS.items() if isinstance(one, kind)), None)
    if say is not None:
        return [say(one)]
    return [repr(choice) for choice in _choices(one)] or [type(one).__name__.removesuffix("Type").lower()]


def _choices(one: inspect.Type) -> list[object]:
    if isinstance(one, inspect.EnumType):
        return [member.value for member in one.cls]
    return list(one.values) if isinstance(one, inspect.LiteralType) else []


def _number(noun: str) -> Callable[[inspect.Type], str]:
    def say(one: inspect.Type) -> str:
        return f"{noun}{_range(cast('inspect.IntType | inspect.FloatType', one))}"

    return say


def _range(one: inspect.IntType | inspect.FloatType) -> str:
    if one.ge is not None and one.lt is not None and isinstance(one, inspect.IntType):
        return f" from {one.ge} to {one.lt - 1}"
    if one.ge is not None and one.le is not None:
        return f" from {one.ge} to {one.le}"
    bounds = {"of at least": one.ge, "above": one.gt, "of at most": one.le, "below": one.lt}
    limits = [f"{words} {bound}" for words, bound in bounds.items() if bound is not None]
    return f" {' and '.join(limits)}" if limits else ""


def _text(one: inspect.Type) -> str:
    text = cast("inspect.StrType", one)
    if text.max_length is not None:
        return f"text of {text.min_length or 0} to {text.max_length} characters"
    return "text that is not empty" if text.min_length else "text"


def _array(one: inspect.Type) -> str:
    item = getattr(one, "item_type", None)
    names = {
        inspect.IntType: "a list of integers",
        inspect.FloatType: "a list of numbers",
        inspect.StrType: "a list of texts",
    }
    members = _members(item) if item is not None else []
    words = names.get(type(members[0]), "a list") if len(members) == 1 else "a list"
    return f"{words} that is not empty" if getattr(one, "min_length", None) else words


def _struct(one: inspect.Type) -> str:
    struct = cast("inspect.StructType", one)
    if not struct.array_like:
        return f"an object with the fields of {struct.cls.__name__}"
    names = ", ".join(field.encode_name for field in struct.fields)
    optional = sum(not field.required for field in struct.fields)
    return f"the array [{names}]" + (f", of which the last {optional} may be left out" if optional else "")


_WORDS: dict[type[inspect.Type], Callable[[inspect.Type], str]] = {
    inspect.BoolType: lambda _: "true or false",
    inspect.IntType: _number("an integer"),
    inspect.FloatType: _number("a number"),
    inspect.StrType: _text,
    inspect.DateTimeType: lambda _: "a time in the form of RFC 3339",
    inspect.StructType: _struct,
    inspect.DictType: lambda _: "an object",
    inspect.CollectionType: _array,
    inspect.TupleType: _array,
}
