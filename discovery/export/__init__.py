"""Results into files for people and programs."""

from discovery.export.directory import refuse_foreign, written_whole

__all__ = ["refuse_foreign", "written_whole"]
