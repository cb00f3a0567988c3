"""How time and memory grow with events and accounts, each figure beside a baseline of the same run."""
