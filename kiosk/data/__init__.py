"""Tables that ship with the kiosk package; read through `importlib.resources`."""
