"""How often a study is right: worlds with a known truth, the study beside its rivals, one table.

python -m benchmarks.accuracy --minutes 55 --table docs/accuracy.md
"""
