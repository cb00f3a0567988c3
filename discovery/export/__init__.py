"""Results into files for people and programs."""
