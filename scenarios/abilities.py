"""Which scenario types test which ability: the groups of Bench2Drive.

Source: Thinklab-SJTU/Bench2Drive, tools/ability_benchmark.py (its list of traffic signs repeats some names, which
changes nothing).
"""

from __future__ import annotations

ABILITIES: dict[str, frozenset[str]] = {
    "Overtaking": frozenset(
        {
            "Accident",
            "AccidentTwoWays",
            "ConstructionObstacle",
            "ConstructionObstacleTwoWays",
            "HazardAtSideLane",
            "HazardAtSideLaneTwoWays",
            "ParkedObstacle",
            "ParkedObstacleTwoWays",
            "VehicleOpensDoorTwoWays",
        }
    ),
    "Merging": frozenset(
        {
            "CrossingBicycleFlow",
            "EnterActorFlow",
            "HighwayCutIn",
            "HighwayExit",
            "InterurbanActorFlow",
            "InterurbanAdvancedActorFlow",
            "MergerIntoSlowTraffic",
            "MergerIntoSlowTrafficV2",
            "NonSignalizedJunctionLeftTurn",
            "NonSignalizedJunctionLeftTurnEnterFlow",
            "NonSignalizedJunctionRightTurn",
            "ParkingExit",
            "SequentialLaneChange",
            "SignalizedJunctionLeftTurn",
            "SignalizedJunctionLeftTurnEnterFlow",
            "SignalizedJunctionRightTurn",
        }
    ),
    "Emergency_Brake": frozenset(
        {
            "BlockedIntersection",
            "ControlLoss",
            "DynamicObjectCrossing",
            "HardBreakRoute",
            "OppositeVehicleRunningRedLight",
            "OppositeVehicleTakingPriority",
            "ParkingCrossingPedestrian",
            "ParkingCutIn",
            "PedestrianCrossing",
            "StaticCutIn",
            "VehicleTurningRoute",
            "VehicleTurningRoutePedestrian",
        }
    ),
    "Give_Way": frozenset({"InvadingTurn", "YieldToEmergencyVehicle"}),
    "Traffic_Signs": frozenset(
        {
            "BlockedIntersection",
            "CrossingBicycleFlow",
            "EnterActorFlow",
            "NonSignalizedJunctionLeftTurn",
            "NonSignalizedJunctionLeftTurnEnterFlow",
            "NonSignalizedJunctionRightTurn",
            "OppositeVehicleRunningRedLight",
            "OppositeVehicleTakingPriority",
            "PedestrianCrossing",
            "SignalizedJunctionLeftTurn",
            "SignalizedJunctionLeftTurnEnterFlow",
            "SignalizedJunctionRightTurn",
            "T_Junction",
            "VanillaNonSignalizedTurn",
            "VanillaNonSignalizedTurnEncounterStopsign",
            "VanillaSignalizedTurnEncounterGreenLight",
            "VanillaSignalizedTurnEncounterRedLight",
            "VehicleTurningRoute",
            "VehicleTurningRoutePedestrian",
        }
    ),
}
TYPES = frozenset.union(*ABILITIES.values())  # the 44 types of Bench2Drive


def abilities_of(scenario_type: str) -> tuple[str, ...]:
    """Names of the groups that count a scenario type, none for one that Bench2Drive does not know."""
    return tuple(name for name, types in ABILITIES.items() if scenario_type in types)
