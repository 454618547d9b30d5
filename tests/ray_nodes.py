"""Small Ray nodes, from which tests build a cluster on this machine."""

from __future__ import annotations

import socket

AGENTS = (
    "metrics_agent_port",
    "metrics_export_port",
    "dashboard_agent_listen_port",
    "runtime_env_agent_port",
)


def node():
    """A small node; with fixed ports it does not have to wait for its agents to report theirs."""
    sockets = [socket.create_server(("", 0)) for _ in AGENTS]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    size = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 100 * 2**20}
    return {**size, **dict(zip(AGENTS, ports, strict=True))}
