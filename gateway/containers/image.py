"""Finds, pulls or builds the image that contains all simulators.

The content tag is a hash of everything that the image is made of, so that an image is used only if it has exactly this
version of the code. The build context is assembled in memory, from a checkout or from an installed package.
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
from gateway.containers.vault import Vault
from gateway.errors import ContainerError, DiskFull, EngineRefused, ImageBuildError, ImageNotFound
from gateway.version import __version__

REGISTRY_VARIABLE = "GATEWAY_REGISTRY"
"""The variable with the registry to pull images from, such as ``registry.example.org/quantum``."""

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
SOURCES = "/opt/gateway/src"
"""The folder of the image with all files that the content tag is computed from."""

UNKNOWN = "unknown"
"""The content label of an image that compose or buildx built, since these cannot compute the content tag."""

BUILDER_LABEL = LABEL_PREFIX + "builder"
"""The label of intermediate images with the home whose build made them. The image itself has an empty one."""

RUNTIME_LABEL = LABEL_PREFIX + "runtime"
"""The label of the intermediate image without our own code, with the hash of everything that it was built from."""

_FOLDER = "images/simulators"
_DOCKERFILE = f"{_FOLDER}/Dockerfile"
_OWN_DOCKERFILE = "own.Dockerfile"
_BOUNDARY = "\nFROM runtime\n"
"""The line of the Dockerfile after which our own code is copied."""

_RECIPE = ("Dockerfile", "healthcheck", "prepare.py")
_LOCKS = "requirements-*.lock"
"""The lock files, one for each environment of simulators."""
_BUILD_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "BASE_IMAGE")
_CA_FILE = f"{_FOLDER}/ca-bundle.crt"
_LOG_LINES = 30
_MESSAGE_LINES = 5
_COLOUR_CODE = re.compile(r"\x1b\[[0-9;]*m")
_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")


@dataclass(frozen=True, slots=True)
class Step:
    """The progress of a build or a pull.

    Args:
        number: the number of the step, from 1; 0 before the first step.
        of: the number of steps; 0 while it is not known.
        what: one line about what is being done.
    """

    number: int
    of: int
    what: str


Report = Callable[[Step], None]


def content_tag(files: Mapping[str, bytes] | None = None) -> str:
    """Return twelve hex digits that name what the image is made of.

    Args:
        files: path in the build context -> bytes; the files of this installation by default.
    """
    digest = hashlib.sha256()
    for path, data in sorted((context_files() if files is None else files).items()):
        digest.update(f"{path}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()[:12]


def context_files() -> dict[str, bytes]:
    """Return the build context of this installation as path -> bytes, without any CA bundle."""
    recipe = _recipe_folder()
    files = {f"{_FOLDER}/{name}": (recipe / name).read_bytes() for name in [*_RECIPE, *_locks(recipe)]}
    for package in ("gateway", "adapters"):
        root = Path(__file__).resolve().parents[2] / package
        for path in root.rglob("*"):
            relative_path = path.relative_to(root)
            if path.is_file() and not _is_excluded(relative_path):
                files[f"{package}/{relative_path.as_posix()}"] = path.read_bytes()
    return files


def _recipe_folder() -> Path:
    """Return the folder with Dockerfile and locks, which is in the checkout or inside the installed package."""
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


def _is_excluded(relative_path: Path) -> bool:
    return (
        relative_path.parts[:2] == ("containers", "data")
        or relative_path.suffix == ".pyc"
        or any(part == "__pycache__" or part.startswith(".") for part in relative_path.parts)
    )


def pack(files: Mapping[str, bytes]) -> io.BytesIO:
    """Return a tar of the files; equal files give an equal tar, so that the engine can use its cache."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(data))
    archive.seek(0)
    return archive


def ca_bundle(environment: Mapping[str, str] | None = None) -> bytes:
    """Return the content of the CA bundle that the environment names; empty if it names none."""
    environment = os.environ if environment is None else environment
    for name in CA_VARIABLES:
        path = Path(environment.get(name) or "/nonexistent")
        if path.is_file():
            return path.read_bytes()
    return b""


# ---------------------------------------------------------------------- find, pull, build


def find(engine: Engine, content: str) -> str | None:
    """Return the id of the image with this content, or ``None``.

    The tag is checked first, because an image that somebody derived from ours has our label too.
    """
    image = engine.image(f"{IMAGE}:{content}")
    if image is not None and image.labels.get(CONTENT_LABEL) == content:
        return image.id
    ids = engine.images_labelled(f"{CONTENT_LABEL}={content}")
    return ids[0] if ids else None


def ensure(engine: Engine, folder: Path, report: Report, *, content: str, reference: str | None = None) -> str:
    """Return the id of the image to run, which is pulled or built if the engine does not have it.

    Args:
        engine: the engine that should have the image.
        folder: the folder of the vault, whose lock lets one process build while others wait.
        report: a function that is called with each step.
        content: the content tag of the image.
        reference: the name of an image that the user chose, which is never built here.

    Raises:
        ImageNotFound: the engine neither has ``reference`` nor can pull it.
        ImageBuildError: the build failed.
        DiskFull: there is no space for the image.
    """
    if reference is not None:
        return _pull_chosen(engine, reference, report)
    image = find(engine, content)
    if image is not None:
        return image
    vault = Vault(folder)
    with one_at_a_time(vault, report):
        return (
            find(engine, content)
            or adopt(engine, content, report, vault.home)
            or _pull_by_content(engine, content, report)
            or build(engine, report, builder=vault.home)
        )


def one_at_a_time(vault: Vault, report: Report) -> AbstractContextManager[None]:
    """Return a lock with which one process of this user builds, while a second one waits for the first one's image."""
    what = "waiting for another process that builds the image"
    return vault.locked_file("build", lambda: report(Step(0, 0, what)))


def find_unlabelled(engine: Engine, content: str, home: str) -> str | None:
    """Return the id of the image that compose or buildx built, if it has this content; otherwise return ``None``.

    These builders cannot compute the content tag, so the files in the image are compared.

    Args:
        engine: the engine that may have the image.
        content: the content tag.
        home: the home to which the container belongs from which the files are read; it is never started.
    """
    image = engine.image(f"{IMAGE}:{__version__}")
    if image is None or image.labels.get(CONTENT_LABEL) != UNKNOWN:
        return None
    archive = engine.read_folder(image.id, SOURCES, {HOME_LABEL: home, OWNER_LABEL: identity()})
    return image.id if content_tag(_unpack(archive)) == content else None


def adopt(engine: Engine, content: str, report: Report, home: str) -> str | None:
    """Label the image that compose or buildx built, if it has this content, and return its id as :func:`find` does."""
    report(Step(0, 0, f"looking whether {IMAGE}:{__version__} is this version"))
    image = find_unlabelled(engine, content, home)
    if image is None:
        return None
    context = pack({"Dockerfile": f"FROM {image.removeprefix('sha256:')}\n".encode()})
    labels = {CONTENT_LABEL: content}
    _follow(engine.build(context, dockerfile="Dockerfile", tags=[f"{IMAGE}:{content}"], labels=labels), report)
    return find(engine, content)


def _unpack(archive: bytes) -> dict[str, bytes]:
    """Return the files in a tar of :data:`SOURCES` without byte code, as path in the build context -> bytes."""
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in tar:
            path = Path(entry.name).relative_to(Path(SOURCES).name)
            if entry.isfile() and not _is_excluded(path):
                files[path.as_posix()] = cast("IO[bytes]", tar.extractfile(entry)).read()
    return files


def _pull_chosen(engine: Engine, reference: str, report: Report) -> str:
    image = engine.image(reference)
    if image is None:
        engine.pull(reference, lambda what: report(Step(0, 0, what)))
        image = engine.image(reference)
    if image is None:
        raise ImageNotFound(f"{reference} was pulled but is not there: pull it again", image=reference)
    return image.id


def _pull_by_content(engine: Engine, content: str, report: Report) -> str | None:
    """Pull the image if a registry is set and has it; otherwise return ``None``, and only report the failure."""
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

    The image is built in two parts: an intermediate image with all packages, and on top of it our own code. A
    change of our code alone therefore installs nothing, although the images that the classic builder leaves
    behind are removed. An interruption closes the connection, and the engine then cancels the build.

    Args:
        engine: the engine that builds.
        report: a function that is called with each step.
        files: the build context; the files of this installation by default.
        no_cache: whether to repeat every step instead of using earlier builds.
        builder: the home whose intermediate images may be removed; this user's by default.

    Raises:
        ImageBuildError: a step failed; ``log`` ends with the reason.
        DiskFull: there is no space for the image.
    """
    context = dict(context_files() if files is None else files)
    content = content_tag(context)
    builder = Vault().home if builder is None else builder
    recipe, boundary, own_part = context.get(_DOCKERFILE, b"").decode().partition(_BOUNDARY)
    bundle = ca_bundle()
    with_bundle = context | ({_CA_FILE: bundle} if bundle else {})
    if boundary:
        runtime = _ensure_runtime(engine, with_bundle, recipe, report, no_cache=no_cache, builder=builder)
        context[_OWN_DOCKERFILE] = f"FROM {runtime.removeprefix('sha256:')}\n{own_part}".encode()
    _run_build(
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
        raise ImageBuildError("the engine reported the end of the build but does not have the image: try again")
    return image


def _ensure_runtime(
    engine: Engine, context: Mapping[str, bytes], recipe: str, report: Report, *, no_cache: bool, builder: str
) -> str:
    """Return the id of the intermediate image without our own code, which is built if the engine does not have it."""
    files = {path: data for path, data in context.items() if Path(path).match(_LOCKS) or path.endswith("prepare.py")}
    base = os.environ.get("BASE_IMAGE", "")
    tag = content_tag({**files, "recipe": recipe.encode(), "base": base.encode()})
    label = f"{RUNTIME_LABEL}={tag}"
    existing = None if no_cache else engine.first_layer(label, without=CONTENT_LABEL)
    if existing is not None:
        return existing
    _run_build(
        engine,
        context,
        report,
        dockerfile=_DOCKERFILE,
        target="runtime",
        build_args={**environment_args(), "RUNTIME": tag, "BUILDER": builder},
        no_cache=no_cache,
    )
    runtime = engine.first_layer(label, without=CONTENT_LABEL, newest=no_cache)
    if runtime is None:
        raise ImageBuildError("the engine reported the end of the build but does not have the image: try again")
    return runtime


def _run_build(engine: Engine, context: Mapping[str, bytes], report: Report, **options: Any) -> None:  # noqa: ANN401
    """Build an image with the options of :meth:`Engine.build`, and wait for the end of the build."""
    try:
        with closing(engine.build(pack(context), **options)) as events:  # type: ignore[type-var]  # it is a generator
            _follow(events, report)
    except EngineRefused as exc:  # the Dockerfile cannot be parsed
        raise ImageBuildError(f"the image could not be built: {exc.message}", log=exc.message) from exc


def build_args(content: str) -> dict[str, str]:
    """Return the build arguments: the version, the content tag, and where this machine gets packages from."""
    return {**environment_args(), "VERSION": __version__, "CONTENT": content}


def environment_args() -> dict[str, str]:
    """Return the build arguments that the environment variables of this process set."""
    return {name: os.environ[name] for name in _BUILD_VARIABLES if os.environ.get(name)}


def _follow(events: Iterable[Mapping[str, Any]], report: Report) -> None:
    """Report each step of a build, and raise an error if the build fails."""
    log: list[str] = []
    step = Step(0, 0, "sending the build context")
    report(step)
    for event in events:
        text = _COLOUR_CODE.sub("", str(event.get("stream") or event.get("status") or "")).strip()
        if match := _STEP.match(text):
            step = Step(int(match[1]), int(match[2]), match[3].strip())
            report(step)
        elif text and not text.startswith("--->"):
            report(Step(step.number, step.of, text.splitlines()[-1]))
        if text:
            log = [*log, *text.splitlines()][-_LOG_LINES:]
        if "error" in event or "errorDetail" in event:
            raise _build_error(event, step, log)


def _build_error(event: Mapping[str, Any], step: Step, log: list[str]) -> ContainerError:
    reason = str((event.get("errorDetail") or {}).get("message") or event.get("error"))
    tail = "\n".join([*log, reason])
    if "no space left on device" in tail.lower():
        return DiskFull(
            "the disk is full, so the image could not be built: docker system prune frees what nobody uses; "
            "the image needs about 3 GB while it is built"
        )
    if "pull access denied" in reason or "manifest" in reason or "dial tcp" in reason or "no such host" in reason:
        advice = "the base image could not be pulled: check the network, or set BASE_IMAGE to one that is here"
    elif "--require-hashes" in step.what or "pip install" in step.what or "Could not find a version" in tail:
        advice = (
            "if packages could not be fetched, set PIP_INDEX_URL, and REQUESTS_CA_BUNDLE where a proxy re-signs traffic"
        )
    else:
        advice = "its last lines are below; what was built so far is kept, so trying again is quick"
    where = f"step {step.number}/{step.of} ({step.what})" if step.of else "the Dockerfile"
    last_lines = "\n".join(log[-_MESSAGE_LINES:])
    return ImageBuildError(
        f"the image could not be built: {where}: {reason}; {advice}\n{last_lines}", step=step.what, log=tail
    )
