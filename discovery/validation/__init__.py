"""A proposed milestone into a verdict with its reasons."""
