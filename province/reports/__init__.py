"""Reports that a health department sends as they are: the month, and the week on one sheet."""
