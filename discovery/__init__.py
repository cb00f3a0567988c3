"""Find the early behaviour that separates accounts that stay from accounts that leave."""

__version__ = "0.1.0"
