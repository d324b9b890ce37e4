"""Hubs above and below one another: a province's hub sends the sums of its days up, signed, and no event (issue 7)."""
