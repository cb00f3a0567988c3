"""How often a validation is right: true, empty and slightly wrong milestones proposed in worlds with a known truth.

python -m benchmarks.accuracy.validation --minutes 20 --table docs/validation-accuracy.md
"""
