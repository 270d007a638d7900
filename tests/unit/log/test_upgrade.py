"""Logs of older schemas read as today's."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcap.reader import make_reader
from mcap.writer import Writer

from drive_agent.log import schema
from drive_agent.log.encode import dumps, loads
from drive_agent.log.store import Episode
from drive_agent.log.upgrade import Upgrade
from tests.unit.log.test_store import write


def as_version_1(source: Path, target: Path) -> Path:
    """The same drive as the first schema wrote it: without what version 2 brought."""
    with source.open("rb") as old, target.open("wb") as file:
        writer = Writer(file)
        writer.start()
        channels: dict[str, int] = {}
        for shape, channel, message in make_reader(old).iter_messages(log_time_order=False):
            if channel.topic not in channels:
                same = writer.register_schema(shape.name, shape.encoding, shape.data)
                channels[channel.topic] = writer.register_channel(
                    channel.topic, channel.message_encoding, same
                )
            data = message.data
            if channel.topic in (schema.RUN, schema.TICK):
                plain = loads(data)
                plain.pop("route_spec", None)
                plain.pop("ego", None)
                if plain.get("reply"):
                    del plain["reply"]["token_times_ms"]
                data = dumps(plain | ({"schema_version": 1} if channel.topic == schema.RUN else {}))
            writer.add_message(channels[channel.topic], message.log_time, data, message.publish_time)
        writer.finish()
    return target


def test_a_log_of_the_first_schema_reads_as_todays(tmp_path):
    new = tmp_path / "new.mcap"
    decisions = write(new, 20)
    with Episode.open(as_version_1(new, tmp_path / "old.mcap")) as episode:
        records = [record for _, record in episode.ticks()]
        assert episode.header.schema_version == schema.SCHEMA_VERSION
        assert episode.header.route_spec == {}
    assert [record.command for record in records] == [decision.command for decision in decisions]
    asked = [record for record in records if record.frame is not None]
    assert len(asked) == 5
    assert all(record.ego == record.frame.ego for record in asked)  # all that the first schema knew of it
    assert all(record.reply.token_times_ms == () for record in asked)


@pytest.mark.parametrize("version", [0, 99, None, "2", 1.5])
def test_unknown_versions_are_refused(version):
    with pytest.raises(ValueError, match="expected 1 to 2"):
        Upgrade(version)
