"""Closing the month: confirmations, the signed snapshot, adjustments and objections."""
