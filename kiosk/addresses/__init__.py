"""Text of a card to administrative codes, old and new."""
