"""What randomised tests say and would take: past ones as evidence, and the next one's design and size."""
