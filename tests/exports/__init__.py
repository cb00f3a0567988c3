"""Made-up exports of known tools, written after their makers' public documentation, and what must come of them."""
