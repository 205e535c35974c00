"""The servers that run in containers are found, with the tokens that they accept."""

from __future__ import annotations

import docker
from docker.models.images import Image

from gateway import BackendClient, Circuit, DockerSimulator
from gateway.containers import hardening
from gateway.containers.doctor import fleet
from gateway.containers.running import running_servers


def test_a_server_of_this_user_is_found_with_its_token_until_it_ends(mine) -> None:
    with DockerSimulator("qulacs") as simulator:
        simulator.start()
        url, token = running_servers(fleet())["qulacs"]
        assert token is not None
        with BackendClient(url, token=token) as found:
            assert found.run(Circuit(2).x(0).measure_all(), shots=10) == {"01": 10}
    assert all(server.token is None for server in running_servers(fleet()).values())


def test_a_server_that_others_started_has_no_token_and_gives_way_to_one_of_this_user(
    mine, client: docker.DockerClient, image: Image
) -> None:
    labels = {hardening.SIMULATOR_LABEL: "stim"}
    ports = {"8093/tcp": (hardening.HOST_IP, None)}
    others = client.containers.run(image.id, ["serve", "stim"], labels=labels, ports=ports, detach=True)
    try:
        others.reload()
        port = others.ports["8093/tcp"][0]["HostPort"]
        assert running_servers(fleet())["stim"] == (f"http://{hardening.HOST_IP}:{port}", None)
        with DockerSimulator("stim", environment={"UNLIKE": "others"}) as simulator:
            simulator.start()
            assert running_servers(fleet())["stim"].token is not None
        others.stop(timeout=1)
        assert "stim" not in running_servers(fleet())
    finally:
        others.remove(force=True, v=True)
