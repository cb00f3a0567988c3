"""How often a ladder is right: worlds with a planted way to the milestone, the study beside three other methods.

python -m benchmarks.accuracy.ladders --minutes 20 --table docs/ladder-accuracy.md
"""
