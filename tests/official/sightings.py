"""Which actors of a scenario appeared and how far they went. Runs inside programs that have no drive_agent."""

_BODIES = ("vehicle.", "walker.", "static.prop.")
_DRIVEN = ("hero", "ego_vehicle")
_BELOW_GROUND_M = -10.0  # where scenarios keep actors until their hour has come


class Sightings:
    """Looks at the world every tick; background traffic and the hero are nobody's scenario."""

    def __init__(self):
        self._seen = {}  # actor id -> (type, where it was first seen above the ground, longest way from there)

    def look(self, world):
        for actor in world.get_actors():
            role = actor.attributes.get("role_name", "")
            if not actor.type_id.startswith(_BODIES) or role in _DRIVEN or role.startswith("background"):
                continue
            place = actor.get_location()
            kind, first, way_m = self._seen.get(actor.id, (actor.type_id, None, 0.0))
            if place.z > _BELOW_GROUND_M:
                first = first or place
                way_m = max(way_m, first.distance(place))
            self._seen[actor.id] = (kind, first, way_m)

    def actors(self):
        """Type and way in metres of each."""
        return [(kind, round(way_m, 1)) for kind, _, way_m in self._seen.values()]
