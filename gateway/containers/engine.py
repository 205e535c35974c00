"""Talks to the Docker engine; this is the only module that uses the Docker SDK.

The SDK is imported when the first connection is made, never before. :func:`translate` turns every exception that it
raises into a :class:`~gateway.errors.ContainerError`, whose message says what to do.
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
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast
from urllib.parse import urlsplit

from gateway.containers.ports import holder
from gateway.containers.uninterrupted import Uninterrupted
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
"""The longest silence of the engine during one call; the stream of a build has no such limit."""

PULL_SILENCE_S = 30.0
"""The longest silence of the engine during a pull, while the engine waits for a registry."""

NOT_FOUND = 404
CONFLICT = 409

_engines: dict[tuple[object, ...], Engine] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the engine described it at one moment.

    Args:
        ports: port in the container -> port on the host's loopback interface.
        state: ``created``, ``running``, ``paused``, ``exited``, ``dead``, ...
        health: ``healthy``, ``unhealthy``, ``starting``, or ``none``.
        health_log: the output of the last health check.
        memory_bytes: the memory limit, 0 for none.
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
        """Whether the container is running."""
        return self.state == "running"


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the engine has."""

    id: str
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    architecture: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class About:
    """The engine's description of its machine."""

    version: str
    architecture: str
    cpus: int
    memory_bytes: int
    root: str
    """The folder on the engine's machine in which images and containers are stored."""


def connect() -> Engine:
    """Return the engine that ``DOCKER_HOST`` or the current Docker context names; a process has one connection to it.

    Raises:
        DockerUnavailable: no engine answers; the message says why and what to do.
    """
    names = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
    key = (os.getpid(), *map(os.environ.get, names))
    with _lock:
        engine = _engines.get(key)
        if engine is None:
            engine = _engines[key] = _connect()
        return engine


def _reset_after_fork() -> None:
    """Replace lock and connections in a forked child: a lock held by a thread of the parent would stay locked."""
    global _lock  # noqa: PLW0603 - the child has one thread
    _lock = threading.Lock()
    _engines.clear()


os.register_at_fork(after_in_child=_reset_after_fork)


def _connect() -> Engine:
    address = os.environ.get("DOCKER_HOST") or DEFAULT_ADDRESS
    try:
        import docker as sdk  # noqa: PLC0415 - optional, and slow to load
        from docker.context import ContextAPI  # noqa: PLC0415

        params = sdk.utils.kwargs_from_env()
        if "base_url" not in params:
            params |= ContextAPI.kwargs_from_context()
        address = params.get("base_url") or DEFAULT_ADDRESS
        _check_socket(address)
        return Engine(lambda silence_s: _client_class(sdk, silence_s)(timeout=TIMEOUT_S, **params), address)
    except Exception as exc:  # of the SDK, requests, ssl, paramiko or the system
        raise translate(exc, address) from exc


def _check_socket(address: str) -> None:
    """Check that a local socket accepts a connection; the SDK would leave a socket open that it could not connect."""
    scheme, _, path = address.partition("://")
    if scheme in {"unix", "http+unix"}:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(path)


def _client_class(sdk: Any, silence_s: float | None) -> Any:  # noqa: ANN401 - the SDK is untyped
    """Return the class of the SDK's client, changed so that it ignores REQUESTS_CA_BUNDLE.

    The variable would replace the certificates that are configured for an engine with TLS.

    Args:
        sdk: the SDK.
        silence_s: how long the engine may be silent in calls for which the SDK sets no limit, such as a pull.
    """

    class Client(sdk.APIClient):  # type: ignore[misc]  # the SDK is untyped
        trust_env = property(lambda _self: False, lambda _self, _value: None)

        def request(self, *words: Any, **options: Any) -> Any:  # noqa: ANN401 - as requests has it
            if options.get("timeout") is None:
                options["timeout"] = silence_s
            return super().request(*words, **options)

    return Client


class Engine:
    """The operations of a Docker engine that this project uses.

    All threads share one client of the SDK, whose calls Ctrl-C does not interrupt in the middle. What is read as it
    comes can be interrupted, so a pull, a build, a folder and the output of a container have clients of their own.

    Args:
        open_client: a function that opens a low-level client of the SDK; its argument is how long the engine may be
            silent in calls for which the SDK sets no limit, or ``None``. Tests open a fake one.
        address: the engine's address, for messages.
    """

    def __init__(self, open_client: Callable[[float | None], Any], address: str = DEFAULT_ADDRESS) -> None:
        self._open_client = open_client
        self._client = Uninterrupted(open_client(None))
        self.address = address

    @property
    def is_remote(self) -> bool:
        """Whether the engine is on another machine, so that its loopback ports cannot be reached from here."""
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
        """Return the engine's description of its machine."""
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
            with self._translated(), self._open_client(PULL_SILENCE_S) as client:
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
        with self._translated(), self._open_client(None) as client:
            events = client.build(
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
                client.tag(image, name, tag=version, force=True)

    def first_layer(self, label: str, *, without: str, newest: bool = False) -> str | None:
        """Return the id of an image that has a label and is not built on another image with that label.

        Args:
            label: ``key`` or ``key=value``.
            without: a label that the image must not have.
            newest: whether to take the newest of several images instead of the oldest.
        """
        with self._translated():
            images = self._client.images(all=True, filters={"label": [label]})
        images = [image for image in images if without not in (image["Labels"] or {})]
        ids = {image["Id"] for image in images}
        first = [image for image in images if image.get("ParentId") not in ids]
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
            labels: the labels of the temporary container from which the folder is read; it is never started.
        """
        with self._translated():
            container = self._client.create_container(image, ["true"], labels=dict(labels))["Id"]
        try:
            with self._translated(), self._open_client(None) as client:
                chunks, _about = client.get_archive(container, folder)
                return b"".join(chunks)
        finally:
            self.remove(container)

    def remove_image(self, reference: str) -> None:
        """Remove a tag of an image, and the image itself with its last tag; nothing happens if there is no such tag."""
        self._call_unless_absent(lambda: self._client.remove_image(reference))

    # ------------------------------------------------------------------ containers

    def containers(self, *labels: str) -> list[Container]:
        """Return all containers with all these labels, running or not; without exit codes and health."""
        with self._translated():
            answers = self._client.containers(all=True, filters={"label": list(labels)})
        return [
            Container(
                id=container["Id"],
                name=container["Names"][0].lstrip("/") if container["Names"] else "",
                labels=container["Labels"] or {},
                state=container["State"],
                image=container["ImageID"],
                ports={port["PrivatePort"]: port["PublicPort"] for port in container["Ports"] if "PublicPort" in port},
            )
            for container in answers
        ]

    def container(self, name: str) -> Container | None:
        """Return a container by name or id with all its properties, or ``None`` if there is none."""
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
            name: the container's name; the engine refuses a second container of that name with status 409.
            options: ``labels``, ``environment``, ``user``, ``port`` (in the container); all others are arguments of
                the SDK's ``create_host_config``.
        """
        container_options = {key: options.pop(key) for key in ("labels", "environment", "user") if key in options}
        port = options.pop("port")
        with self._translated():
            config = self._client.create_host_config(**options)
            answer = self._client.create_container(
                image, list(command), name=name, ports=[port], host_config=config, **container_options
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
        """Ask a container to end, and kill it after ``grace_s``; nothing happens if it does not exist."""
        self._call_unless_absent(lambda: self._client.stop(name, timeout=grace_s))

    def remove(self, name: str) -> None:
        """Kill and remove a container; nothing happens if it does not exist or is already being removed."""
        self._call_unless_absent(lambda: self._client.remove_container(name, force=True, v=True))

    def logs(self, name: str, lines: int = 20) -> str:
        """Return the last lines that a container wrote; an empty text if it does not exist."""
        try:
            with self._translated():
                raw = self._client.logs(name, tail=lines)
        except EngineRefused:
            return ""
        return cast("bytes", raw).decode(errors="replace").rstrip()

    def follow(self, name: str, lines: int) -> Iterator[str]:
        """Yield the output of a container as it is written, until the container ends."""
        with self._translated(), self._open_client(None) as client:
            stream = client.logs(name, tail=lines, stream=True, follow=True)
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
        return [volume["Name"] for volume in answer["Volumes"] or ()]

    def remove_volume(self, name: str) -> None:
        """Remove a volume; nothing happens if it does not exist or is in use."""
        self._call_unless_absent(lambda: self._client.remove_volume(name))

    def ensure_network(self, name: str, driver: str, options: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """Create a network unless there is one of that name.

        Engines give several networks the same name when they are asked at the same time. Of these only the first one
        stays, whoever made it: containers are not started on a network whose name is ambiguous.
        """
        if not self._networks(name):
            try:
                with self._translated():
                    self._client.create_network(
                        name, driver=driver, options=dict(options), labels=dict(labels), check_duplicate=True
                    )
            except EngineRefused as exc:
                if exc.status_code != CONFLICT:  # another process created the network meanwhile
                    raise
        for duplicate in self._networks(name)[1:]:
            self.remove_network(duplicate)

    def _networks(self, name: str) -> list[str]:
        """Return the ids of the networks of a name, the oldest first."""
        with self._translated():
            found = [network for network in self._client.networks(names=[name]) if network["Name"] == name]
        return [network["Id"] for network in sorted(found, key=lambda network: (network["Created"], network["Id"]))]

    def remove_network(self, name: str) -> None:
        """Remove a network; nothing happens if it does not exist or is in use."""
        self._call_unless_absent(lambda: self._client.remove_network(name))

    def _call_unless_absent(self, call: Callable[[], object]) -> None:
        """Call a function, and ignore that the object does not exist, is in use, or is already being removed."""
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
    """Return the name that images use for a processor architecture: ``amd64`` for ``x86_64``."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(name, name)


# ---------------------------------------------------------------------- translation of foreign errors


def causes(exc: BaseException) -> list[BaseException]:
    """Return an error and all errors inside it: causes, contexts, reasons and arguments."""
    chain: list[BaseException] = []
    queue: list[object] = [exc]
    while queue:
        error = queue.pop(0)
        if not isinstance(error, BaseException) or any(error is member for member in chain):
            continue
        chain.append(error)
        queue += [error.__cause__, error.__context__, getattr(error, "reason", None), *error.args]
    return chain


def translate(exc: BaseException, address: str) -> ContainerError:
    """Return our error for an exception of another library; its message says what to do.

    Args:
        exc: an exception of the SDK, requests, urllib3, ssl, paramiko or the system.
        address: the address of the engine.
    """
    errors = causes(exc)
    texts = [str(error) for error in errors]
    if any(isinstance(error, ModuleNotFoundError) and error.name == "docker" for error in errors):
        return DockerUnavailable(
            "the Docker client for Python is not installed: pip install 'simulator-gateway[docker]'", address=address
        )
    status = next((code for error in errors if (code := _status(error)) is not None), None)
    if status is not None:
        return _refusal(status, _explanation(errors))
    if "no space left on device" in " ".join(texts).lower():
        return DiskFull(_DISK_FULL)
    return _connection_error(errors, texts, address)


def _connection_error(errors: Sequence[BaseException], texts: Sequence[str], address: str) -> DockerUnavailable:
    def any_is(kind: type[BaseException] | tuple[type[BaseException], ...], *words: str) -> bool:
        return any(isinstance(error, kind) for error in errors) or any(word in text for text in texts for word in words)

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
        last = texts[-1] or type(errors[-1]).__name__
        why = f"the connection broke ({last}): look whether the daemon runs with docker info, or start it again"
    hint = "" if address == DEFAULT_ADDRESS else " (DOCKER_HOST or the Docker context names it)"
    return DockerUnavailable(f"no Docker engine answers at {place}{hint}: {why}", address=address)


_DISK_FULL = (
    "the disk is full: docker system df shows what Docker holds, docker system prune frees what nobody uses; "
    "df -h shows the rest"
)


def _status(exc: BaseException) -> int | None:
    """Return the HTTP status of an error that looks like the SDK's APIError, or ``None``."""
    status = getattr(getattr(exc, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _explanation(errors: Sequence[BaseException]) -> str:
    """Return the engine's explanation of an error."""
    for error in errors:
        explanation = getattr(error, "explanation", None)
        if isinstance(explanation, bytes):
            explanation = explanation.decode(errors="replace")
        if isinstance(explanation, str) and explanation:
            try:
                return str(json.loads(explanation)["message"])
            except (ValueError, KeyError, TypeError):
                return explanation
    return str(errors[0])


_PORT_TEXTS = ("port is already allocated", "address already in use", "ports are not available")


def _refusal(status: int, explanation: str) -> ContainerError:
    lower = explanation.lower()
    if any(text in lower for text in _PORT_TEXTS):
        return _port_error(explanation)
    if "no space left on device" in lower:
        return DiskFull(_DISK_FULL)
    if status == NOT_FOUND and "no such image" in lower:
        image = explanation.rpartition("image: ")[2] or None
        return ImageNotFound(
            f"the engine does not have this image ({explanation}): gateway build makes it", image=image
        )
    return EngineRefused(f"the Docker engine refused: {explanation}", status_code=status)


def _port_error(explanation: str) -> PortTaken:
    match = re.search(r":(\d+)(?: failed|->|: bind|/tcp|:)", explanation) or re.search(
        r"[:.](\d{2,5})\b(?!.*\d{2,5})", explanation
    )
    port = int(match.group(1)) if match else None
    port_holder = holder(port) if port is not None else None
    holder_text = f" by {port_holder}" if port_holder else ""
    return PortTaken(
        f"port {port} is taken{holder_text}: stop what uses it, or leave the port out to let Docker choose",
        port=port,
        holder=port_holder,
    )
