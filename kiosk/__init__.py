"""The kiosk daemon: reads a document, asks the gateway, registers the visit, tells the province."""

__version__ = "0.1.0"
