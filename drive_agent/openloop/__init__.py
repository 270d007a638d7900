"""What planners would have driven at every key frame of recorded drives, nothing applied, scored by every protocol.

| module | what |
|---|---|
| run | all of `drive-agent openloop`: configuration, and the passes over the scenes |
| truth | where truth comes from, and its cache |
| plan_files | plans of any planner out of a file |
| asker | a model of ours, asked at every key frame |
| baselines | planners that see nothing |
| planned | one planner's plans for one scene, in every frame that a protocol asks for |
| perception | what a model saw, by `score.openloop.detection` |
| sub_scores | such plans by `score.openloop.pdms` |
| outputs | openloop.json, samples.parquet, the printed table |
| scene_log | a scene as a log, for `drive-agent replay` |
"""

from drive_agent.openloop.run import OpenLoopConfig, read_config, run_openloop

__all__ = ["OpenLoopConfig", "read_config", "run_openloop"]
