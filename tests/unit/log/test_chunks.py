"""Random access to an MCAP file's messages."""

from pathlib import Path

from mcap.writer import Writer

from drive_agent.log.chunks import ChunkedFile


def numbered(path: Path, count: int = 100) -> Path:
    """`count` messages a millisecond apart on /a, every tenth also on /b, in many small parts."""
    with path.open("wb") as file:
        writer = Writer(file, chunk_size=200)
        writer.start()
        a = writer.register_channel("/a", "text", 0)
        b = writer.register_channel("/b", "text", 0)
        for k in range(count):
            writer.add_message(a, k * 1_000_000, f"a{k}".encode(), 0)
            if k % 10 == 0:
                writer.add_message(b, k * 1_000_000, f"b{k}".encode(), 0)
        writer.finish()
    return path


def test_topics_are_read_apart_and_in_order(tmp_path):
    file = ChunkedFile(numbered(tmp_path / "n.mcap"))
    assert file.topics == ("/a", "/b") and file.finished and file.end_ns == 99_000_000
    assert [data for _, data in file.messages("/a")] == [f"a{k}".encode() for k in range(100)]
    assert [data for _, data in file.messages("/b")] == [f"b{k}".encode() for k in range(0, 100, 10)]
    assert list(file.messages("/c")) == []


def test_reading_can_begin_at_a_time(tmp_path):
    file = ChunkedFile(numbered(tmp_path / "n.mcap"))
    assert [data for _, data in file.messages("/b", start_ns=55_000_000)] == [b"b60", b"b70", b"b80", b"b90"]


def test_readers_side_by_side_do_not_disturb_each_other(tmp_path):
    file = ChunkedFile(numbered(tmp_path / "n.mcap"))
    pairs = list(zip(file.messages("/a"), file.messages("/a"), strict=True))
    assert len(pairs) == 100 and all(left == right for left, right in pairs)


def test_single_messages_are_found_by_time(tmp_path):
    file = ChunkedFile(numbered(tmp_path / "n.mcap"))
    places = file.locate("/b")
    assert len(places) == 10 and file.payload_at(places[70_000_000]) == b"b70"
