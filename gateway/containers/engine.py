"""The one door to the Docker engine: no other module knows the SDK.

The SDK is imported when the first connection is made, never before. Everything it raises becomes a
:class:`~gateway.errors.ContainerError` here, in :func:`translate`, and carries the way out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import IO, Any, cast
from urllib.parse import urlsplit

from gateway.containers.ports import holder
from gateway.errors import (
    ContainerError,
    DiskFull,
    DockerPermissionDenied,
    DockerUnavailable,
    EngineRefused,
    GatewayError,
    ImageNotFound,
    PortTaken,
)

DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
TIMEOUT_S = 60.0
"""Longest silence of the engine during one call; streams of a build are not bound by it."""

PULL_SILENCE_S = 30.0
"""Longest silence of the engine during a pull, while it waits for a registry."""

NOT_FOUND = 404
CONFLICT = 409

_connected: dict[tuple[object, ...], Engine] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the engine described it at one moment.

    Args:
        ports: port inside -> port on the host's loopback interface.
        state: ``created``, ``running``, ``paused``, ``exited``, ``dead``, ...
        health: ``healthy``, ``unhealthy``, ``starting``, or ``none``.
        health_log: what the last health check said.
        memory_bytes: its limit, 0 for none.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    state: str
    image: str = ""
    ports: Mapping[int, int] | None = None
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    health: str = "none"
    health_log: str = ""
    memory_bytes: int = 0

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self.state == "running"


@dataclass(frozen=True, slots=True)
class Image:
    """An image of the engine."""

    id: str
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    architecture: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class About:
    """What the engine says of its machine."""

    version: str
    architecture: str
    cpus: int
    memory_bytes: int
    root: str
    """Where images and containers are stored, on the engine's machine."""


def connect() -> Engine:
    """Return the engine that ``DOCKER_HOST`` or the current Docker context names; one per process.

    Raises:
        DockerUnavailable: none answers; the message says why and what to do.
    """
    names = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
    key = (os.getpid(), *map(os.environ.get, names))
    with _lock:
        engine = _connected.get(key)
        if engine is None:
            engine = _connected[key] = _connect()
        return engine


def _begin_anew() -> None:
    """Forget in a forked child what its parent's threads hold: a lock of theirs would never be opened."""
    global _lock  # noqa: PLW0603 - the child has one thread
    _lock = threading.Lock()
    _connected.clear()


os.register_at_fork(after_in_child=_begin_anew)


def _connect() -> Engine:
    address = os.environ.get("DOCKER_HOST") or DEFAULT_ADDRESS
    try:
        import docker as sdk  # noqa: PLC0415 - optional, and slow to load
        from docker.context import ContextAPI  # noqa: PLC0415

        params = sdk.utils.kwargs_from_env()
        if "base_url" not in params:
            params |= ContextAPI.kwargs_from_context()
        address = params.get("base_url") or DEFAULT_ADDRESS
        _knock(address)
        client = _client_class(sdk)(timeout=TIMEOUT_S, **params)
        return Engine(client, address, lambda: _client_class(sdk, PULL_SILENCE_S)(timeout=TIMEOUT_S, **params))
    except Exception as exc:  # of the SDK, requests, ssl, paramiko or the system
        raise translate(exc, address) from exc


def _knock(address: str) -> None:
    """Connect to a local socket once, and close it again: the SDK leaves open what it could not connect."""
    scheme, _, path = address.partition("://")
    if scheme in {"unix", "http+unix"}:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(path)


def _client_class(sdk: Any, silence_s: float | None = None) -> Any:  # noqa: ANN401 - the SDK is untyped
    """Return the SDK's client, deaf to REQUESTS_CA_BUNDLE, which would replace the CA of a TLS engine.

    Args:
        sdk: the SDK.
        silence_s: how long the engine may be silent in those calls that the SDK gives no limit, such as a pull.
    """

    class Client(sdk.APIClient):  # type: ignore[misc]  # the SDK is untyped
        trust_env = property(lambda _self: False, lambda _self, _value: None)

        def request(self, *words: Any, **options: Any) -> Any:  # noqa: ANN401 - as requests has it
            if options.get("timeout") is None:
                options["timeout"] = silence_s
            return super().request(*words, **options)

    return Client


class Engine:
    """What we ask of an engine, in our own words.

    Args:
        client: the SDK's low-level client, which all threads share; tests put a fake here.
        address: how it was reached, for messages.
        open_for_pull: opens another client, for one pull; ``client`` itself where there is none.
    """

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - the SDK is untyped
        address: str = DEFAULT_ADDRESS,
        open_for_pull: Callable[[], Any] | None = None,
    ) -> None:
        self._client = client
        self.address = address
        self._open_for_pull = open_for_pull or (lambda: nullcontext(client))

    @property
    def is_remote(self) -> bool:
        """Whether it is another machine's, so that its loopback ports are not ours."""
        url = urlsplit(self.address)
        if url.scheme in {"unix", "http+unix", "npipe", ""}:
            return False
        return url.scheme == "ssh" or url.hostname not in {"localhost", "127.0.0.1", "::1"}

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except GatewayError:
            raise
        except Exception as exc:
            raise translate(exc, self.address) from exc

    # ------------------------------------------------------------------ the engine

    def about(self) -> About:
        """Ask the engine about its machine."""
        with self._translated():
            answer = self._client.info()
        return About(
            version=answer.get("ServerVersion", ""),
            architecture=architecture(answer.get("Architecture", "")),
            cpus=answer.get("NCPU", 0),
            memory_bytes=answer.get("MemTotal", 0),
            root=answer.get("DockerRootDir", ""),
        )

    # ------------------------------------------------------------------ images

    def image(self, reference: str) -> Image | None:
        """Return an image by name or id, or ``None``."""
        try:
            with self._translated():
                answer = self._client.inspect_image(reference)
        except (ImageNotFound, EngineRefused) as exc:
            if isinstance(exc, EngineRefused) and exc.status_code != NOT_FOUND:
                raise
            return None
        return Image(
            id=answer["Id"],
            tags=tuple(answer.get("RepoTags") or ()),
            labels=(answer.get("Config") or {}).get("Labels") or {},
            architecture=architecture(answer.get("Architecture", "")),
            size_bytes=answer.get("Size", 0),
        )

    def images_labelled(self, label: str) -> list[str]:
        """Return the ids of images with a label, ``key`` or ``key=value``, newest first."""
        with self._translated():
            images = self._client.images(filters={"label": [label], "dangling": False})
        return [image["Id"] for image in sorted(images, key=lambda image: -image.get("Created", 0))]

    def pull(self, reference: str, say: Callable[[str], None]) -> None:
        """Pull an image.

        Raises:
            ImageNotFound: there is no such image, or its registry does not answer in time.
        """
        name, _, tag = reference.rpartition(":") if ":" in reference.rsplit("/", 1)[-1] else (reference, "", "latest")
        try:
            with self._translated(), self._open_for_pull() as client:
                for event in client.pull(name, tag=tag, stream=True, decode=True):
                    if "error" in event:
                        raise ImageNotFound(f"{reference} cannot be pulled: {event['error']}", image=reference)
                    say(f"pulling {reference}: {event.get('status', '')}")
        except ContainerError as exc:
            if isinstance(exc, ImageNotFound) and exc.image == reference:
                raise
            raise ImageNotFound(f"{reference} cannot be pulled: {exc}", image=reference) from exc

    def build(
        self,
        context: IO[bytes],
        *,
        dockerfile: str,
        tags: Sequence[str] = (),
        labels: Mapping[str, str] | None = None,
        build_args: Mapping[str, str] | None = None,
        target: str | None = None,
        no_cache: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Build an image, or up to a stage of it, with the classic builder and yield the engine's events.

        Closing the iterator closes the connection, on which the engine gives up the build.
        """
        with self._translated():
            events = self._client.build(
                fileobj=context,
                dockerfile=dockerfile,
                custom_context=True,
                nocache=no_cache,
                decode=True,
                rm=True,
                forcerm=True,
                tag=tags[0] if tags else None,
                labels=dict(labels or {}),
                buildargs=dict(build_args or {}),
                target=target,
            )
            image = ""
            with closing(events):
                for event in events:
                    image = (event.get("aux") or {}).get("ID", image)
                    yield event
            for tag in tags[1:] if image else ():
                name, _, version = tag.rpartition(":")
                self._client.tag(image, name, tag=version, force=True)

    def first_layer(self, label: str, *, without: str, newest: bool = False) -> str | None:
        """Return the id of an image, with a name or without, that has a label and is built on none that has it.

        Args:
            label: ``key`` or ``key=value``.
            without: another label, which it must not have.
            newest: take the newest of several, else the oldest.
        """
        with self._translated():
            images = self._client.images(all=True, filters={"label": [label]})
        images = [image for image in images if without not in (image["Labels"] or {})]
        known = {image["Id"] for image in images}
        first = [image for image in images if image.get("ParentId") not in known]
        first.sort(key=lambda image: image.get("Created", 0), reverse=newest)
        return first[0]["Id"] if first else None

    def remove_dangling(self, label: str) -> None:
        """Remove images with a label that have no name and that no other image is built on."""
        with self._translated():
            images = self._client.images(filters={"label": [label], "dangling": True})
        for image in images:
            self.remove_image(image["Id"])

    def read_folder(self, image: str, folder: str, labels: Mapping[str, str]) -> bytes:
        """Return a folder of an image as a tar, whose paths begin with the folder's last name.

        Args:
            image: id or name.
            folder: absolute path inside.
            labels: of the container it is read from, which is never started and removed at once.
        """
        with self._translated():
            container = self._client.create_container(image, ["true"], labels=dict(labels))["Id"]
        try:
            with self._translated():
                chunks, _about = self._client.get_archive(container, folder)
                return b"".join(chunks)
        finally:
            self.remove(container)

    def remove_image(self, reference: str) -> None:
        """Remove a tag, and the image with its last one; nothing happens if there is none."""
        self._forgiving(lambda: self._client.remove_image(reference))

    # ------------------------------------------------------------------ containers

    def containers(self, *labels: str) -> list[Container]:
        """Return all containers with all these labels, running or not; without exit codes and health."""
        with self._translated():
            answers = self._client.containers(all=True, filters={"label": list(labels)})
        return [
            Container(
                id=one["Id"],
                name=one["Names"][0].lstrip("/") if one["Names"] else "",
                labels=one["Labels"] or {},
                state=one["State"],
                image=one["ImageID"],
                ports={port["PrivatePort"]: port["PublicPort"] for port in one["Ports"] if "PublicPort" in port},
            )
            for one in answers
        ]

    def container(self, name: str) -> Container | None:
        """Return one container by name or id with all there is to know, or ``None``."""
        try:
            with self._translated():
                answer = self._client.inspect_container(name)
        except EngineRefused as exc:
            if exc.status_code != NOT_FOUND:
                raise
            return None
        return _container(answer)

    def create(self, image: str, command: Sequence[str], *, name: str, **options: Any) -> str:  # noqa: ANN401 - the SDK's
        """Create a container and return its id.

        Args:
            image: id or name; never pulled.
            command: arguments for the image's entry point.
            name: the engine refuses a second one of that name with status 409.
            options: ``labels``, ``environment``, ``user``, ``port`` (inside), and for the rest
                what the SDK's ``create_host_config`` takes.
        """
        outside = {key: options.pop(key) for key in ("labels", "environment", "user") if key in options}
        port = options.pop("port")
        with self._translated():
            config = self._client.create_host_config(**options)
            answer = self._client.create_container(
                image, list(command), name=name, ports=[port], host_config=config, **outside
            )
        return cast("str", answer["Id"])

    def start(self, name: str) -> None:
        """Start a container.

        Raises:
            PortTaken: the host port is in use.
        """
        with self._translated():
            self._client.start(name)

    def stop(self, name: str, grace_s: int) -> None:
        """Ask a container to end, and kill it after ``grace_s``; nothing happens if it is gone."""
        self._forgiving(lambda: self._client.stop(name, timeout=grace_s))

    def remove(self, name: str) -> None:
        """Kill and remove a container; nothing happens if it is gone or going."""
        self._forgiving(lambda: self._client.remove_container(name, force=True, v=True))

    def logs(self, name: str, lines: int = 20) -> str:
        """Return the last lines a container wrote; empty when it is gone."""
        try:
            with self._translated():
                raw = self._client.logs(name, tail=lines)
        except EngineRefused:
            return ""
        return cast("bytes", raw).decode(errors="replace").rstrip()

    def follow(self, name: str, lines: int) -> Iterator[str]:
        """Yield what a container writes, as it writes it, until it ends."""
        with self._translated():
            stream = self._client.logs(name, tail=lines, stream=True, follow=True)
            with closing(stream):
                for chunk in stream:
                    yield chunk.decode(errors="replace")

    # ------------------------------------------------------------------ volumes and networks

    def ensure_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a volume unless there is one of that name."""
        with self._translated():
            self._client.create_volume(name, labels=dict(labels))

    def volumes(self, *labels: str) -> list[str]:
        """Return the names of all volumes with all these labels."""
        with self._translated():
            answer = self._client.volumes(filters={"label": list(labels)})
        return [one["Name"] for one in answer["Volumes"] or ()]

    def remove_volume(self, name: str) -> None:
        """Remove a volume; nothing happens if it is gone or in use."""
        self._forgiving(lambda: self._client.remove_volume(name))

    def ensure_network(self, name: str, driver: str, options: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """Create a network unless there is one of that name."""
        with self._translated():
            if name in {network["Name"] for network in self._client.networks(names=[name])}:
                return
        try:
            with self._translated():
                self._client.create_network(
                    name, driver=driver, options=dict(options), labels=dict(labels), check_duplicate=True
                )
        except EngineRefused as exc:
            if exc.status_code != CONFLICT:  # somebody else was quicker
                raise

    def remove_network(self, name: str) -> None:
        """Remove a network; nothing happens if it is gone or in use."""
        self._forgiving(lambda: self._client.remove_network(name))

    def _forgiving(self, call: Callable[[], object]) -> None:
        """Call, and take "there is none", "in use" and "already under way" for done."""
        try:
            with self._translated():
                call()
        except (ImageNotFound, EngineRefused) as exc:
            if isinstance(exc, EngineRefused) and exc.status_code not in {NOT_FOUND, CONFLICT, 403}:
                raise


def _container(description: Mapping[str, Any]) -> Container:
    state = description["State"]
    health = state.get("Health") or {}
    log = health.get("Log") or []
    published = (description.get("NetworkSettings") or {}).get("Ports") or {}
    return Container(
        id=description["Id"],
        name=description["Name"].lstrip("/"),
        labels=description["Config"].get("Labels") or {},
        state=state["Status"],
        image=description.get("Image", ""),
        ports={int(port.partition("/")[0]): int(to[0]["HostPort"]) for port, to in published.items() if to},
        exit_code=state.get("ExitCode"),
        oom_killed=bool(state.get("OOMKilled")),
        error=state.get("Error", ""),
        health=health.get("Status", "none"),
        health_log=log[-1].get("Output", "").strip() if log else "",
        memory_bytes=(description.get("HostConfig") or {}).get("Memory", 0),
    )


def architecture(name: str) -> str:
    """Return the image world's word for a processor: ``amd64`` for ``x86_64``."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(name, name)


# ---------------------------------------------------------------------- foreign errors end here


def causes(exc: BaseException) -> list[BaseException]:
    """Return an error and all that is inside it: causes, contexts, reasons and arguments."""
    chain: list[BaseException] = []
    waiting: list[object] = [exc]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or any(one is seen for seen in chain):
            continue
        chain.append(one)
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return chain


def translate(exc: BaseException, address: str) -> ContainerError:
    """Return the error of ours that a foreign one stands for, with the way out in its message.

    Args:
        exc: of the SDK, requests, urllib3, ssl, paramiko or the system.
        address: of the engine.
    """
    inside = causes(exc)
    texts = [str(one) for one in inside]
    if any(isinstance(one, ModuleNotFoundError) and one.name == "docker" for one in inside):
        return DockerUnavailable(
            "the Docker client for Python is not installed: pip install 'simulator-gateway[docker]'", address=address
        )
    status = next((code for one in inside if (code := _status(one)) is not None), None)
    if status is not None:
        return _refused(status, _explanation(inside))
    if "no space left on device" in " ".join(texts).lower():
        return DiskFull(_DISK_FULL)
    return _unreachable(inside, texts, address)


def _unreachable(inside: Sequence[BaseException], texts: Sequence[str], address: str) -> DockerUnavailable:
    def any_is(kind: type[BaseException] | tuple[type[BaseException], ...], *words: str) -> bool:
        return any(isinstance(one, kind) for one in inside) or any(word in text for text in texts for word in words)

    place = address.partition("://")[2] or address
    if any_is(PermissionError, "Permission denied"):
        return DockerPermissionDenied(
            f"this user may not use the Docker engine at {place}: sudo usermod -aG docker $USER, then log in again; "
            "or set DOCKER_HOST to a rootless engine's socket",
            address=address,
        )
    if any_is(ssl.SSLError, "TLSParameterError", "TLS", "CERTIFICATE_VERIFY_FAILED"):
        why = "its certificate was not accepted (TLS): check DOCKER_CERT_PATH and DOCKER_TLS_VERIFY"
    elif any_is((), "paramiko"):
        why = "ssh needs a package more: pip install 'docker[ssh]'"
    elif any_is(FileNotFoundError, "No such file or directory"):
        installed = shutil.which("docker") or shutil.which("dockerd")
        why = (
            "its socket is not there, so the daemon does not run: sudo systemctl start docker, or start Docker Desktop"
            if installed
            else "none is installed: https://docs.docker.com/engine/install/ says how"
        )
    elif any_is(ConnectionRefusedError, "Connection refused"):
        why = "nobody listens, so the daemon does not run: sudo systemctl start docker, or start Docker Desktop"
    elif any_is(TimeoutError, "timed out"):
        why = "it did not answer in time: look at it with docker info, or restart it"
    else:
        last = texts[-1] or type(inside[-1]).__name__
        why = f"the connection broke ({last}): look whether the daemon runs with docker info, or start it again"
    hint = "" if address == DEFAULT_ADDRESS else " (DOCKER_HOST or the Docker context names it)"
    return DockerUnavailable(f"no Docker engine answers at {place}{hint}: {why}", address=address)


_DISK_FULL = (
    "the disk is full: docker system df shows what Docker holds, docker system prune frees what nobody uses; "
    "df -h shows the rest"
)


def _status(exc: BaseException) -> int | None:
    """Return the HTTP status of an APIError, known by its shape."""
    status = getattr(getattr(exc, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _explanation(inside: Sequence[BaseException]) -> str:
    """Return the engine's own words."""
    for one in inside:
        words = getattr(one, "explanation", None)
        if isinstance(words, bytes):
            words = words.decode(errors="replace")
        if isinstance(words, str) and words:
            try:
                return str(json.loads(words)["message"])
            except (ValueError, KeyError, TypeError):
                return words
    return str(inside[0])


_PORT_WORDS = ("port is already allocated", "address already in use", "ports are not available")


def _refused(status: int, words: str) -> ContainerError:
    lower = words.lower()
    if any(text in lower for text in _PORT_WORDS):
        return _port_taken(words)
    if "no space left on device" in lower:
        return DiskFull(_DISK_FULL)
    if status == NOT_FOUND and "no such image" in lower:
        image = words.rpartition("image: ")[2] or None
        return ImageNotFound(f"the engine does not have this image ({words}): gateway build makes it", image=image)
    return EngineRefused(f"the Docker engine refused: {words}", status_code=status)


def _port_taken(words: str) -> PortTaken:
    match = re.search(r":(\d+)(?: failed|->|: bind|/tcp|:)", words) or re.search(r"[:.](\d{2,5})\b(?!.*\d{2,5})", words)
    port = int(match.group(1)) if match else None
    user = holder(port) if port is not None else None
    who = f" by {user}" if user else ""
    return PortTaken(
        f"port {port} is taken{who}: stop what uses it, or leave the port out and one is chosen",
        port=port,
        holder=user,
    )
