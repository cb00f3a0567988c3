"""Estimates into graded candidates, families and the verdict."""
