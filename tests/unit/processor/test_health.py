import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor import mysql
from processor.health import KEPT
from processor.settings import Settings
from unit.processor.conftest import BUCKET, TABLE, Aws
from unit.processor.mysql_double import MySql
from unit.processor.test_api import answered, request

OK = {"status": "ok"}


@pytest.fixture
def server() -> Iterator[MySql]:
    with MySql() as server:
        yield server


def settings(server: MySql) -> Settings:
    return Settings(table=TABLE, bucket=BUCKET, cluster_endpoint="localhost", cluster_port=server.port)


def test_all_is_well_where_everything_answers(aws: Aws, server: MySql) -> None:
    assert answered(aws.api(settings(server)).answer(request("GET /health"))) == (
        200,
        {"status": "ok", "checks": {"table": OK, "bucket": OK, "database": {"status": "ok", "tls": "TLSv1.3"}}},
    )


def test_a_region_without_a_database_is_well_and_says_so(aws: Aws) -> None:
    status, health = answered(aws.api().answer(request("GET /health")))
    assert (status, health["checks"]["database"]) == (200, {"status": "not configured"})


def test_what_fails_is_named_and_its_cause_is_in_the_log_alone(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    aws.dynamodb.delete_table(TableName=TABLE)
    aws.s3.delete_bucket(Bucket=BUCKET)
    with MySql(tls=False) as server:
        status, health = answered(aws.api(settings(server)).answer(request("GET /health")))
    failing = {"status": "failing"}
    assert (status, health) == (
        503,
        {"status": "failing", "checks": {"table": failing, "bucket": failing, "database": failing}},
    )
    causes = [getattr(record, "cause", "") for record in caplog.records if record.levelname == "WARNING"]
    assert [cause[:12] for cause in causes] == ["An error occ", "An error occ", "the server o"]


def test_asking_often_asks_the_database_once_in_a_while(aws: Aws, server: MySql) -> None:
    api = aws.api(settings(server))
    for _ in range(3):
        api.answer(request("GET /health"))
    assert server.users == [mysql.USER]
    aws.clock.now += KEPT
    api.answer(request("GET /health"))
    assert len(server.users) == 2


def test_a_server_that_wants_another_proof_is_given_none_and_counts_as_answering() -> None:
    with MySql(switch=True) as server:
        assert mysql.ask("localhost", server.port, 2) == mysql.Answer("TLSv1.3")
    assert server.finished == 1


def test_the_handshake_goes_to_its_end_so_that_the_host_is_not_shut_out() -> None:
    with MySql() as server:
        mysql.ask("localhost", server.port, 2)
    assert (server.users, server.finished) == ([mysql.USER], 1)


def test_a_certificate_is_verified_where_there_is_something_to_verify_it_by(server: MySql, tmp_path: Path) -> None:
    trusted, other = tmp_path / "trusted.pem", tmp_path / "other.pem"
    server.authority.cert_pem.write_to_path(trusted)
    with MySql() as another:
        another.authority.cert_pem.write_to_path(other)
    assert mysql.ask("localhost", server.port, 2, str(trusted)).tls == "TLSv1.3"
    with pytest.raises(mysql.NotAnsweringError, match="CERTIFICATE_VERIFY_FAILED"):
        mysql.ask("localhost", server.port, 2, str(other))


@pytest.mark.parametrize(
    ("greeting", "message"),
    [
        (b"\xff\x69\x04Host is blocked", r"the server refuses connections \(error 1129\)"),
        (b"\x09old\0", r"not a server of MySQL \(protocol 9\)"),
        (b"\x0anever ends", "the server offers no TLS"),
        (b"\x0a8.0\0", "the server offers no TLS"),
        (b"", r"not a server of MySQL \(a packet of 0 bytes\)"),
        (b"x" * 5000, r"not a server of MySQL \(a packet of 5000 bytes\)"),
        (None, "the server hung up"),
    ],
)
def test_a_server_that_does_not_offer_tls_does_not_answer(greeting: bytes | None, message: str) -> None:
    with MySql(greeting=greeting) as server, pytest.raises(mysql.NotAnsweringError, match=f"^{message}$"):
        mysql.ask("localhost", server.port, 2)


@given(st.binary(min_size=1, max_size=80))
def test_whatever_a_server_says_first_is_understood_or_refused(said: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        with suppress(mysql.NotAnsweringError):
            mysql._greeting(ours)


def test_a_server_that_is_silent_is_not_waited_for() -> None:
    with MySql(silent=True) as server, pytest.raises(mysql.NotAnsweringError, match="TimeoutError"):
        mysql.ask("localhost", server.port, 0.1)


def test_a_server_that_is_not_there_does_not_answer() -> None:
    with MySql() as server:
        port = server.port
    with pytest.raises(mysql.NotAnsweringError, match="ConnectionRefusedError"):
        mysql.ask("localhost", port, 2)


def test_nothing_that_anybody_may_ask_for_tells_a_name(aws: Aws, server: MySql) -> None:
    text = json.dumps(aws.api(settings(server)).answer(request("GET /health")))
    assert not any(name in text for name in ("localhost", TABLE, str(server.port)))
