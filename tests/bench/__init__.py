"""How fast it is on this machine. Nothing here is asserted; leave the machine idle.

| module | what |
|---|---|
| loads | worlds with so many cars or cameras, and the time of a tick in them |
| parts | the rows of `make bench` |
| server_parts | a step and a batch without the client |
| maps | towns of several sizes, until the server listens |
| page | the page of replay: until it shows, pictures a second: `python -m tests.bench.page runs/NAME` |
| latency | driving score against latency, from runs: `python -m tests.bench.latency RUN...` |
| growth | how cost grows with cars, cameras, pixels and map size: `python -m tests.bench --plots` |
"""
