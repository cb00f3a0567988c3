"""Events that stay where they are: in PostgreSQL, Spark or ClickHouse.

A few rows are looked at here, to recognise columns; every other question is asked over there, and only aggregates
come back. The accounts, which are few, are read as from anywhere, and a small table of them goes over.
"""
