"""HTTP: the patient's screen, the staff's screen, administration. Routes parse, call the use case, shape the reply."""
