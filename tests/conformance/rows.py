"""Every row of the compatibility table: what CARLA 0.9.16 offers a client. The tests say how each row fares here.

The need of a row is the strongest that CARLA's agents, the Leaderboard, ScenarioRunner and the traffic manager have.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One thing a client may rely on."""

    group: str
    name: str
    need: str  # must, should, rare


_NEEDS = ("must", "should", "rare")

_TABLE: dict[str, dict[str, str]] = {
    "RPC": {
        "must": """
            version get_episode_info get_sensor_token get_episode_settings set_episode_settings tick_cue
            get_map_info get_map_data get_required_files load_new_episode get_actor_definitions
            spawn_actor spawn_actor_with_parent destroy_actor get_actors_by_id get_spectator
            get_actor_bounding_box apply_batch apply_control_to_vehicle apply_control_to_walker
            set_actor_transform set_actor_location set_actor_target_velocity set_actor_target_angular_velocity
            set_actor_simulate_physics get_physics_control get_vehicle_light_state set_vehicle_light_state
            get_vehicle_light_states set_traffic_light_state set_traffic_light_green_time
            set_traffic_light_yellow_time set_traffic_light_red_time freeze_all_traffic_lights
            reset_all_traffic_lights get_group_traffic_lights get_weather_parameters set_weather_parameters
            query_lights_state update_day_night_cycle project_point is_traffic_manager_running
            get_traffic_manager_running add_traffic_manager_running destroy_traffic_manager""",
        "should": """
            request_file get_available_maps copy_opendrive_to_file enable_actor_constant_velocity
            disable_actor_constant_velocity set_actor_collisions set_actor_enable_gravity apply_physics_control
            open_vehicle_door close_vehicle_door reset_traffic_light_group update_lights_state
            get_environment_objects enable_environment_objects draw_debug_shape clear_debug_shape clear_debug_string
            start_recorder stop_recorder show_recorder_file_info show_recorder_collisions
            show_recorder_actors_blocked replay_file""",
        "rare": """
            get_navigation_mesh load_map_layer unload_map_layer apply_ackermann_control_to_vehicle
            get_ackermann_controller_settings apply_ackermann_controller_settings set_actor_dead
            add_actor_impulse add_actor_force add_actor_angular_impulse add_actor_torque
            add_actor_impulse_at_location add_actor_force_at_location set_actor_autopilot
            set_wheel_steer_direction get_wheel_steer_angle set_wheel_pitch_angle get_wheel_pitch_angle
            get_telemetry_data show_vehicle_debug_telemetry restore_physx_physics enable_carsim use_carsim_road
            enable_chrono_physics get_bones_transform set_bones_transform blend_pose get_pose_from_animation
            get_actor_component_names get_actor_bone_names get_actor_socket_names
            get_actor_component_world_transform get_actor_component_relative_transform
            get_actor_bone_world_transforms get_actor_bone_relative_transforms
            get_actor_socket_world_transforms get_actor_socket_relative_transforms
            get_vehicle_bone_world_transforms freeze_traffic_light get_light_boxes get_all_level_BBs cast_ray
            stop_replayer set_replayer_time_factor set_replayer_ignore_hero set_replayer_ignore_spectator
            apply_color_texture_to_objects apply_float_color_texture_to_objects get_names_of_all_objects
            enable_sensor_for_ros disable_sensor_for_ros is_sensor_enabled_for_ros
            get_gbuffer_token enable_gbuffers are_gbuffers_enabled set_ignored_vehicles
            get_imui_gravity set_imui_gravity set_annotations_traverse_translucency send""",
    },
    "command": {
        "must": """
            SpawnActor DestroyActor ApplyVehicleControl ApplyWalkerControl ApplyTransform ApplyTargetVelocity
            SetSimulatePhysics SetAutopilot SetVehicleLightState""",
        "should": """
            ApplyTargetAngularVelocity ApplyLocation ApplyWalkerState ApplyVehiclePhysicsControl
            SetTrafficLightState""",
        "rare": """
            ApplyVehicleAckermannControl ApplyImpulse ApplyForce ApplyAngularImpulse ApplyTorque SetEnableGravity
            ShowDebugTelemetry ConsoleCommand""",
    },
    "snapshot": {
        "must": "frame_and_time vehicle walker traffic_light traffic_sign other_actor new_subscriber",
        "should": "asynchronous_mode on_tick second_client",
        "rare": "",
    },
    "sensor": {
        "must": """
            sensor.camera.rgb sensor.lidar.ray_cast sensor.other.radar sensor.other.gnss sensor.other.imu
            sensor.other.collision sensor.other.lane_invasion""",
        "should": """
            sensor.camera.depth sensor.camera.semantic_segmentation sensor.camera.instance_segmentation
            sensor.lidar.ray_cast_semantic sensor.other.obstacle""",
        "rare": """
            sensor.camera.normals sensor.camera.optical_flow sensor.camera.dvs sensor.camera.cosmos_visualization
            sensor.other.rss sensor.other.v2x sensor.other.v2x_custom gbuffers""",
    },
    "map": {
        "must": """
            get_spawn_points get_waypoint get_waypoint_xodr get_topology generate_waypoints to_opendrive
            transform_to_geolocation Waypoint.next Waypoint.previous Waypoint.get_left_lane
            Waypoint.get_right_lane Waypoint.get_junction Waypoint.get_landmarks_of_type
            World.get_traffic_light World.get_traffic_light_from_opendrive_id World.get_traffic_lights_in_junction""",
        "should": """
            get_crosswalks get_all_landmarks get_all_landmarks_of_type get_landmark_group
            geolocation_to_transform Waypoint.next_until_lane_end Waypoint.lane_markings
            TrafficLight.get_stop_waypoints TrafficLight.get_affected_lane_waypoints
            World.get_traffic_sign World.get_traffic_lights_from_waypoint""",
        "rare": "save_to_disk World.get_random_location_from_navigation",
    },
    "traffic manager": {
        "must": """
            set_synchronous_mode set_random_device_seed set_autopilot global_percentage_speed_difference
            ignore_lights_percentage ignore_signs_percentage ignore_vehicles_percentage auto_lane_change
            distance_to_leading_vehicle set_global_distance_to_leading_vehicle update_vehicle_lights""",
        "should": """
            vehicle_percentage_speed_difference set_desired_speed force_lane_change vehicle_lane_offset
            ignore_walkers_percentage set_hybrid_physics_mode set_path set_route collision_detection
            shut_down get_next_action determinism""",
        "rare": "set_respawn_dormant_vehicles remote_traffic_manager set_osm_mode",
    },
    "blueprint": {
        "must": "vehicle.* walker.pedestrian.* static.prop.* attributes ids_named_by_scenarios dimensions",
        "should": "controller.ai.walker colours catalogue",
        "rare": "static.trigger.friction attribute_checks",
    },
}

ROWS = tuple(
    Row(group, name, need)
    for group, by_need in _TABLE.items()
    for need in _NEEDS
    for name in by_need[need].split()
)
GROUPS = tuple(_TABLE)
