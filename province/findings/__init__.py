"""Findings: what in the ledger does not look like honest work, with the events behind it (issue 7).

A finding is a question to a facility, never a verdict: each has words that say how it can be honest. None is deleted.
"""
