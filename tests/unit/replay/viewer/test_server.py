"""The page's server: what it serves, and all that it does not."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from drive_agent.log.store import Episode
from replay.viewer.overview import Overview
from replay.viewer.server import ViewerServer, open_runs


@pytest.fixture(scope="module")
def run_folder(log_path, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "a run"
    (run / "routes" / "7_rep0").mkdir(parents=True)
    (run / "config.yaml").write_text("secret: 1\n")
    shutil.copy(log_path, run / "routes" / "7_rep0" / "log.mcap")
    return run


@pytest.fixture(scope="module")
def server(run_folder):
    with ViewerServer(open_runs([str(run_folder)])) as serving:
        yield serving


def get(server: ViewerServer, path: str, host: str | None = None) -> tuple[int, bytes, dict[str, str]]:
    where = urlsplit(server.address)
    assert where.hostname == "127.0.0.1"
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body, dict(answer.getheaders())


def get_json(server: ViewerServer, path: str):
    status, body, _ = get(server, path)
    assert status == 200, body
    return json.loads(body)


def test_runs_and_drives_are_listed(server):
    assert get_json(server, "/api/runs") == [{"name": "a run", "drives": ["7_rep0"]}]


def test_an_overview_has_every_tick(server, log_path):
    overview = get_json(server, "/api/overview/0/7_rep0")
    columns = overview["columns"]
    with Episode.open(log_path) as episode:
        truths = list(episode.truths())
    assert {len(values) for values in columns.values()} == {len(truths)} == {120}
    assert columns["speed_mps"][5] == 8.0 and columns["offset_m"][5] == 0.0 and columns["others"][5] == 1
    assert columns["asked"][:6] == columns["planned"][:6] == columns["seen"][:6] == [0, 0, 0, 0, 4, 4]
    assert len(overview["pictures"]["wide"]) == 25 and overview["outcome"]["status"] == "Completed"
    rest = get_json(server, "/api/overview/0/7_rep0?first=118")
    assert len(rest["columns"]["x_m"]) == 2 and len(rest["pictures"]["wide"]) <= 1


def test_who_takes_over_saw_and_said_nothing(forked_log_path):
    overview = Overview()
    with Episode.open(forked_log_path) as episode:
        overview.read(episode)
    columns = overview.columns(0)
    assert columns["seen"][58] == columns["asked"][58] == 54
    assert set(columns["seen"][59:]) == set(columns["asked"][59:]) == {-1} and columns["planned"][-1] == 119


def test_a_block_has_everyone_and_the_conversation(server):
    block = get_json(server, "/api/block/0/7_rep0?number=0")
    assert len(block["actors"]) == len(block["lights"]) == 100 and block["lights"][3] == {"s1": 1}
    assert block["actors"][0][0::5] == [1, 5] and block["infos"]["5"]["type_id"] == "vehicle.tesla.model3"
    thought = block["thoughts"]["4"]
    assert "<script>" in thought["reply"]["text"]  # as it was said: escaping is the page's, and tested there
    assert thought["scene"]["light"] == 1 and thought["forecast"] == [[[24.0, 0.0], [28.0, 0.0], [32.0, 0.0]]]
    assert thought["timings_ms"]["model"] == 60.0 and len(thought["plan"]["path_ego"]) == 32


def test_events_say_what_they_cost(server):
    said = get_json(server, "/api/events/0/7_rep0")
    [event] = [event for event in said["events"] if event["kind"] == "red_light"]
    others = [event for event in said["events"] if event["kind"] != "red_light"]
    assert event["title"] == "Red light run" and 3.0 < event["t"] < 5.0
    assert (
        event["loss"] > 0
        and all(other["loss"] >= 0 for other in others)
        and said["score"] < said["completion"]
    )


def test_pictures_are_the_logged_bytes(server, log_path):
    with Episode.open(log_path) as episode:
        (time_us, wide), (_, narrow) = (next(episode.images(name)) for name in ("wide", "narrow"))
    status, body, _ = get(server, f"/pictures/0/7_rep0?wide={time_us}&narrow={time_us}")
    lengths, _, pictures = body.partition(b"\n")
    assert status == 200 and json.loads(lengths) == [len(wide), len(narrow)]
    assert pictures == wide + narrow and wide != narrow


@pytest.mark.parametrize(
    "path",
    [
        "/config.yaml", "/../config.yaml", "/%2e%2e/config.yaml", "/..%2fconfig.yaml", "/server.py", "/etc/passwd", "//etc/passwd",
        "/api/head/0/..", "/api/head/0/%2e%2e%2f%2e%2e", "/api/head/1/7_rep0", "/api/head/-1/7_rep0", "/api/head/x/7_rep0",
        "/api/nothing/0/7_rep0", "/api/block/0/7_rep0?number=9", "/api/block/0/7_rep0?number=-1", "/api/block/0/7_rep0",
        "/pictures/0/7_rep0?wide=1", "/pictures/0/..%2f..%2fconfig?wide=1", "/pictures/0/7_rep0?none=1", "/pictures/9/7_rep0", "/api",
    ],
)  # fmt: skip
def test_nothing_else_is_served(server, path):
    status, body, _ = get(server, path)
    assert status == 404 and b"secret" not in body and b"root:" not in body and b"import" not in body


def test_bad_numbers_are_said_to_be_bad(server):
    assert get(server, "/api/block/0/7_rep0?number=x")[0] == 422
    assert get(server, "/pictures/0/7_rep0?wide=x")[0] == 422


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_other_sites_that_point_here_are_refused(server, host):
    assert get(server, "/api/runs", host)[0] == 403


def test_only_reading_is_possible(server):
    where = urlsplit(server.address)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
    connection.request("POST", "/api/runs", b"{}")
    assert connection.getresponse().status == 501
    connection.close()


def test_an_answer_leaves_in_one_packet(server):
    """A body that is sent after its head waits 40 ms for the browser's word about the head, on every picture."""
    where = urlsplit(server.address)
    with socket.create_connection((where.hostname, where.port), timeout=20) as client:
        client.sendall(b"GET /api/runs HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(1 << 16).endswith(b'[{"name":"a run","drives":["7_rep0"]}]')


def test_scripts_of_others_could_not_run(server):
    headers = get(server, "/")[2]
    assert (
        "script-src 'self'" in headers["Content-Security-Policy"]
        and headers["X-Content-Type-Options"] == "nosniff"
    )


def test_wrong_paths_are_one_clear_line(tmp_path):
    (tmp_path / "foreign").write_bytes(b"x")
    wrong = (("none", "does not exist"), ("", "holds no drive"), ("foreign", "no MCAP file"))
    for path, says in ((tmp_path / name, says) for name, says in wrong):
        with pytest.raises(ValueError, match=says) as caught:
            open_runs([str(path)])
        assert "\n" not in str(caught.value)


def test_a_log_that_is_none_is_said_in_one_line(tmp_path):
    (tmp_path / "log.mcap").write_bytes(b"no log at all")
    with ViewerServer(open_runs([str(tmp_path)])) as serving:
        status, body, _ = get(serving, f"/api/head/0/{tmp_path.name}")
    assert status == 422 and b"no MCAP file" in body and b"\n" not in body


def test_a_growing_log_is_read_on(drive_writer, tmp_path):
    whole = drive_writer(tmp_path / "whole.mcap").read_bytes()
    log = tmp_path / "run" / "log.mcap"
    log.parent.mkdir()
    log.write_bytes(whole[: len(whole) // 2])
    with ViewerServer(open_runs([str(log.parent)])) as serving:
        first = get_json(serving, "/api/overview/0/run")
        seen = len(first["columns"]["x_m"])
        assert 20 <= seen < 120 and "cut off" in first["truncated"]
        log.write_bytes(whole)
        rest = get_json(serving, f"/api/overview/0/run?first={seen}")
        again = get_json(serving, "/api/overview/0/run")
    assert seen + len(rest["columns"]["x_m"]) == 120
    assert {name: first["columns"][name] + rest["columns"][name] for name in first["columns"]} == again[
        "columns"
    ]
