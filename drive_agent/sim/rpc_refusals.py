"""What CARLA offers and this server does not: each call gets one clear sentence instead of a silent nothing."""

from collections.abc import Iterable
from typing import Any

from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.wire import RequestError

TABLE = MethodTable()

_SKELETON = "walkers have no skeleton in this server: their legs follow the ground they cover"
_CARSIM = "CarSim plugin is not enabled"
_ROS = "this server does not speak ROS: use a bridge that is a client"
_GBUFFERS = "cameras have no G-buffers in this server: use the depth, semantic and instance cameras"


def _refuse(reason: str, names: Iterable[str], *, value: bool) -> None:
    def refuse(client: Client, *arguments: Any) -> None:
        raise RequestError(reason)

    for name in names:
        (TABLE.value if value else TABLE.void)(refuse, name)


_refuse(_SKELETON, ("get_bones_transform",), value=True)
_refuse(_SKELETON, ("set_bones_transform", "blend_pose", "get_pose_from_animation"), value=False)
_refuse(_CARSIM, ("enable_carsim", "use_carsim_road"), value=False)
_refuse(
    "Chrono is not part of this server: vehicles keep its own model", ("enable_chrono_physics",), value=False
)
_refuse(_ROS, ("enable_sensor_for_ros", "disable_sensor_for_ros"), value=False)
_refuse(_GBUFFERS, ("get_gbuffer_token",), value=True)
_refuse(_GBUFFERS, ("enable_gbuffers",), value=False)
_refuse("sensors see every vehicle in this server", ("set_ignored_vehicles",), value=False)
_refuse("there is no V2X sensor in this server", ("send",), value=False)
_refuse("wheels have no angle about their axle in this server", ("get_wheel_pitch_angle",), value=True)
_refuse("wheels have no angle about their axle in this server", ("set_wheel_pitch_angle",), value=False)


def _no(client: Client, *arguments: Any) -> bool:
    return False


TABLE.value(_no, "is_sensor_enabled_for_ros")
TABLE.value(_no, "are_gbuffers_enabled")
TABLE.value(_no, "console_command")  # "not recognised": there is no console
