"""The contacts of a tick: everything that has a body meets everything else and the town, and who must be told of it."""

from dataclasses import dataclass

import numpy as np

from drive_agent.sim import collision, tick
from drive_agent.sim.actors import Actor, Table
from drive_agent.sim.car_doors import door_bodies


@dataclass(frozen=True)
class ContactEvent:
    """Two things touched in the last tick. `other` is an actor, or None for static box `static_index` of the town."""

    actor: Actor
    other: Actor | None
    static_index: int
    impulse: tuple[float, float, float]  # that the actor received, N s, world axes


class Contacts:
    """What contacts of vehicles, walkers and props need besides these (`tick` resolves them), and what they mean.

    rows: CONTACT, the contacts of the last tick.
    """

    def __init__(self, vehicles: Table, walkers: Table, props: Table) -> None:
        self._tables = (vehicles, walkers, props)
        self.rows = np.zeros(collision.MAX_CONTACTS, collision.CONTACT)
        self._room = np.zeros(0, collision.BODY)

    @property
    def owners(self) -> list[Actor]:
        """Everything with a body, in the order of `bodies`."""
        return [owner for table in self._tables for owner in table.owners]

    def bodies(self) -> np.ndarray:
        """BODY (n,) as they stand now: vehicles, walkers, props, then the open doors of vehicles."""
        vehicles, walkers, props = (table.rows for table in self._tables)
        found = self.room(doors_open=True)
        tick.find_bodies(vehicles, walkers, props, found)
        return found

    def room(self, *, doors_open: bool) -> np.ndarray:
        """BODY (n,) for `bodies`, of which only open doors are there already; valid until the next call."""
        vehicles, walkers, props = (table.rows for table in self._tables)
        count = len(vehicles) + len(walkers) + len(props)
        doors = door_bodies(vehicles)[0] if doors_open else ()
        if len(self._room) != count + len(doors):
            self._room = np.zeros(count + len(doors), collision.BODY)
        if len(doors):
            self._room[count:] = doors
        return self._room

    def blocks(self, body: np.ndarray, grid: collision.StaticGrid) -> bool:
        """Whether BODY (1,) would stand in something."""
        return collision.blocked_by(body, self.bodies(), grid)

    def events(self, count: int) -> list[ContactEvent]:
        """Of the first `rows`, one for each side of each contact."""
        if count == 0:
            return []
        vehicles = self._tables[0]
        _, carriers = door_bodies(vehicles.rows)
        owners = [*self.owners, *(vehicles.owners[index] for index in carriers)]
        events = []
        for first, second, static, normal_x, normal_y, _, impulse in self.rows[:count].tolist():
            x, y = impulse * normal_x, impulse * normal_y
            actor = owners[first]
            if static:
                events.append(ContactEvent(actor, None, second, (-x, -y, 0.0)))
            else:
                other = owners[second]
                events.append(ContactEvent(actor, other, -1, (-x, -y, 0.0)))
                events.append(ContactEvent(other, actor, -1, (x, y, 0.0)))
        return events
