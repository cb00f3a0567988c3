"""Results into files for people and programs."""

from discovery.export.directory import written_whole

__all__ = ["written_whole"]
