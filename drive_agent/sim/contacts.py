"""The contacts of a tick: everything that has a body meets everything else and the town, and who must be told of it."""

from dataclasses import dataclass

import numpy as np

from drive_agent.sim import bodies, collision
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
    """Finds and resolves the contacts of vehicles, walkers and props with each other and with a town's static boxes."""

    def __init__(self, vehicles: Table, walkers: Table, props: Table) -> None:
        self._tables = (vehicles, walkers, props)
        self._rows = np.zeros(collision.MAX_CONTACTS, collision.CONTACT)

    @property
    def owners(self) -> list[Actor]:
        """Everything with a body, in the order of `bodies`."""
        return [owner for table in self._tables for owner in table.owners]

    def bodies(self) -> np.ndarray:
        """BODY (n,) as they stand now: vehicles, walkers, props, then the open doors of vehicles."""
        doors, _ = door_bodies(self._tables[0].rows)
        found = np.zeros(sum(self._counts()), collision.BODY)
        vehicles, walkers, props, _ = self._split(found)
        bodies.vehicle_bodies(self._tables[0].rows, vehicles)
        if len(walkers):
            bodies.walker_bodies(self._tables[1].rows, walkers)
        if len(props):
            bodies.prop_bodies(self._tables[2].rows, props)
        return np.concatenate([found, doors]) if len(doors) else found

    def _counts(self) -> list[int]:
        return [len(table.rows) for table in self._tables]

    def _split(self, found: np.ndarray) -> list[np.ndarray]:
        """BODY (n,) of vehicles, walkers, props and open doors."""
        vehicles, walkers, props = self._counts()
        people, things = vehicles + walkers, vehicles + walkers + props
        return [found[:vehicles], found[vehicles:people], found[people:things], found[things:]]

    def blocks(self, body: np.ndarray, grid: collision.StaticGrid) -> bool:
        """Whether BODY (1,) would stand in something."""
        return collision.blocked_by(body, self.bodies(), grid)

    def step(self, grid: collision.StaticGrid) -> list[ContactEvent]:
        """Push apart whatever overlaps and stop what approaches; one event for each side of each contact."""
        moved = self.bodies()
        count = collision.collide_bodies(moved, self._rows, 0)
        count = collision.collide_static(moved, grid, self._rows, count)
        if count == 0:
            return []
        vehicles, walkers, props, _ = self._split(moved)
        bodies.apply_to_vehicles(vehicles, self._tables[0].rows)
        bodies.apply_to_walkers(walkers, self._tables[1].rows)
        bodies.apply_to_props(props, self._tables[2].rows)
        return self._events(self._rows[:count])

    def _events(self, rows: np.ndarray) -> list[ContactEvent]:
        vehicles = self._tables[0]
        _, carriers = door_bodies(vehicles.rows)
        owners = [*self.owners, *(vehicles.owners[index] for index in carriers)]
        events = []
        for first, second, static, normal_x, normal_y, _, impulse in rows.tolist():
            x, y = impulse * normal_x, impulse * normal_y
            actor = owners[first]
            if static:
                events.append(ContactEvent(actor, None, second, (-x, -y, 0.0)))
            else:
                other = owners[second]
                events.append(ContactEvent(actor, other, -1, (-x, -y, 0.0)))
                events.append(ContactEvent(other, actor, -1, (x, y, 0.0)))
        return events
