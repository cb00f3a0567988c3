"""A result into one self-contained HTML file."""
