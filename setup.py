"""Packs conf/ into the wheel as drive_agent/conf; everything else is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["drive_agent*", "scenarios*", "replay*"]), "drive_agent.conf"],
    package_dir={"drive_agent.conf": "conf"},
    package_data={
        "drive_agent.conf": ["*.yaml", "*/*.yaml"],
        "drive_agent.models.embedded": ["weights/*"],
        "scenarios": ["routes/*.xml"],
        "replay": ["*.html", "*.js", "*.css", "viewer/*.html", "viewer/*.js", "viewer/*.css", "viewer/*.svg"],
    },
)
