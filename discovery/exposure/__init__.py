"""Events into account x event aggregates of the observation window, and those into flags."""
