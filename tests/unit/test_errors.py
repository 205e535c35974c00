from __future__ import annotations

import copy
import pickle
import re

import pytest

from gateway import errors
from gateway.errors import BY_CODE, GatewayError
from gateway.execution.function import Function  # noqa: F401 - every module that could define an error is loaded
from gateway.server.http import app  # noqa: F401

CLASSES = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, GatewayError)]
SAMPLE = {"line": 3, "column": 4, "operation": 2, "exit_code": -9, "requested": 5, "allowed": 4}

each = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def example(cls: type[GatewayError]) -> GatewayError:
    return cls("it went wrong", circuit=1, **{name: SAMPLE.get(name, f"the {name}") for name in cls.fields})


@each
def test_a_class_has_a_code_of_its_own_a_status_and_a_sentence(cls):
    assert BY_CODE[cls.code] is cls
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cls.code)
    assert 400 <= cls.status < 600
    assert cls.__doc__
    assert cls.__doc__.splitlines()[0].endswith((".", "``."))


def test_a_message_that_quotes_a_caller_is_cut_and_that_of_a_server_is_not():
    assert len(errors.CircuitInvalidError(f"there is no gate named {'x' * 10**6}").message) < 1100
    assert str(errors.RequestError("x" * 2000)).endswith("x...")
    assert len(errors.ServerStartError("x" * 2000).message) == 2000


def test_the_table_of_codes_holds_every_class():
    assert set(BY_CODE.values()) == set(CLASSES)
    assert len(BY_CODE) == len(CLASSES)


@each
def test_fields_are_annotated_attributes_and_none_where_unknown(cls):
    annotated = {name for base in cls.__mro__ if issubclass(base, GatewayError) for name in base.__annotations__}
    assert set(cls.fields) <= annotated
    assert all(getattr(cls("x"), name) is None for name in cls.fields)
    error = example(cls)
    assert error.details == {name: getattr(error, name) for name in cls.fields}
    assert None not in error.details.values()


@each
def test_an_error_survives_pickling_and_copying(cls):
    error = example(cls)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301
        assert type(again) is cls
        assert (str(again), again.circuit, again.details) == (str(error), 1, error.details)


@each
def test_an_unknown_field_is_refused(cls):
    with pytest.raises(TypeError, match=f"{cls.__name__} has no field 'nonsense'"):
        cls("x", nonsense=1)


@each
def test_the_tree_in_the_docstring_shows_the_class_under_its_base_with_its_status(cls):
    drawn = _drawn_tree()
    assert cls.__name__ in drawn, f"draw {cls.__name__} in the docstring of gateway.errors"
    base, status = drawn[cls.__name__]
    if cls is not GatewayError:
        assert base == cls.__bases__[0].__name__
    if status is not None:
        assert status == cls.status


def test_the_tree_in_the_docstring_shows_nothing_else():
    assert set(_drawn_tree()) == {cls.__name__ for cls in CLASSES}


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        (errors.RequestError, ValueError),
        (errors.CircuitSyntaxError, ValueError),
        (errors.UnsupportedError, ValueError),
        (errors.LimitError, ValueError),
        (errors.AuthenticationError, PermissionError),
        (errors.Forbidden, PermissionError),
        (errors.JobTimeout, TimeoutError),
        (errors.SimulatorError, RuntimeError),
        (errors.SimulatorNotInstalled, ImportError),
        (errors.TransportError, ConnectionError),
        (errors.TransportTimeout, TimeoutError),
        (errors.ServerStartError, RuntimeError),
    ],
)
def test_an_error_is_also_the_builtin_a_caller_expects(cls, builtin):
    with pytest.raises(builtin, match="it went wrong"):
        raise example(cls)


def test_syntax_errors_begin_with_the_place_and_say_it_once():
    error = errors.CircuitSyntaxError("no such gate", line=3, column=4)
    assert str(error) == "line 3, column 4: no such gate"
    assert str(errors.CircuitSyntaxError("no such gate", line=3)) == "line 3: no such gate"
    assert str(errors.CircuitSyntaxError("no such gate")) == "no such gate"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


def _drawn_tree() -> dict[str, tuple[str | None, int | None]]:
    """Read class -> (base, status) off the drawing."""
    found: dict[str, tuple[str | None, int | None]] = {}
    path: list[str] = []
    for line in errors.__doc__.splitlines():
        match = re.match(r"    ([│ ]*(?:├─ |└─ )?)([A-Z]\w+)(?:\s+(\d{3}))?", line)
        if match:
            depth = len(match[1]) // 3
            path[depth:] = [match[2]]
            found[match[2]] = (path[depth - 1] if depth else None, int(match[3]) if match[3] else None)
    return found
