"""The one image: found by its content tag, else pulled, else built.

The content tag is a hash of everything the image is made of, so that an image fits this very
version of the code or is not used. The build context is put together in memory, from a checkout or
from an installed package alike.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from gateway.containers.container import HOME_LABEL, OWNER_LABEL
from gateway.containers.engine import Engine
from gateway.containers.hardening import CONTENT_LABEL, IMAGE, LABEL_PREFIX
from gateway.containers.owner import identity
from gateway.containers.tokens import Vault
from gateway.errors import ContainerError, DiskFull, EngineRefused, ImageBuildError, ImageNotFound
from gateway.version import __version__

REGISTRY_VARIABLE = "GATEWAY_REGISTRY"
"""Where images of this project can be pulled from, such as ``registry.example.org/quantum``."""

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
SOURCES = "/opt/gateway/src"
"""Where the image keeps everything that the content tag is made of."""

UNKNOWN = "unknown"
"""Content label of an image that compose or buildx built: they cannot compute it."""

BUILDER_LABEL = LABEL_PREFIX + "builder"
"""On the parts that an image is built from: whose build made them. The image itself has an empty one."""

RUNTIME_LABEL = LABEL_PREFIX + "runtime"
"""On the part of an image that has all but our own code: the hash of what it was built from."""

_FOLDER = "images/simulators"
_DOCKERFILE = f"{_FOLDER}/Dockerfile"
_OWN_DOCKERFILE = "own.Dockerfile"
_BOUNDARY = "\nFROM runtime\n"
"""In the Dockerfile: what follows is our own code."""

_RECIPE = ("Dockerfile", "healthcheck", "prepare.py")
_LOCKS = "requirements-*.lock"
"""One for each environment of simulators."""
_PASSED_ON = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "BASE_IMAGE")
_CA_FILE = f"{_FOLDER}/ca-bundle.crt"
_TAIL = 30
_SHOWN = 5
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")


@dataclass(frozen=True, slots=True)
class Step:
    """How far a build or a pull is.

    Args:
        number: of the step, from 1; 0 before the first.
        of: how many there are; 0 when that is not known.
        what: what is being done, in one line.
    """

    number: int
    of: int
    what: str


Report = Callable[[Step], None]


def content_tag(files: Mapping[str, bytes] | None = None) -> str:
    """Return twelve hex digits that name what the image is made of.

    Args:
        files: path in the build context -> bytes; those of this very package by default.
    """
    digest = hashlib.sha256()
    for path, data in sorted((context_files() if files is None else files).items()):
        digest.update(f"{path}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()[:12]


def context_files() -> dict[str, bytes]:
    """Return the build context of this very package: path -> bytes, without any CA bundle."""
    recipe = _recipe_folder()
    files = {f"{_FOLDER}/{name}": (recipe / name).read_bytes() for name in [*_RECIPE, *_locks(recipe)]}
    for package in ("gateway", "adapters"):
        root = Path(__file__).resolve().parents[2] / package
        for path in root.rglob("*"):
            inside = path.relative_to(root)
            if path.is_file() and not _left_out(inside):
                files[f"{package}/{inside.as_posix()}"] = path.read_bytes()
    return files


def _recipe_folder() -> Path:
    """Return where the Dockerfile and the lock are: beside the checkout's packages, or shipped inside ours."""
    here = Path(__file__).resolve().parent
    candidates = [here.parent.parent / _FOLDER, here / "data"]
    for folder in candidates:
        if all((folder / name).is_file() for name in _RECIPE) and _locks(folder):
            return folder
    raise ImageBuildError(
        f"the Dockerfile is not in {' nor in '.join(map(str, candidates))}: install simulator-gateway again"
    )


def _locks(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(_LOCKS))


def _left_out(inside: Path) -> bool:
    return (
        inside.parts[:2] == ("containers", "data")
        or inside.suffix == ".pyc"
        or any(part == "__pycache__" or part.startswith(".") for part in inside.parts)
    )


def pack(files: Mapping[str, bytes]) -> io.BytesIO:
    """Return a tar of the files; equal files give an equal tar, so the engine's cache holds."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(data))
    packed.seek(0)
    return packed


def ca_bundle(environment: Mapping[str, str] | None = None) -> bytes:
    """Return the CA bundle this machine's settings name; empty if they name none."""
    environment = os.environ if environment is None else environment
    for name in CA_VARIABLES:
        path = Path(environment.get(name) or "/nonexistent")
        if path.is_file():
            return path.read_bytes()
    return b""


# ---------------------------------------------------------------------- find, pull, build


def find(engine: Engine, content: str) -> str | None:
    """Return the id of the image with this content, or ``None``.

    The tag is looked at first: an image somebody derived from ours has our label too.
    """
    tagged = engine.image(f"{IMAGE}:{content}")
    if tagged is not None and tagged.labels.get(CONTENT_LABEL) == content:
        return tagged.id
    images = engine.images_labelled(f"{CONTENT_LABEL}={content}")
    return images[0] if images else None


def ensure(engine: Engine, folder: Path, report: Report, *, content: str, reference: str | None = None) -> str:
    """Return the id of the image to run: found, else pulled, else built.

    Args:
        engine: where.
        folder: of our state: its lock lets one process build while others wait.
        report: told of progress.
        content: tag of the wanted content.
        reference: an image of the user's own choice, never built here.

    Raises:
        ImageNotFound: ``reference`` is neither there nor to be pulled.
        ImageBuildError, DiskFull: the build failed.
    """
    if reference is not None:
        return _given(engine, reference, report)
    image = find(engine, content)
    if image is not None:
        return image
    vault = Vault(folder)
    with one_at_a_time(vault, report):
        return (
            find(engine, content)
            or _recognised(engine, content, report, vault.home)
            or _pulled(engine, content, report)
            or build(engine, report, builder=vault.home)
        )


def one_at_a_time(vault: Vault, report: Report) -> AbstractContextManager[None]:
    """Return what lets one process of this user build; a second one waits for the first one's image."""
    what = "waiting for another process that builds the image"
    return vault.locked_file("build", lambda: report(Step(0, 0, what)))


def _recognised(engine: Engine, content: str, report: Report, home: str) -> str | None:
    """Return the image that compose or buildx built, if it is made of this content; it gets its label then."""
    image = engine.image(f"{IMAGE}:{__version__}")
    if image is None or image.labels.get(CONTENT_LABEL) != UNKNOWN:
        return None
    report(Step(0, 0, f"looking what {IMAGE}:{__version__} is made of"))
    packed = engine.read_folder(image.id, SOURCES, {HOME_LABEL: home, OWNER_LABEL: identity()})
    if content_tag(_unpack(packed)) != content:
        return None
    same = pack({"Dockerfile": f"FROM {image.id.removeprefix('sha256:')}\n".encode()})
    labels = {CONTENT_LABEL: content}
    _follow(engine.build(same, dockerfile="Dockerfile", tags=[f"{IMAGE}:{content}"], labels=labels), report)
    return find(engine, content)


def _unpack(packed: bytes) -> dict[str, bytes]:
    """Return the files in a tar of :data:`SOURCES`, but for byte code, as in a build context: path -> bytes."""
    files = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        for entry in tar:
            path = Path(entry.name).relative_to(Path(SOURCES).name)
            if entry.isfile() and not _left_out(path):
                files[path.as_posix()] = cast("IO[bytes]", tar.extractfile(entry)).read()
    return files


def _given(engine: Engine, reference: str, report: Report) -> str:
    image = engine.image(reference)
    if image is None:
        engine.pull(reference, lambda what: report(Step(0, 0, what)))
        image = engine.image(reference)
    if image is None:
        raise ImageNotFound(f"{reference} was pulled but is not there: pull it again", image=reference)
    return image.id


def _pulled(engine: Engine, content: str, report: Report) -> str | None:
    """Pull the image, if there is a registry to ask and it has it; a failure is no more than a word."""
    registry = os.environ.get(REGISTRY_VARIABLE, "").rstrip("/")
    if not registry:
        return None
    try:
        engine.pull(f"{registry}/{IMAGE}:{content}", lambda what: report(Step(0, 0, what)))
    except ImageNotFound as exc:
        report(Step(0, 0, f"{exc}; building instead"))
        return None
    return find(engine, content)


def build(
    engine: Engine,
    report: Report,
    *,
    files: Mapping[str, bytes] | None = None,
    no_cache: bool = False,
    builder: str | None = None,
) -> str:
    """Build the image and return its id; what is unchanged is taken from earlier builds.

    It is built in two parts, so that nothing is installed when only our own code has changed, although
    what the classic builder leaves behind of the first part is removed.
    An interruption closes the connection, on which the engine gives the build up.

    Args:
        engine: where.
        report: told of each step.
        files: the build context; that of this very package by default.
        no_cache: make every step anew.
        builder: whose leftovers may be removed; this user's by default.

    Raises:
        ImageBuildError: a step failed; ``log`` ends with why.
        DiskFull: there is no space for it.
    """
    context = dict(context_files() if files is None else files)
    content = content_tag(context)
    builder = Vault().home if builder is None else builder
    recipe, boundary, own_part = context.get(_DOCKERFILE, b"").decode().partition(_BOUNDARY)
    bundle = ca_bundle()
    with_bundle = context | ({_CA_FILE: bundle} if bundle else {})
    if boundary:
        runtime = _runtime(engine, with_bundle, recipe, report, no_cache=no_cache, builder=builder)
        context[_OWN_DOCKERFILE] = f"FROM {runtime.removeprefix('sha256:')}\n{own_part}".encode()
    _built(
        engine,
        context if boundary else with_bundle,
        report,
        dockerfile=_OWN_DOCKERFILE if boundary else _DOCKERFILE,
        tags=[f"{IMAGE}:{content}", f"{IMAGE}:{__version__}"],
        labels={CONTENT_LABEL: content},
        build_args=build_args(content),
        no_cache=no_cache,
    )
    engine.remove_dangling(f"{BUILDER_LABEL}={builder}")
    image = find(engine, content)
    if image is None:
        raise ImageBuildError("the engine said the build was done but has no such image: try again")
    return image


def _runtime(
    engine: Engine, context: Mapping[str, bytes], recipe: str, report: Report, *, no_cache: bool, builder: str
) -> str:
    """Return the id of the image that has all but our own code; it is a part of every image built on it."""
    needed = {path: data for path, data in context.items() if Path(path).match(_LOCKS) or path.endswith("prepare.py")}
    base = os.environ.get("BASE_IMAGE", "")
    tag = content_tag({**needed, "recipe": recipe.encode(), "base": base.encode()})
    label = f"{RUNTIME_LABEL}={tag}"
    known = None if no_cache else engine.first_layer(label, without=CONTENT_LABEL)
    if known is not None:
        return known
    _built(
        engine,
        context,
        report,
        dockerfile=_DOCKERFILE,
        target="runtime",
        build_args={**given_args(), "RUNTIME": tag, "BUILDER": builder},
        no_cache=no_cache,
    )
    runtime = engine.first_layer(label, without=CONTENT_LABEL, newest=no_cache)
    if runtime is None:
        raise ImageBuildError("the engine said the build was done but has no such image: try again")
    return runtime


def _built(engine: Engine, context: Mapping[str, bytes], report: Report, **options: Any) -> None:  # noqa: ANN401
    """Build what the options of :meth:`Engine.build` say, to the end."""
    try:
        with closing(engine.build(pack(context), **options)) as events:  # type: ignore[type-var]  # it is a generator
            _follow(events, report)
    except EngineRefused as exc:  # the Dockerfile itself is wrong
        raise ImageBuildError(f"the image could not be built: {exc.message}", log=exc.message) from exc


def build_args(content: str) -> dict[str, str]:
    """Return the build arguments: what names this build, and where this machine gets packages from."""
    return {**given_args(), "VERSION": __version__, "CONTENT": content}


def given_args() -> dict[str, str]:
    """Return the build arguments that this machine's environment gives."""
    return {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}


def _follow(events: Iterable[Mapping[str, Any]], report: Report) -> None:
    """Report each step of a build, and raise what ended it."""
    log: list[str] = []
    step = Step(0, 0, "sending the build context")
    report(step)
    for event in events:
        text = _COLOUR.sub("", str(event.get("stream") or event.get("status") or "")).strip()
        if match := _STEP.match(text):
            step = Step(int(match[1]), int(match[2]), match[3].strip())
            report(step)
        elif text and not text.startswith("--->"):
            report(Step(step.number, step.of, text.splitlines()[-1]))
        if text:
            log = [*log, *text.splitlines()][-_TAIL:]
        if "error" in event or "errorDetail" in event:
            raise _build_error(event, step, log)


def _build_error(event: Mapping[str, Any], step: Step, log: list[str]) -> ContainerError:
    why = str((event.get("errorDetail") or {}).get("message") or event.get("error"))
    tail = "\n".join([*log, why])
    if "no space left on device" in tail.lower():
        return DiskFull(
            "the disk is full, so the image could not be built: docker system prune frees what nobody uses; "
            "the image needs about 3 GB while it is built"
        )
    if "pull access denied" in why or "manifest" in why or "dial tcp" in why or "no such host" in why:
        advice = "the base image could not be pulled: check the network, or set BASE_IMAGE to one that is here"
    elif "--require-hashes" in step.what or "pip install" in step.what or "Could not find a version" in tail:
        advice = (
            "if packages could not be fetched, set PIP_INDEX_URL, and REQUESTS_CA_BUNDLE where a proxy re-signs traffic"
        )
    else:
        advice = "its last lines are below; what was built so far is kept, so trying again is quick"
    where = f"step {step.number}/{step.of} ({step.what})" if step.of else "the Dockerfile"
    shown = "\n".join(log[-_SHOWN:])
    return ImageBuildError(f"the image could not be built: {where}: {why}; {advice}\n{shown}", step=step.what, log=tail)
