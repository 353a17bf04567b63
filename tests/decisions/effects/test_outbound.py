"""The only way out: where it leads, where it does not, and how long it takes at most."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from pytest_django import Settings

from decisions.effects import outbound
from decisions.effects.outbound import AddressRefused
from tests.decisions.effects.world import LOOPBACK, Letter, Receiver, receiver

REFUSED = [
    "https://127.0.0.1/",  # loopback, and the ways to write it
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://0/",
    "https://0.0.0.0/",
    "https://localhost/",
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",  # IPv4 inside IPv6
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/",
    "https://[::7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://10.0.0.1/",  # private
    "https://172.16.5.4/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://[fd00::1]/",
    "https://169.254.169.254/latest/meta-data/",  # metadata of clouds
    "https://168.63.129.16/",
    "https://[fe80::1]/",  # link-local
    "https://[fe80::1%25eth0]/",
    "https://224.0.0.1/",  # multicast, broadcast, reserved, documentation
    "https://255.255.255.255/",
    "https://240.0.0.1/",
    "https://192.0.2.1/",
    "https://[ff02::1]/",
    "http://8.8.8.8/",  # plain http to a place that nobody named
    "https://user@8.8.8.8/",  # a name and a password
    "https://8.8.8.8@127.0.0.1/",
    "https://user:secret@8.8.8.8/",
    "https://8.8.8.8\\@127.0.0.1/",  # two readers, two hosts
    "https://8.8.8.8#@127.0.0.1/",
    "https://8.8.8.8 /",
    "https://8.8.8.8\t/",
    "https://8.8.8.8\r\nX: y/",
    "https://①②⑦.⓪.⓪.①/",
    "https://8.8.8.8:99999/",  # no port
    "https://8.8.8.8:0/",
    "https://8.8.8.8:x/",
    "https:///path",  # no host
    "https://",
    "",
    "//8.8.8.8/",
    "ftp://8.8.8.8/",  # another scheme
    "file:///etc/passwd",
    "gopher://8.8.8.8/",
    "javascript:alert(1)",
    "https://8.8.8.8/" + "a" * 500,  # longer than we keep
]


@pytest.fixture
def world(settings: Settings) -> Iterator[Receiver]:
    settings.OUTBOUND_ALLOWED = [LOOPBACK]
    with receiver() as it:
        yield it


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let names resolve to these addresses in turn; return the names that were asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: Any, *rest: Any, **options: Any) -> Any:
        if host.replace(".", "").isdigit() or ":" in host:
            return real(host, port, *rest, **options)
        asked.append(host)
        address = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("url", REFUSED)
def test_addresses_that_lead_astray_are_refused_and_never_called(url: str, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED = []
    with pytest.raises(AddressRefused):
        outbound.check(url)
    assert outbound.post(url, b"{}", {}).status is None


@pytest.mark.parametrize("url", ["https://localhost./", "https://localhost.localdomain/"])
def test_names_of_this_machine_that_may_not_resolve_are_not_called(url: str) -> None:
    assert outbound.post(url, b"{}", {}).status is None


@pytest.mark.parametrize("url", ["https://8.8.8.8/", "https://8.8.8.8:8443/a?b=c", "https://[2606:4700::1111]/"])
def test_public_addresses_pass(url: str) -> None:
    assert outbound.check(url) == url


def test_a_name_that_resolves_to_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "192.168.1.1")
    with pytest.raises(AddressRefused):
        outbound.check("https://hooks.example.org/")


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(AddressRefused):
        outbound.check("https://hooks.example.org/")


def test_a_name_that_does_not_resolve_yet_may_be_set_but_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert outbound.check("https://hooks.example.org/")
    answer = outbound.post("https://hooks.example.org/", b"{}", {})
    assert answer.status is None
    assert "Name or service not known" in answer.error


def test_the_call_goes_to_the_address_that_was_checked(world: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name resolves to an allowed address when checked and would to another one afterwards."""
    asked = resolve_to(monkeypatch, "127.0.0.1", "10.0.0.1")
    port = world.url.split(":")[2]
    assert outbound.post(f"http://hooks.example.org:{port}", b"{}", {}).status == 200
    assert asked == ["hooks.example.org"]
    assert world.letters[0].headers["host"] == f"hooks.example.org:{port}".removesuffix("/hook")
    assert outbound.post(f"http://hooks.example.org:{port}", b"{}", {}).status is None
    assert len(world.letters) == 1


def test_redirects_are_not_followed(world: Receiver) -> None:
    world.reply = lambda _: (302, {"Location": world.url})
    assert outbound.post(world.url, b"{}", {}).status == 302
    assert len(world.letters) == 1


def test_the_environment_takes_no_part(world: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert outbound.post(world.url, b"{}", {}).status == 200


def test_lines_are_kept_open_and_cookies_are_not(world: Receiver) -> None:
    world.reply = lambda _: (200, {"Set-Cookie": "a=b"})
    for _ in range(5):
        assert outbound.post(world.url, b"{}", {"X-One": "1"}).status == 200
    assert len(world.lines) == 1
    assert all("cookie" not in letter.headers for letter in world.letters)
    assert world.letters[0].headers["x-one"] == "1"


def test_a_receiver_that_is_not_there_is_an_answer_without_status(world: Receiver) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    answer = outbound.post(f"http://127.0.0.1:{port}/", b"{}", {})
    assert answer.status is None
    assert "refused" in answer.error


def serve_raw(talk: Any) -> str:
    """Serve one connection by a function of its socket; return the address."""
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with closing(server), closing(server.accept()[0]) as line:
            line.recv(65536)
            try:
                talk(line)
            except OSError:
                return

    threading.Thread(target=run, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}/"


def drip_head(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        time.sleep(0.05)
        line.sendall(b"a")


def drip_body(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        time.sleep(0.05)
        line.sendall(b"a")


def say_nothing(line: socket.socket) -> None:
    time.sleep(5)


@pytest.mark.parametrize("talk", [drip_head, drip_body, say_nothing])
def test_the_whole_call_has_a_time_limit(talk: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OUTBOUND_ALLOWED = [LOOPBACK]
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0.5)
    answer = outbound.post(serve_raw(talk), b"{}", {})
    assert answer.status is None
    assert answer.seconds < 2


def test_an_endless_answer_is_cut(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED = [LOOPBACK]
    sent = 0

    def flood(line: socket.socket) -> None:
        nonlocal sent
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent += line.send(b"a" * 65536)

    assert outbound.post(serve_raw(flood), b"{}", {}).status == 200
    time.sleep(0.3)
    assert sent < 20 * 1024 * 1024  # what the buffers of a connection hold


def test_what_a_receiver_babbles_is_quoted_in_letters_that_can_be_stored(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED = [LOOPBACK]
    answer = outbound.post(serve_raw(lambda line: line.sendall(b"\x00\x01\xff babble\r\n\r\n")), b"{}", {})
    assert answer.status is None
    assert "babble" in answer.error
    assert answer.error.isprintable()


def test_a_body_arrives_byte_for_byte(world: Receiver) -> None:
    outbound.post(world.url, '{"é": 1}\n'.encode(), {"Content-Type": "application/json"})
    assert world.letters == [Letter(world.letters[0].headers, '{"é": 1}\n'.encode())]
